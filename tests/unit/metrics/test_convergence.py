"""The order of arrival and repeats make no difference: views are equal, and contributions bit by bit."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.contributions import contributions
from services.metrics.domain.view import view
from shared.events import Event, Score, Tombstone, comments, decode_event, encode, text_hash
from tests.unit.metrics import strategies
from tests.unit.metrics.build import statement


@given(strategies.of_any, strategies.scores, st.randoms(use_true_random=False))
def test_any_shuffle_with_duplicates_gives_the_same(
    events: list[Event], scores: dict[tuple[str, str], Score], random: Random
) -> None:
    again = [*events, *random.choices(events, k=3)]
    random.shuffle(again)
    shuffled = dict(random.sample(list(scores.items()), len(scores)))
    assert view(again) == view(events)
    assert Counter(contributions(view(again), shuffled)) == Counter(contributions(view(events), scores))


@given(strategies.of_any, strategies.scores)
def test_encoding_for_the_topic_changes_no_contribution(events: list[Event], scores: dict[tuple[str, str], Score]) -> None:
    received = [decode_event(encode(event)) for event in events]
    assert contributions(view(received), scores) == contributions(view(events), scores)


@given(strategies.of_response | strategies.of_review | strategies.of_ticket, st.integers(0, 6))
def test_a_higher_revision_counts_as_if_the_first_had_never_existed(events: list[Event], which: int) -> None:
    old = events[which % len(events)]
    mended = statement(old.seq, events[0].body, revision=3, statement=old.statement, at=old.at)
    others = [event for event in events if event.statement != old.statement]
    assert view([*others, mended, old]) == view([*others, mended])


@given(strategies.of_any)
def test_an_erased_subject_has_no_contributions_and_no_comments(events: list[Event]) -> None:
    erased = view([*events, statement(9, Tombstone())])
    assert erased.erased
    assert not erased.comments
    assert erased.customer is None
    assert contributions(erased, {}) == []


@given(strategies.of_any, strategies.scores)
def test_every_row_holds_integers_and_a_value_for_each_dimension(
    events: list[Event], scores: dict[tuple[str, str], Score]
) -> None:
    for row in contributions(view(events), scores):
        assert type(row.bin) is int
        assert type(row.amount) is int
        assert len(row.dims) == 11


@given(strategies.of_any, strategies.scores)
def test_each_comment_counts_once_and_once_for_each_model_that_scored_it(
    events: list[Event], scores: dict[tuple[str, str], Score]
) -> None:
    subject = view(events)
    counted = Counter(row.measure for row in contributions(subject, scores))
    assert counted["comments"] == len(subject.comments)
    for model in ("vader-3.3.2", "e5-4"):
        scored = sum((model, comment.text_hash) in scores for comment in subject.comments)
        assert counted[f"label:{model}"] == counted[f"sentiment:{model}"] <= scored


@given(strategies.of_any)
def test_each_comment_of_a_view_is_a_comment_of_its_statements(events: list[Event]) -> None:
    """So a service that scores the comments of every statement has scored every comment of the view."""
    made = {text_hash(text) for event in events for text, _ in comments(event.body)}
    assert {comment.text_hash for comment in view(events).comments} <= made

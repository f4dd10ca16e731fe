"""Whatever the order of arrival, however often a statement comes: one view, and contributions that are equal bit for bit."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.contributions import contributions
from services.metrics.domain.view import view
from shared.events import Event, Score, Tombstone, comments, decode_event, encode, text_hash
from tests.unit.metrics import strategies
from tests.unit.metrics.build import said


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
def test_what_went_through_the_topic_counts_as_what_was_said(events: list[Event], scores: dict[tuple[str, str], Score]) -> None:
    received = [decode_event(encode(event)) for event in events]
    assert contributions(view(received), scores) == contributions(view(events), scores)


@given(strategies.of_response | strategies.of_review | strategies.of_ticket, st.integers(0, 6))
def test_a_statement_stated_anew_counts_as_if_the_first_had_never_been(events: list[Event], which: int) -> None:
    old = events[which % len(events)]
    mended = said(old.seq, events[0].body, revision=3, statement=old.statement, at=old.at)
    others = [event for event in events if event.statement != old.statement]
    assert view([*others, mended, old]) == view([*others, mended])


@given(strategies.of_any)
def test_a_tombstone_leaves_nothing_to_count_or_to_show(events: list[Event]) -> None:
    erased = view([*events, said(9, Tombstone())])
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
def test_each_comment_counts_once_and_once_for_each_model_that_judged_it(
    events: list[Event], scores: dict[tuple[str, str], Score]
) -> None:
    seen = view(events)
    counted = Counter(row.measure for row in contributions(seen, scores))
    assert counted["comments"] == len(seen.comments)
    for model in ("vader-3.3.2", "e5-3"):
        judged = sum((model, comment.text_hash) in scores for comment in seen.comments)
        assert counted[f"label:{model}"] == counted[f"sentiment:{model}"] <= judged


@given(strategies.of_any)
def test_each_comment_that_counts_is_one_that_the_statements_made(events: list[Event]) -> None:
    """So that whatever scores the comments of statements has scored each comment of the view."""
    made = {text_hash(text) for event in events for text, _ in comments(event.body)}
    assert {comment.text_hash for comment in view(events).comments} <= made

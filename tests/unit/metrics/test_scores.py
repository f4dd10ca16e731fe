"""Of the scores of one text by one model one counts: the same whatever the order, grouping and repeats."""

from functools import reduce
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.merge import effective_score
from services.metrics.store.subjects import Subject
from shared.events import Score, ScoreEvent, ThemeScore, Tombstone, encode
from tests.unit.metrics.build import MODEL, T0, response, statement, words

theme_scores = st.builds(ThemeScore, st.sampled_from(["delivery", "price"]), st.sampled_from([-1.0, 1.0]))
themes = st.lists(theme_scores, max_size=2).map(tuple)
scores = st.builds(
    Score,
    label=st.just("neutral"),
    score=st.just(0.0),
    confidence=st.sampled_from([0.1, 0.9]),
    themes=themes,
    taxonomy=st.integers(0, 11),
    text_hash=st.just("one"),
)
bodies = scores.map(encode)


def event(score: Score) -> ScoreEvent:
    return ScoreEvent(tenant="acme", subject="c1/response/1", model=MODEL, received_at=T0, score=score)


def subject(*batches: list[Score]) -> Subject:
    """A subject after these batches, each in a transaction of its own."""
    state = Subject(1, 1, "c1/response/1", fresh=True)
    for batch in batches:
        state.merge([], map(event, batch))
        state.stored_scores = state.scores
    return state


@given(bodies, bodies)
def test_the_choice_is_commutative(one: bytes, other: bytes) -> None:
    assert effective_score(one, other) == effective_score(other, one)


@given(bodies, bodies, bodies)
def test_the_choice_is_associative(a: bytes, b: bytes, c: bytes) -> None:
    assert effective_score(effective_score(a, b), c) == effective_score(a, effective_score(b, c))


@given(bodies)
def test_the_choice_is_idempotent(score: bytes) -> None:
    assert effective_score(score, score) == score


@given(st.lists(scores, min_size=1, max_size=6), st.randoms(use_true_random=False), st.integers(0, 6))
def test_any_order_batching_and_repeats_leave_the_same_score(arrived: list[Score], random: Random, cut: int) -> None:
    again = [*arrived, *arrived[::2]]
    random.shuffle(again)
    effective = reduce(effective_score, map(encode, arrived))
    assert subject(again[:cut], again[cut:]).scores == {(MODEL, "one"): effective}


@given(st.lists(scores, min_size=1, max_size=6))
def test_the_score_that_counts_is_one_of_the_highest_revision(arrived: list[Score]) -> None:
    newest = max(score.taxonomy for score in arrived)
    assert subject(arrived).scores[MODEL, "one"] in {encode(score) for score in arrived if score.taxonomy == newest}


@pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 2), (9, 10)])
def test_a_score_of_the_newer_taxonomy_counts_whichever_is_bytewise_smaller(old: int, new: int) -> None:
    before, after = (Score(label=None, score=None, confidence=1.0, taxonomy=n, text_hash="one") for n in (old, new))
    assert subject([before], [after]).scores == subject([after], [before]).scores == {(MODEL, "one"): encode(after)}


@given(scores, scores)
def test_an_erased_subject_has_no_score_of_any_revision(one: Score, other: Score) -> None:
    state = subject([one])
    state.merge([response(words("text")), statement(2, Tombstone())], [event(other)])
    assert state.scores == {}

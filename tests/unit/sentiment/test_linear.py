"""The linear model as it is shipped."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sentiment.domain.linear import LinearScorer, bins_of, features
from services.sentiment.domain.scorer import Scorer
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.weights import LINEAR, BrokenModel, read_linear, write_linear
from tests.unit.sentiment.own_sentences import SENTENCES, sentences

SCORER = LinearScorer(read_linear())


def right(scorer: Scorer, language: str) -> float:
    """The share of our own sentences that a model reads as they are meant."""
    texts, labels = zip(*sentences(language), strict=True)
    return float(np.mean([opinion.label == label for opinion, label in zip(scorer.score(texts), labels, strict=True)]))


@pytest.mark.parametrize("language", sorted(SENTENCES.keys() - {"en"}))
def test_in_other_languages_it_beats_a_lexicon_of_english_by_far(language: str) -> None:
    assert right(SCORER, language) >= right(VaderScorer(), language) + 0.15


def test_in_english_it_reads_plain_sentences() -> None:
    assert right(SCORER, "en") >= 0.75


def test_over_all_languages_two_of_three_are_read_right() -> None:
    assert np.mean([right(SCORER, language) for language in SENTENCES]) >= 0.67


def test_it_is_named_for_what_kpis_read() -> None:
    assert str(SCORER.model) == "linear-2"


def test_a_comment_with_two_poles_is_mixed_and_one_with_one_is_not() -> None:
    both = "The food was absolutely delicious and the staff lovely. Sadly the room was dirty, disgusting and horrible."
    assert [opinion.mixed for opinion in SCORER.score([both, "The food was delicious. The staff was lovely.", "Horrible"])] == [
        True,
        False,
        False,
    ]


def test_a_long_comment_gets_the_mean_of_its_pieces() -> None:
    praise = "The staff was friendly and very helpful."
    long = " ".join([praise] * 10)
    (alone, repeated) = SCORER.score([praise, long])
    assert repeated.score == alone.score


@given(st.lists(st.text(max_size=60), max_size=6))
@settings(deadline=None)
def test_no_text_touches_another(texts: Sequence[str]) -> None:
    together = SCORER.score(texts)
    assert together == [SCORER.score([text])[0] for text in texts]
    assert all(-1 <= opinion.score <= 1 and 1 / 3 - 0.001 <= opinion.confidence <= 1 for opinion in together)


def test_nothing_to_score_is_no_error() -> None:
    assert SCORER.score([]) == []


def test_bins_are_the_same_on_every_machine() -> None:
    assert bins_of("good")[0] == 0x829F7
    assert len(features(["good good"]).texts) == len(set(bins_of("good good")))


def test_hundreds_of_comments_take_less_than_a_second_even_here() -> None:
    texts = [text for language in SENTENCES for text, _ in sentences(language)] * 4
    SCORER.score(texts)
    began = time.perf_counter()
    SCORER.score(texts)
    assert len(texts) / (time.perf_counter() - began) > 500


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    trained = read_linear()
    write_linear(tmp_path / "copy.npz", trained)
    again = read_linear(tmp_path / "copy.npz")
    assert (again.weights == trained.weights).all()
    assert (again.model, again.temperature, again.manner) == (trained.model, trained.temperature, trained.manner)


def test_it_is_small() -> None:
    assert LINEAR.stat().st_size < 8 * 2**20


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a model"])
def test_a_broken_file_stops_the_service_with_its_name(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "linear-9.npz"
    broken.write_bytes(content)
    with pytest.raises(BrokenModel, match=r"linear-9\.npz"):
        read_linear(broken)

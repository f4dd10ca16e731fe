"""The linear model as it is shipped."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.linear import LinearScorer, bins_of, bins_of_word, features
from services.sentiment.domain.scorer import Opinion, Scorer
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.weights import LINEAR, BrokenModel, read_linear, write_linear
from tests.unit.sentiment.own_sentences import SENTENCES, sentences

SCORER = LinearScorer(read_linear())


def right(scorer: Scorer, language: str) -> float:
    """The share of our own sentences whose label a model gets right."""
    texts, labels = zip(*sentences(language), strict=True)
    return float(np.mean([opinion.label == label for opinion, label in zip(scorer.score(texts), labels, strict=True)]))


@pytest.mark.parametrize("language", sorted(SENTENCES.keys() - {"en"}))
def test_in_other_languages_it_beats_an_english_lexicon(language: str) -> None:
    assert right(SCORER, language) >= right(VaderScorer(), language) + 0.15


def test_three_of_four_plain_english_sentences_are_right() -> None:
    assert right(SCORER, "en") >= 0.75


def test_two_of_three_sentences_of_all_languages_are_right() -> None:
    assert np.mean([right(SCORER, language) for language in SENTENCES]) >= 0.67


def test_its_name_is_the_one_that_kpis_use() -> None:
    assert str(SCORER.model) == "linear-2"


def test_only_a_comment_with_two_poles_is_mixed() -> None:
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
def test_the_score_of_a_text_does_not_depend_on_its_batch(texts: Sequence[str]) -> None:
    together = SCORER.score(texts)
    assert together == [SCORER.score([text])[0] for text in texts]
    assert all(-1 <= opinion.score <= 1 and 1 / 3 - 0.001 <= opinion.confidence <= 1 for opinion in together)


def test_no_texts_give_no_opinions() -> None:
    assert SCORER.score([]) == []


def test_the_bins_of_a_word_are_those_of_the_word_and_its_parts() -> None:
    word, parts = 0x829F7, [0x7FA16, 0x7B14F, 0x6397F, 0xC585E, 0xCE1EF, 0x1E17C, 0xFA8B2, 0x349C4, 0xEFED0]
    assert bins_of_word("good") == (word, *parts)


def test_the_bins_of_a_text_are_those_of_its_words_and_pairs() -> None:
    pairs = [0xF6F83, 0xDE1D8]
    bins = bins_of("good good")
    assert bins[:20] == 2 * list(bins_of_word("good"))
    assert (len(bins), len(set(bins))) == (23, 13)
    assert bins_of("not good!")[-2:] == pairs
    assert len(features(["good good"]).texts) == len(set(bins))


@pytest.mark.parametrize(
    ("text", "opinion"),
    [
        ("The food was delicious.", Opinion("positive", 0.953, 0.969)),
        ("Horrible service, never again", Opinion("negative", -0.993, 0.996)),
        ("Es ist okay", Opinion("neutral", 0.015, 0.773)),
        ("Great food. But the room was dirty.", Opinion("positive", 0.804, 0.894, mixed=True)),
    ],
)
def test_the_shipped_weights_give_exactly_these_scores(text: str, opinion: Opinion) -> None:
    assert SCORER.score([text]) == [opinion]


def test_probabilities_are_exact_to_nine_digits() -> None:
    odds = SCORER.read(["The food was delicious."]).odds
    assert odds.tolist() == [pytest.approx([0.01608195135604235, 0.01505904610751772, 0.96885900253644], rel=1e-9)]


def test_five_hundred_comments_take_less_than_a_second_of_cpu_time() -> None:
    texts = [text for language in SENTENCES for text, _ in sentences(language)] * 4
    SCORER.score(texts)
    began = time.thread_time()
    SCORER.score(texts)
    assert len(texts) / (time.thread_time() - began) > 500


def test_a_written_model_is_read_again(tmp_path: Path) -> None:
    trained = read_linear()
    write_linear(tmp_path / "copy.npz", trained)
    again = read_linear(tmp_path / "copy.npz")
    assert (again.weights == trained.weights).all()
    assert (again.model, again.temperature, again.manner) == (trained.model, trained.temperature, trained.manner)


def test_it_is_small() -> None:
    assert LINEAR.stat().st_size < 8 * 2**20


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a model"])
def test_a_malformed_file_raises_broken_model_with_its_name(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "linear-9.npz"
    broken.write_bytes(content)
    with pytest.raises(BrokenModel, match=r"linear-9\.npz"):
        read_linear(broken)

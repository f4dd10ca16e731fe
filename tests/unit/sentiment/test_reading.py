"""From the readings of pieces to the opinion of a text, with a fake model."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.sentiment.domain.reading import Manner, Reading, opinions, softmax
from services.sentiment.domain.urgency import REASONS

MANNER = Manner(pole=0.7, long=40)
ADAPTIVE = Manner(pole=0.7, long=60, both=0.9, urgent=0.8, improbable=0.2, short=45, doubt=0.5, whole=True)
"""Short texts by pieces only if they may praise and complain, long ones as a whole too."""
ODDS = {"good": (0.1, 0.1, 0.8), "bad": (0.8, 0.1, 0.1), "both": (0.4, 0.3, 0.3)}


class Reads:
    """A model that knows the words "good" and "bad", and records the texts of each call."""

    def __init__(self, meanings: bool = True, learnt: bool = False) -> None:
        self.calls: list[list[str]] = []
        self.meanings = meanings
        self.learnt = learnt

    def __call__(self, texts: Sequence[str]) -> Reading:
        self.calls.append(list(texts))
        words = ["both" if "good" in text and "bad" in text else "good" if "good" in text else "bad" for text in texts]
        odds = np.array([ODDS[word] for word in words])
        meant = np.eye(3, dtype=np.float32)[odds.argmax(axis=1)] if self.meanings else None
        if not self.learnt:
            return Reading(odds, meant)
        both = np.array([0.6 if word == "both" else 0.1 for word in words])
        urgent = np.array([[0.9 if "dark" in text else 0.1, *[0.5] * (len(REASONS) - 1)] for text in texts])
        return Reading(odds, meant, both, urgent)


def test_all_texts_are_read_in_one_call() -> None:
    reads = Reads()
    first, second = opinions(["It is good.", "It is bad."], reads, MANNER, 2)
    assert reads.calls == [["It is good.", "It is bad."]]
    assert (first.label, first.score, first.confidence) == ("positive", 0.7, 0.8)
    assert (second.label, second.score, second.confidence) == ("negative", -0.7, 0.8)


def test_a_short_text_of_two_sentences_is_read_as_a_whole_and_in_pieces() -> None:
    reads = Reads()
    (opinion,) = opinions(["The good part. The bad part."], reads, MANNER, 2)
    assert reads.calls == [["The good part. The bad part.", "The good part.", "The bad part."]]
    assert (opinion.label, opinion.mixed) == ("negative", True)
    assert [passage.score for passage in opinion.passages] == pytest.approx([0.7, -0.7])


def test_a_long_text_gets_the_mean_of_its_pieces() -> None:
    reads = Reads()
    long = "This is a good sentence. And a good sentence. One bad sentence."
    (opinion,) = opinions([long], reads, MANNER, 2)
    assert len(reads.calls[0]) == 3
    assert (opinion.label, opinion.score) == ("positive", round((0.7 + 0.7 - 0.7) / 3, 3))


def test_a_text_is_long_from_the_stated_number_of_characters_on() -> None:
    text = "The good part. And here the bad part."
    shorter, exact = Reads(), Reads()
    opinions([text], shorter, Manner(pole=0.7, long=len(text) + 1), 2)
    opinions([text], exact, Manner(pole=0.7, long=len(text)), 2)
    assert shorter.calls == [[text, "The good part.", "And here the bad part."]]
    assert exact.calls == [["The good part.", "And here the bad part."]]


def test_pieces_of_one_pole_are_not_mixed() -> None:
    (opinion,) = opinions(["The good part. Another good part."], Reads(), MANNER, 2)
    assert not opinion.mixed


def test_an_unclear_pole_does_not_count() -> None:
    (opinion,) = opinions(["The good part. The bad part."], Reads(), Manner(pole=0.81, long=40), 2)
    assert not opinion.mixed


def test_pieces_of_a_short_text_are_read_only_if_it_may_praise_and_complain() -> None:
    reads = Reads(learnt=True)
    plain, doubtful = opinions(["The good part. Another good part.", "The good part. The bad part."], reads, ADAPTIVE, 2)
    assert reads.calls == [
        ["The good part. Another good part.", "The good part. The bad part."],
        ["The good part.", "The bad part."],
    ]
    assert (plain.label, plain.mixed, len(plain.passages)) == ("positive", False, 1)
    assert (doubtful.label, doubtful.mixed) == ("negative", True)
    assert [passage.score for passage in doubtful.passages] == pytest.approx([0.7, -0.7])


def test_pieces_of_a_text_that_is_not_short_are_read_with_it_in_one_call() -> None:
    reads = Reads(learnt=True)
    text = "The good part is here. Another good part, too."
    (opinion,) = opinions([text], reads, ADAPTIVE, 2)
    assert len(text) >= ADAPTIVE.short
    assert reads.calls == [[text, "The good part is here.", "Another good part, too."]]
    assert (opinion.score, len(opinion.passages)) == (0.7, 2)


def test_a_long_text_gets_the_mean_of_its_own_reading_and_of_its_pieces() -> None:
    text = "This is a good sentence. And a good sentence. One bad sentence."
    (opinion,) = opinions([text], Reads(learnt=True), ADAPTIVE, 2)
    whole, pieces = -0.1, (0.7 + 0.7 - 0.7) / 3
    assert opinion.score == round((whole + pieces) / 2, 3)


def test_reasons_are_likely_improbable_or_neither() -> None:
    (opinion,), (calm,) = (opinions([text], Reads(learnt=True), ADAPTIVE, 2) for text in ("All is dark, bad.", "All is good."))
    assert (opinion.urgency, opinion.improbable) == (REASONS[:1], ())
    assert (calm.urgency, calm.improbable) == ((), REASONS[:1])


def test_a_model_without_embeddings_gives_no_passages() -> None:
    (opinion,) = opinions(["It is good."], Reads(meanings=False), MANNER, 2)
    assert opinion.passages == ()


def test_no_texts_are_not_read() -> None:
    assert opinions([], Reads(), MANNER, 2) == []


def test_probabilities_add_up_and_a_higher_temperature_lowers_the_highest() -> None:
    logits = np.array([[2.0, 0.0, 1.0], [900.0, -900.0, 0.0]])
    sure, unsure = softmax(logits, 1.0), softmax(logits, 3.0)
    assert sure.sum(axis=1) == pytest.approx([1, 1])
    assert unsure[0].max() < sure[0].max()

"""From the readings of pieces to the opinion of a text, with a fake model."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.sentiment.domain.reading import Manner, Reading, opinions, softmax

MANNER = Manner(pole=0.7, long=40)
ODDS = {"good": (0.1, 0.1, 0.8), "bad": (0.8, 0.1, 0.1), "both": (0.4, 0.3, 0.3)}


class Reads:
    """A model that knows the words "good" and "bad", and records the texts of each call."""

    def __init__(self, meanings: bool = True) -> None:
        self.calls: list[list[str]] = []
        self.meanings = meanings

    def __call__(self, texts: Sequence[str]) -> Reading:
        self.calls.append(list(texts))
        words = ["both" if "good" in text and "bad" in text else "good" if "good" in text else "bad" for text in texts]
        odds = np.array([ODDS[word] for word in words])
        return Reading(odds, np.eye(3, dtype=np.float32)[odds.argmax(axis=1)] if self.meanings else None)


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

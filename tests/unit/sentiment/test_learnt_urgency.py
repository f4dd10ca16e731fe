"""Reasons for urgency that a network has learnt, beside those that phrases find."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from services.sentiment.domain.languages import SERVED
from services.sentiment.domain.reading import Manner, Reading, opinions
from services.sentiment.domain.scorer import Model, Opinion
from services.sentiment.domain.scoring import Comment, score_comments
from services.sentiment.domain.themes import Finder
from services.sentiment.domain.transformer import Outcome, TransformerFacts, TransformerScorer
from services.sentiment.domain.urgency import REASONS
from services.sentiment.network import facts_of
from services.sentiment.training.urgent.data import sentences
from shared.events import Score, Urgency
from tests.unit.sentiment import urgent_sentences

LEARNT = Manner(pole=0.99, long=60, urgent=0.7)
OUTAGE = "outage"
NEAR = 0.7
"""The Jaccard similarity of two sentences' words from which they count as one."""


def read(texts: Sequence[str]) -> Reading:
    """A model to which "dark" is an outage; all is neutral to it."""
    urgent = np.array([[0.9 if "dark" in text and reason == OUTAGE else 0.1 for reason in REASONS] for text in texts])
    return Reading(np.tile([0.2, 0.6, 0.2], (len(texts), 1)), urgent=urgent)


class Learnt:
    """The same as a scorer."""

    model = Model("learnt", "1", 2)

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        return opinions(texts, read, LEARNT, 2)


def urgency(text: str, scorer: Learnt | None = None) -> tuple[Urgency, ...]:
    (score,) = score_comments(scorer or Learnt(), [Comment(text, "en")])
    assert isinstance(score, Score)
    return score.urgency


@pytest.mark.parametrize(
    "text", ["All screens are dark.", "We came at nine. All screens are dark. We went home again, all of us."]
)
def test_a_reason_is_learnt_from_the_whole_text_or_from_a_piece_of_it(text: str) -> None:
    assert urgency(text) == (OUTAGE,)


def test_learnt_reasons_stand_beside_those_of_phrases_in_one_order() -> None:
    assert urgency("All screens are dark. I will call my lawyer.") == ("legal_threat", OUTAGE)
    assert urgency("All screens are dark and the service is down for everybody.") == (OUTAGE,)


class Doubts:
    """A model that finds it improbable that "lawyer" is a threat."""

    model = Model("doubts", "1", 3)

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        return [Opinion("negative", -0.8, 0.8, improbable=("legal_threat",) if "joke" in text else ()) for text in texts]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("I will call my lawyer.", ("legal_threat",)),
        ("I will call my lawyer, just a joke.", ()),
        ("I will call my lawyer, just a joke. The service is down for everybody.", (OUTAGE,)),
        ("0/10, see you in court, joke", ()),
    ],
)
def test_a_reason_that_a_phrase_names_but_the_model_finds_improbable_does_not_apply(text: str, reasons: tuple[str, ...]) -> None:
    finder = Finder(lambda texts: np.ones((len(texts), 2), np.float32), 0.5)
    (score,) = score_comments(Doubts(), [Comment(text, "en")], finder)
    assert isinstance(score, Score)
    assert score.urgency == reasons


def test_a_model_without_a_threshold_learns_no_reason() -> None:
    (opinion,) = opinions(["All screens are dark."], read, Manner(pole=0.99, long=60), 2)
    assert opinion.urgency == ()


def test_a_rating_in_words_keeps_the_reasons_that_the_model_finds() -> None:
    finder = Finder(lambda texts: np.ones((len(texts), 2), np.float32), 0.5)
    (score,) = score_comments(Learnt(), [Comment("0/10, all screens are dark.", "en")], finder)
    assert isinstance(score, Score)
    assert (score.label, score.urgency) == ("negative", (OUTAGE,))


def test_the_scorer_reads_probabilities_from_the_logits() -> None:
    def network(texts: Sequence[str]) -> Outcome:
        urgent = np.array([[50.0, 0, 0, -50, 0, 0]] * len(texts), np.float32)
        return Outcome(np.zeros((len(texts), 3), np.float32), np.ones((len(texts), 2), np.float32), urgent=urgent)

    scorer = TransformerScorer(network, TransformerFacts(Model("x", "1", 2), 1.0, LEARNT, 0.5))
    assert scorer.read(["a"]).urgent == pytest.approx(np.array([[1, 0.5, 0.5, 0, 0.5, 0.5]]))
    assert [opinion.urgency for opinion in scorer.score(["a"])] == [REASONS[:1]]


def test_the_threshold_is_a_fact_of_the_file() -> None:
    facts = {"id": "e5", "version": "3", "temperature": "1.2", "pole": "0.7", "long": "300", "near": "0.16", "urgent": "0.8"}
    assert facts_of(facts).manner == Manner(0.7, 300, None, 0.8)


def test_each_language_has_sentences_of_each_reason_and_without_one() -> None:
    assert {(one.language, one.reason) for one in sentences()} == {(tag, reason) for tag in SERVED for reason in (*REASONS, None)}


def test_the_sentences_are_unique() -> None:
    texts = [plain(one.text) for one in sentences()]
    assert len(set(texts)) == len(texts)


def test_no_sentence_resembles_one_on_which_urgency_is_measured() -> None:
    measured = [words(one.text) for one in (*urgent_sentences.FRESH, *urgent_sentences.HELD_OUT)]
    learnt = [(one.text, words(one.text)) for one in sentences()]
    assert [text for text, own in learnt if any(len(own & other) >= NEAR * len(own | other) for other in measured)] == []


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def plain(text: str) -> str:
    return " ".join(text.casefold().split())

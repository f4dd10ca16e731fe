"""From comments to scores: with VADER, with models that fail, and with the rules before them."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.scorer import Model, Opinion, ScorerUnavailable
from services.sentiment.domain.scoring import LONGEST, PROBE, Comment, Unscorable, score_comments
from services.sentiment.domain.vader import VaderScorer, opinion
from shared.events import Score, text_hash

VADER = VaderScorer()


class FailsOn:
    """A model to which all is positive; it fails on texts with one of `words`, and records the texts of each call."""

    model = Model("glad", "1")

    def __init__(self, *words: str, error: type[Exception] = ValueError) -> None:
        self.words = words
        self.error = error
        self.calls: list[Sequence[str]] = []

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        self.calls.append(texts)
        if any(word in text for word in self.words for text in texts):
            raise self.error("an error that quotes the text")
        return [Opinion("positive", 1.0, 1.0) for _ in texts]


def one(text: str, language: str | None = None) -> Score:
    (score,) = score_comments(VADER, [Comment(text, language)])
    assert isinstance(score, Score)
    return score


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The support team was friendly and solved it quickly, great!", "positive"),
        ("Terrible. I waited two weeks and nobody answered.", "negative"),
        ("I ordered it on Monday.", "neutral"),
        ("Not good at all", "negative"),
        ("😍", "positive"),
    ],
)
def test_vader_scores_plain_sentences(text: str, label: str) -> None:
    score = one(text, "en")
    assert (score.label, score.language, score.flags) == (label, "en", ())
    assert score.text_hash == text_hash(text)
    assert score.score is not None
    assert (score.score > 0) == (label == "positive")


@pytest.mark.parametrize(
    ("compound", "label"), [(0.05, "positive"), (0.0499, "neutral"), (-0.0499, "neutral"), (-0.05, "negative"), (0.0, "neutral")]
)
def test_the_thresholds_are_vaders_own(compound: float, label: str) -> None:
    assert opinion(compound).label == label


def test_the_model_is_named_after_the_package() -> None:
    assert str(VADER.model) == "vader-3.3.2"


@pytest.mark.parametrize("text", ["n/a", "-", "Kein Kommentar."])
def test_a_non_answer_has_no_label_and_no_score(text: str) -> None:
    score = one(text)
    assert (score.label, score.score, score.flags) == (None, None, ("non_answer",))
    assert score.taxonomy == 0, "no taxonomy was given"


def test_a_long_text_is_truncated_and_flagged() -> None:
    scorer, text = FailsOn(), "good but bad " * 1000
    (score,) = score_comments(scorer, [Comment(text, None)])
    assert isinstance(score, Score)
    assert score.flags == ("truncated",)
    assert score.text_hash == text_hash(text)
    assert scorer.calls == [[text[:LONGEST]]]


@pytest.mark.timing
def test_every_text_is_scored_in_two_seconds() -> None:
    began = time.perf_counter()
    one("meh but " * 125_000)
    assert time.perf_counter() - began < 2


@given(st.lists(st.text(max_size=80), max_size=8))
def test_every_text_gets_one_deterministic_score(texts: list[str]) -> None:
    comments = [Comment(text, None) for text in texts]
    scores = score_comments(VADER, comments)
    assert [s.text_hash for s in scores if isinstance(s, Score)] == [text_hash(text) for text in texts]
    assert all(s.score is None or -1 <= s.score <= 1 for s in scores if isinstance(s, Score))
    assert scores == score_comments(VADER, comments) == [score_comments(VADER, [comment])[0] for comment in comments]


@pytest.mark.parametrize("poisonous", [{0}, {7}, {3, 4}, {0, 5, 9}])
def test_only_the_text_on_which_the_model_fails_is_unscorable(poisonous: set[int]) -> None:
    comments = [Comment("poison" if n in poisonous else f"text {n}", None) for n in range(10)]
    scores = score_comments(FailsOn("poison"), comments)
    assert {n for n, score in enumerate(scores) if isinstance(score, Unscorable)} == poisonous
    assert all(isinstance(score, Score) for n, score in enumerate(scores) if n not in poisonous)


def test_the_reason_quotes_nothing_of_the_text() -> None:
    assert score_comments(FailsOn("poison"), [Comment("poison", None)]) == [Unscorable("the model fails on a text: ValueError")]


@pytest.mark.parametrize("error", [ScorerUnavailable, MemoryError])
def test_an_unavailable_model_makes_no_text_unscorable(error: type[Exception]) -> None:
    with pytest.raises(ScorerUnavailable):
        score_comments(FailsOn("x", error=error), [Comment("a x", None), Comment("b", None)])


def test_a_model_that_becomes_unavailable_during_halving_raises_scorer_away_with_its_delay() -> None:
    class Leaving(FailsOn):
        def score(self, texts: Sequence[str]) -> list[Opinion]:
            if PROBE in texts:
                raise ScorerUnavailable("busy", 17.0)
            return super().score(texts)

    with pytest.raises(ScorerUnavailable) as caught:
        score_comments(Leaving("x"), [Comment("a x", None)])
    assert caught.value.retry_after == 17.0


def test_a_model_that_fails_on_the_probe_is_unavailable() -> None:
    with pytest.raises(ScorerUnavailable):
        score_comments(FailsOn("e", PROBE), [Comment("fine", None)])


def test_a_model_with_too_few_opinions_is_unavailable() -> None:
    class Lazy(FailsOn):
        def score(self, texts: Sequence[str]) -> list[Opinion]:
            return []

    with pytest.raises(ScorerUnavailable):
        score_comments(Lazy(), [Comment("fine", None)])


# --- before the model, and around it ----------------------------------------------------------------------------------------
def test_without_texts_for_the_model_it_is_not_called() -> None:
    scorer = FailsOn()
    scores = score_comments(scorer, [Comment(text, None) for text in ("0/10", "👎", "n/a")])
    assert [score.label for score in scores if isinstance(score, Score)] == ["negative", "negative", None]
    assert scorer.calls == []


def test_the_model_reads_only_texts_that_no_rule_decides() -> None:
    scorer = FailsOn()
    scores = score_comments(scorer, [Comment(text, None) for text in ("0/10", "👎", "n/a", "It came on Monday", "5 Sterne")])
    assert [score.label for score in scores if isinstance(score, Score)] == ["negative", "negative", None, "positive", "positive"]
    assert scorer.calls == [["It came on Monday"]]


def test_urgency_does_not_depend_on_the_rule_or_the_model() -> None:
    assert one("The charger caught fire on my desk").urgency == ("safety",)
    assert one("0/10, I will sue you").urgency == ("legal_threat",)
    assert one("Very friendly, thank you").urgency == one("n/a").urgency == ()


def test_urgency_is_looked_for_in_the_characters_that_a_model_reads() -> None:
    assert one("so so. " * LONGEST + "I will sue you").urgency == ()


def test_the_language_is_detected_unless_it_is_stated() -> None:
    assert one("Das Paket kam zwei Wochen zu spät und niemand hat geantwortet").language == "de"
    assert one("Das Paket kam zwei Wochen zu spät und niemand hat geantwortet", "de-AT").language == "de-AT"
    assert one("ok").language is None


def test_a_language_that_is_not_served_is_flagged() -> None:
    assert one("Paczka przyszła uszkodzona i nikt nie odpowiada na moje wiadomości").flags == ("unsupported_language",)
    assert one("Bra", "sv").flags == ("unsupported_language",)
    assert one("Leider zu spät", "de").flags == ()

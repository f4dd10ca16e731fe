"""The shadow report: labels of two models side by side, and KPIs with either."""

import pytest

from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.shadow import COMPARED, Confusion, Pair, Verdict, estimates, pairs, scored, selectors
from services.metrics.domain.view import view
from shared.events import Override, Score, text_hash
from tests.unit.metrics.build import response, statement, words
from tests.unit.metrics.build import scored as score_by

OLD, NEW = "old-1", "new-1"
NEGATIVE: Verdict = ("negative", -0.5)
POSITIVE: Verdict = ("positive", 0.5)
NEUTRAL: Verdict = ("neutral", 0.0)
NO_LABEL: Verdict = (None, None)


def pair(promoted: Verdict, candidate: Verdict) -> Pair:
    (comment,) = view([response(words("so"))]).comments
    return Pair(comment, promoted, candidate)


def verdicts(scores: dict[tuple[str, str], Score], *overrides: Override) -> dict[str, tuple[Verdict, Verdict]]:
    """The verdicts of both models on the comments "great" and "n/a", by text."""
    statements = [response(words("great"), words("n/a", "q5")), *(statement(5 + n, body) for n, body in enumerate(overrides))]
    return {p.comment.text: (p.promoted, p.candidate) for p in pairs(view(statements), scores, OLD, NEW)}


# --- pairs ----------------------------------------------------------------------------------------------------------------
def test_each_comment_has_the_verdict_of_the_promoted_model_and_then_of_the_candidate() -> None:
    scores = score_by("great", 0.8, "positive", OLD) | score_by("great", -0.3, "negative", NEW)
    assert verdicts(scores) == {"great": (("positive", 0.8), ("negative", -0.3)), "n/a": (NO_LABEL, NO_LABEL)}


def test_a_model_that_did_not_score_a_comment_or_gave_no_label_has_no_verdict() -> None:
    scores = score_by("great", 0.8, "positive", NEW) | score_by("n/a", None, None, OLD)
    assert verdicts(scores) == {"great": (NO_LABEL, ("positive", 0.8)), "n/a": (NO_LABEL, NO_LABEL)}


def test_a_humans_label_replaces_that_of_both_models() -> None:
    scores = score_by("great", 0.8, "positive", OLD) | score_by("great", -0.3, "negative", NEW)
    override = Override(comment=text_hash("great"), label="neutral")
    assert verdicts(scores, override)["great"] == (NEUTRAL, NEUTRAL)


@pytest.mark.parametrize(
    ("promoted", "candidate", "both", "changed"),
    [
        (NEGATIVE, POSITIVE, True, True),
        (NEGATIVE, NEGATIVE, True, False),
        (NEGATIVE, ("negative", -0.9), True, False),
        (NO_LABEL, POSITIVE, False, False),
        (NEGATIVE, NO_LABEL, False, False),
        (NO_LABEL, NO_LABEL, False, False),
    ],
)
def test_a_label_changes_if_both_models_have_one_and_they_differ(
    promoted: Verdict, candidate: Verdict, both: bool, changed: bool
) -> None:
    compared = pair(promoted, candidate)
    assert (compared.both, compared.changed) == (both, changed)


# --- confusion ------------------------------------------------------------------------------------------------------------
def test_the_confusion_counts_by_the_promoted_label_then_by_the_candidates() -> None:
    confusion = Confusion()
    confusion.add([pair(NEGATIVE, POSITIVE), pair(NEGATIVE, POSITIVE), pair(NEUTRAL, NEUTRAL), pair(POSITIVE, NEUTRAL)])
    confusion.add([pair(NO_LABEL, POSITIVE), pair(NEGATIVE, NO_LABEL)])
    assert confusion.table == {
        "negative": {"negative": 0, "neutral": 0, "positive": 2},
        "neutral": {"negative": 0, "neutral": 1, "positive": 0},
        "positive": {"negative": 0, "neutral": 1, "positive": 0},
    }
    assert (confusion.n, confusion.changed, confusion.agreement) == (4, 3, 25.0)


def test_without_comments_there_is_no_agreement() -> None:
    assert (Confusion().n, Confusion().changed, Confusion().agreement) == (0, 0, None)


def test_equal_labels_agree_entirely() -> None:
    confusion = Confusion()
    confusion.add([pair(NEGATIVE, NEGATIVE), pair(POSITIVE, POSITIVE)])
    assert (confusion.changed, confusion.agreement) == (0, 100.0)


# --- histograms -----------------------------------------------------------------------------------------------------------
def histograms() -> dict[str, Histogram]:
    """Three comments: the old model labelled two and abstained from one, the new one labelled all."""
    return {
        "comments": count([(1, 1)] * 3),
        f"label:{OLD}": count([(1, 1), (-1, -1)]),
        f"sentiment:{OLD}": count([(16, 800), (-10, -500)]),
        f"abstained:{OLD}": count([(1, 1)]),
        f"label:{NEW}": count([(-1, -1), (-1, -1), (0, 0)]),
        f"sentiment:{NEW}": count([(-10, -500), (-20, -1000), (0, 0)]),
    }


def test_a_comparison_reads_the_comments_and_the_scores_of_both_models() -> None:
    assert set(selectors(OLD, NEW)) == {"comments"} | {
        f"{family}:{model}" for family in ("label", "sentiment", "abstained") for model in (OLD, NEW)
    }


def test_a_comment_without_a_label_counts_as_scored() -> None:
    assert (scored(histograms(), OLD), scored(histograms(), NEW), scored(histograms(), "other")) == (3, 3, 0)


def test_the_kpis_are_those_of_the_given_model() -> None:
    assert [kpi for kpi, _ in COMPARED] == ["sentiment", "net_sentiment", *["sentiment_share"] * 3]
    assert [agg for _, agg in COMPARED] == ["", "", "positive", "neutral", "negative"]
    assert [estimate.value for estimate in estimates(histograms(), OLD)] == pytest.approx([0.15, 0, 50, 0, 50])
    assert [estimate.value for estimate in estimates(histograms(), NEW)] == pytest.approx([-0.5, -200 / 3, 0, 100 / 3, 200 / 3])
    assert [estimate.n for estimate in estimates(histograms(), NEW)] == [3] * 5
    assert [estimate.value for estimate in estimates({}, NEW)] == [None] * 5

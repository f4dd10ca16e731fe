"""The contributions of scored comments: labels, scores, themes and urgency, of the model or of a human."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from msgspec.structs import replace

from services.metrics.domain.contributions import Contribution
from shared.events import UNSUPPORTED_LANGUAGE, Event, Label, Override, Score, Spam, ThemeScore, text_hash
from tests.unit.metrics import strategies
from tests.unit.metrics.build import MODEL, at, opened, response, rows, scored, statement, ticket, words

TEXT = "late and dear"
THEMES = (ThemeScore("delivery", -0.8), ThemeScore("price", -0.5))


def override(label: Label | None = None, *themes: str) -> Event:
    return statement(2, Override(comment=text_hash(TEXT), label=label, themes=themes))


def of_families(contributions: list[Contribution]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The themes and the urgency of each family of the model."""
    return {c.measure.removesuffix(f":{MODEL}"): (c.themes, c.urgency) for c in contributions if c.measure.endswith(MODEL)}


def test_rows_of_a_score_have_its_themes_and_urgency_sorted() -> None:
    scores = scored(TEXT, -0.7, "negative", themes=THEMES[::-1], urgency=("outage", "cancellation"))
    of_comment = rows(response(words(TEXT)), scores=scores)
    values = (("delivery", "price"), ("cancellation", "outage"))
    assert of_families(of_comment) == {"label": values, "sentiment": values, "urgent": values}


def test_rows_without_a_model_have_no_themes() -> None:
    scores = scored(TEXT, -0.7, "negative", themes=THEMES, urgency=("outage",))
    without = [c for c in rows(response(words(TEXT)), scores=scores) if c.measure in ("comments", "responses")]
    assert [(c.themes, c.urgency) for c in without] == [((), ()), ((), ())]


def test_each_model_has_the_themes_of_its_own_scores() -> None:
    scores = scored(TEXT, 0.1, "neutral", themes=THEMES[:1]) | scored(TEXT, 0.1, "neutral", "e5-4", themes=THEMES[1:])
    by_measure = {c.measure: c.themes for c in rows(response(words(TEXT)), scores=scores)}
    assert by_measure[f"label:{MODEL}"] == ("delivery",)
    assert by_measure["label:e5-4"] == ("price",)


@pytest.mark.parametrize("fields", [{"label": None, "score": None}, {"flags": (UNSUPPORTED_LANGUAGE,)}])
def test_a_comment_without_a_sentiment_counts_by_theme_and_urgency(fields: Mapping[str, object]) -> None:
    (score,) = scored(TEXT, 0.4, "positive", themes=THEMES[:1], urgency=("safety",)).values()
    scores = {(MODEL, score.text_hash): replace(score, **fields)}
    values = (("delivery",), ("safety",))
    assert of_families(rows(response(words(TEXT)), scores=scores)) == {"abstained": values, "urgent": values}


def test_a_comment_without_a_reason_is_not_urgent() -> None:
    assert "urgent" not in of_families(rows(response(words(TEXT)), scores=scored(TEXT, 0.4, "positive")))


def test_a_humans_themes_replace_the_models_and_none_leave_them() -> None:
    scores = scored(TEXT, -0.7, "negative", themes=THEMES, urgency=("outage",))
    replaced = rows(response(words(TEXT)), override(None, "returns", "price", "price"), scores=scores)
    assert of_families(replaced)["label"] == (("price", "returns"), ("outage",))
    unchanged = rows(response(words(TEXT)), override("positive"), scores=scores)
    assert of_families(unchanged)["label"] == (("delivery", "price"), ("outage",))


def test_a_humans_label_gives_a_comment_without_a_sentiment_one() -> None:
    scores = scored(TEXT, None, None, themes=THEMES[:1])
    judged = rows(response(words(TEXT)), override("negative"), scores=scores)
    assert of_families(judged) == {"label": (("delivery",), ()), "sentiment": (("delivery",), ())}


def test_themes_are_compared_in_nfc() -> None:
    scores = scored(TEXT, 0.1, "neutral", themes=(ThemeScore("caf\u00e9", 0.1), ThemeScore("cafe\u0301", 0.2)))
    assert of_families(rows(response(words(TEXT)), scores=scores))["label"][0] == ("caf\u00e9",)


def test_comments_of_tickets_have_themes_and_a_dropped_ticket_has_no_comments() -> None:
    scores = scored(TEXT, -0.7, "negative", themes=THEMES, urgency=("outage",))
    assert of_families(rows(ticket(opened(text=TEXT)), scores=scores))["urgent"] == (("delivery", "price"), ("outage",))
    assert of_families(rows(ticket(opened(text=TEXT), Spam(at=at(1))), scores=scores)) == {}


def test_a_row_is_in_the_group_of_each_value_or_in_the_group_without() -> None:
    (row,) = (c for c in rows(response(words(TEXT), dimensions={"team": "billing"})) if c.measure == "comments")
    assert (row.values("theme"), row.values("urgency"), row.values("team")) == ((None,), (None,), ("billing",))
    scores = scored(TEXT, -0.7, "negative", themes=THEMES)
    (row,) = (c for c in rows(response(words(TEXT)), scores=scores) if c.measure.startswith("label"))
    assert (row.values("theme"), row.values("urgency"), row.values("team")) == (("delivery", "price"), (None,), (None,))


@given(strategies.of_response | strategies.of_review | strategies.of_ticket, strategies.scores)
def test_every_scored_comment_has_one_label_or_one_abstention(events: list[Event], scores: dict[tuple[str, str], Score]) -> None:
    contributions = rows(*events, scores=scores)
    for model in {model for model, _ in scores}:
        count = Counter(c.measure.removesuffix(f":{model}") for c in contributions)
        assert count["label"] == count["sentiment"]
        assert count["label"] + count["abstained"] <= count["comments"]

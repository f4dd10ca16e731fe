"""The table of measures describes every contribution, and which KPIs a change may affect follows from it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.changes import KINDS, kind_of, kinds_of, kpis_of
from services.metrics.domain.contributions import contributions
from services.metrics.domain.durations import bin_of
from services.metrics.domain.estimator import Estimator
from services.metrics.domain.estimators import count
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.measure import Kind, shared_dimensions
from services.metrics.domain.measures import COMMENTS, CSAT, EQUAL_BIN_FAMILIES, MEASURES, NPS, SENTIMENT, measure_of
from services.metrics.domain.ticket_measures import BACKLOG, FIRST_REPLY
from services.metrics.domain.view import view
from shared.events import DIMENSIONS, Event, Score
from tests.unit.metrics import strategies

BINS_OF_AMOUNT: dict[str, Callable[[int], int]] = {
    "count": lambda amount: 1,
    "flag": lambda amount: int(amount > 0),
    "rating": lambda amount: amount,
    "label": lambda amount: amount,
    "kind": lambda amount: amount,
    "duration": bin_of,
    "number": bin_of,
    "level": lambda amount: 1 if amount > 0 else -1,
    "policy": lambda amount: amount,
}


@given(strategies.of_response | strategies.of_review | strategies.of_ticket, strategies.scores)
def test_every_contribution_has_a_measure_of_the_table_and_its_bins(
    events: list[Event], scores: dict[tuple[str, str], Score]
) -> None:
    for row in contributions(view(events), scores):
        measure = measure_of(row.measure)
        assert (":" in row.measure) is (measure.qualifier is not None)
        if measure.bins == "sentiment":
            assert -20 <= row.bin <= 20
        elif measure.bins == "age":
            assert row.bin * row.amount > 0
        else:
            assert row.bin == BINS_OF_AMOUNT[measure.bins](row.amount)
        assert measure.family not in EQUAL_BIN_FAMILIES or row.bin == row.amount


@given(strategies.scores.filter(bool), strategies.of_response | strategies.of_review | strategies.of_ticket)
def test_a_score_changes_only_measures_that_the_table_says(scores: dict[tuple[str, str], Score], events: list[Event]) -> None:
    before, after = contributions(view(events), {}), contributions(view(events), scores)
    assert all("score" in measure_of(row.measure).changed_by for row in after if row not in before)


@pytest.mark.parametrize("kind", ["response", "review", "ticket"])
@given(data=st.data())
def test_an_event_changes_only_measures_that_the_table_says(kind: Kind, data: st.DataObject) -> None:
    of_kind = {"response": strategies.of_response, "review": strategies.of_review, "ticket": strategies.of_ticket}[kind]
    rows = contributions(view(data.draw(of_kind)), data.draw(strategies.scores))
    assert all(kind in measure_of(row.measure).changed_by for row in rows)


def test_selectors_name_a_measure_a_family_a_model_or_an_event() -> None:
    assert NPS.selector("answered", "e5-2") == "nps"
    assert CSAT.selector("rated", "e5-2") == "csat:"
    assert SENTIMENT.selector("commented", "e5-2") == "sentiment:e5-2"
    assert FIRST_REPLY.selector("created", "e5-2") == "first_reply:created"


def test_only_measures_of_a_model_depend_on_the_promoted_one() -> None:
    of_comments, of_themes = {"sentiment", "label", "abstained", "urgent"}, {"theme_nps", "theme_csat"}
    assert {measure.family for measure in MEASURES.values() if measure.by_model} == of_comments | of_themes


def test_a_measure_of_an_unknown_family_raises() -> None:
    with pytest.raises(KeyError):
        measure_of("karma:1")


def test_a_kpi_has_the_dimensions_that_all_its_measures_have() -> None:
    assert shared_dimensions([NPS, CSAT]) == DIMENSIONS
    assert KPIS["nps"].dimensions == DIMENSIONS
    assert KPIS["sentiment_coverage"].dimensions == DIMENSIONS
    assert KPIS["theme_volume"].dimensions == KPIS["sentiment"].dimensions == (*DIMENSIONS, "theme", "urgency")


def test_a_kpi_of_measures_with_different_events_is_filed_by_each_event() -> None:
    assert KPIS["resolution_rate"].filed_by == ("event",)
    assert KPIS["sentiment_coverage"].filed_by == ("commented",)
    assert KPIS["first_reply_time"].filed_by == ("replied", "created")


def test_the_latest_answer_of_a_respondent_is_defined_for_kpis_of_one_such_measure() -> None:
    per_respondent = {kpi.id for kpi in KPIS.values() if kpi.per_respondent}
    assert per_respondent == {
        "nps", "csat", "csat_mean", "ces", "ces_mean", "ces_index", "stars", "stars_share", "comment_rate", "sentiment",
        "net_sentiment", "sentiment_share", "theme_sentiment",
    }  # fmt: skip


def test_only_numbers_of_open_tickets_have_a_value_at_an_instant() -> None:
    assert [kpi.id for kpi in KPIS.values() if kpi.instant] == ["backlog", "backlog_age", "sla_breached_open"]
    assert BACKLOG.bins == "level"


# --- changes --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("c1/response/r-1", "response"),
        ("c1/review/r/with/slashes", "review"),
        ("c1/ticket/T-9", "ticket"),
        ("c1/call/1", "other"),
        ("c1/score/1", "other"),
        ("c1/ticket", "other"),
        ("ticket", "other"),
    ],
)
def test_the_kind_of_an_event_is_the_type_of_its_subject(subject: str, kind: Kind) -> None:
    assert kind_of(subject) == kind


def test_a_score_may_change_the_kpis_of_comments_and_other_changes_any() -> None:
    of_comments = {"net_sentiment", "sentiment", "sentiment_coverage", "sentiment_share"}
    of_themes = {"theme_impact", "theme_sentiment", "theme_volume", "urgent_comments"}
    assert kpis_of(["score"]) == tuple(sorted(of_comments | of_themes))
    assert kpis_of(["other"]) == tuple(sorted(KPIS))
    assert kpis_of([]) == ()


def test_the_kinds_of_a_kpi_are_those_of_its_measures_and_other() -> None:
    assert kinds_of(KPIS["nps"]) == ["response", "review", "other"]
    assert kinds_of(KPIS["backlog"]) == ["ticket", "other"]
    assert kinds_of(KPIS["csat"]) == ["response", "review", "ticket", "other"]
    assert kinds_of(None) == list(KINDS)
    kpi = Kpi(
        id="both", name="", formula="", unit="", direction="", population="", estimator=Estimator((NPS, COMMENTS), count(NPS))
    )
    assert kinds_of(kpi) == list(KINDS)

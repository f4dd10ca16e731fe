"""The queries of a verification: each pair of choices that can meet does, in far fewer queries than all combinations."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from services.metrics.domain.kpis import KPIS
from services.metrics.domain.presets import CHATWOOT, DBT_ZENDESK, ZENDESK
from services.metrics.domain.query import Filter, Query
from services.metrics.domain.windows import Between
from services.metrics.verify.battery import (
    OTHER_ZONE,
    SPANS,
    battery,
    full_battery,
    impact_queries,
    parameters_of,
    preset_queries,
)
from services.metrics.verify.verification import StackVerification

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
COMMON = {((), ()), (("team",), ()), (("channel",), ()), (("source",), ()), (("team", "channel"), ())}
OF_COMMENTS = {
    (("theme",), ()),
    (("urgency",), ()),
    (("theme", "team"), ()),
    ((), (Filter("theme", (None,)),)),
    ((), (Filter("theme", (), (None,)),)),
    ((), (Filter("urgency", (None,)),)),
}
OF_PLANS = {
    (("plan",), ()),
    (("team", "plan"), ()),
    ((), (Filter("plan", (None,)),)),
    ((), (Filter("plan", (), (None,)),)),
}


def variant_of(query: Query) -> tuple[str, str, bool]:
    return query.kpi.id, query.filed_by, query.business_hours


def span_of(query: Query) -> tuple[timedelta, str | None]:
    assert isinstance(query.window, Between)
    assert query.window.end == NOW
    return query.window.end - query.window.start, query.grain


def selection_of(query: Query) -> tuple[tuple[str, ...], tuple[Filter, ...]]:
    return query.group_by, query.filters


def expected_variants() -> set[tuple[str, str, bool]]:
    """All KPIs but impacts of themes, which have queries of their own."""
    plain = {(kpi.id, event, False) for kpi in KPIS.values() if not kpi.impacts for event in kpi.filed_by}
    business = {(kpi.id, event, True) for kpi in KPIS.values() if kpi.hours for event in kpi.in_business_hours.filed_by}
    assert business
    return plain | business


@pytest.mark.parametrize("own", [(), ("plan",)])
def test_each_kpi_however_computed_meets_each_window_each_selection_and_both_zones(own: tuple[str, ...]) -> None:
    queries = list(battery(NOW, BERLIN, own))
    of_own = OF_PLANS if own else set()
    assert {variant_of(query) for query in queries} == expected_variants()
    for variant in expected_variants():
        of_variant = [query for query in queries if variant_of(query) == variant]
        of_comments = OF_COMMENTS if "theme" in of_variant[0].kpi.dimensions else set()
        assert {span_of(query) for query in of_variant} == set(SPANS), variant
        assert {selection_of(query) for query in of_variant} == COMMON | of_comments | of_own, variant
        assert {query.zone for query in of_variant} == {BERLIN, OTHER_ZONE}, variant


@pytest.mark.parametrize("own", [(), ("plan",)])
def test_each_window_meets_each_selection_and_each_zone(own: tuple[str, ...]) -> None:
    queries = list(battery(NOW, BERLIN, own))
    selections = COMMON | OF_COMMENTS | (OF_PLANS if own else set())
    assert {(span_of(query), selection_of(query)) for query in queries} == set(product(SPANS, selections))
    assert {(span_of(query), query.zone) for query in queries} == set(product(SPANS, (BERLIN, OTHER_ZONE)))
    assert {(selection_of(query), query.zone) for query in queries} == set(product(selections, (BERLIN, OTHER_ZONE)))


def test_it_has_less_than_a_sixth_of_all_combinations() -> None:
    combinations = sum(
        len(SPANS) * 2 * len(COMMON | (OF_COMMENTS if "theme" in KPIS[kpi].dimensions else set()))
        for kpi, *_ in expected_variants()
    )
    assert len(list(battery(NOW, BERLIN))) < combinations / 6


def test_the_parameters_of_a_query_say_all_of_its_choices() -> None:
    query = next(query for query in battery(NOW, BERLIN) if query.business_hours and query.grain and query.group_by)
    assert parameters_of(query) == {
        "from": (NOW - span_of(query)[0]).isoformat(),
        "to": NOW.isoformat(),
        "tz": query.zone.key if query.zone else "",
        "filed_by": query.filed_by,
        "grain": query.grain,
        "group_by": ",".join(query.group_by),
        "hours": "business",
    }
    filters = {tuple(parameters_of(query).items()) for query in battery(NOW, BERLIN) if query.filters}
    assert {pair for parameters in filters for pair in parameters if pair[0].startswith("filter")} == {
        ("filter[theme]", "null"),
        ("filter[theme]", "!null"),
        ("filter[urgency]", "null"),
    }


def test_a_preset_has_a_query_of_each_kpi_that_it_changes() -> None:
    assert [(query.kpi.id, query.preset, query.business_hours) for query in preset_queries((CHATWOOT,), NOW, BERLIN)] == [
        ("first_reply_time", "chatwoot", False),
        ("first_reply_time", "chatwoot", True),
        ("full_resolution_time", "chatwoot", False),
        ("full_resolution_time", "chatwoot", True),
    ]
    of_zendesk = {(query.kpi.id, query.business_hours) for query in preset_queries((ZENDESK,), NOW, BERLIN)}
    assert {("one_touch_rate", False), ("sla_first_reply", False), ("first_reply_time", True)} <= of_zendesk
    assert ("first_reply_time", False) not in of_zendesk
    everything = {query.kpi.id for query in preset_queries((DBT_ZENDESK,), NOW, BERLIN)}
    assert everything == {kpi.id for kpi in KPIS.values() if kpi.is_of_tickets} - {"tickets_dropped"}


def test_impacts_of_themes_on_each_kpi_are_by_theme_and_of_the_whole_with_buckets_in_both_zones() -> None:
    queries = list(impact_queries(NOW, BERLIN))
    assert {(query.agg, query.kpi.whole.family if query.kpi.whole else None) for query in queries} == {
        (agg, agg) for agg in KPIS["theme_impact"].aggregations
    }
    for agg in KPIS["theme_impact"].aggregations:
        of_kpi = [query for query in queries if query.agg == agg]
        assert {"theme" in query.group_by for query in of_kpi} == {True, False}, agg
        assert {bool(query.grain) for query in of_kpi} == {True, False}, agg
        assert {query.zone for query in of_kpi} == {BERLIN, OTHER_ZONE}, agg
    assert [parameters_of(query)["agg"] for query in queries] == [query.agg for query in queries]


def test_a_verification_compares_the_battery_and_the_impacts() -> None:
    expected = [(query.kpi.id, parameters_of(query)) for query in (*battery(NOW, BERLIN), *impact_queries(NOW, BERLIN))]
    assert [(query.kpi.id, parameters_of(query)) for query in full_battery(NOW, BERLIN)] == expected
    assert {field.default for field in fields(StackVerification) if field.name == "battery"} == {full_battery}
    assert "theme_impact" in {kpi for kpi, _ in expected}

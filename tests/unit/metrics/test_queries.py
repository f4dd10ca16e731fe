"""Parsing the parameters of a KPI query."""

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.api.filters import filter_text, parse_filter
from services.metrics.api.parameters import KpiParameters, WindowParameters
from services.metrics.api.queries import parse_bound, parse_comparison, parse_query, parse_window, parse_zone
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.query import Comparison, Filter, Query
from services.metrics.domain.windows import BadQuery, Between
from shared.text import nfc


def utc(*date: int) -> datetime:
    return datetime(*date, tzinfo=UTC)  # type: ignore[arg-type]


def query(kpi: str = "nps", filters: dict[str, str] | None = None, **parameters: Any) -> Query:
    parsed = KpiParameters(**parameters)
    return parse_query(KPIS[kpi], parsed, filters or {}, parsed.compare)


def test_a_query_without_parameters_has_the_defaults() -> None:
    assert query() == Query(kpi=KPIS["nps"], window="30d", filed_by="answered")


def test_every_parameter_becomes_a_part_of_the_query() -> None:
    assert query(
        "first_reply_time",
        {"team": "billing"},
        window="last_week",
        tz="Europe/Berlin",
        grain="P1D",
        week_start="sunday",
        group_by=["team", "channel"],
        agg="p90",
        hours="business",
        filed_by="created",
        compare=["previous", "previous"],
    ) == Query(
        kpi=KPIS["first_reply_time"].in_business_hours,
        window="last_week",
        zone=ZoneInfo("Europe/Berlin"),
        grain="P1D",
        week_start="sunday",
        filed_by="created",
        group_by=("team", "channel"),
        filters=(Filter("team", ("billing",)),),
        compare=(Comparison("previous", "previous"),),
        agg="p90",
        business_hours=True,
    )
    assert query(per="respondent").per_respondent
    assert not query("first_reply_time", hours="calendar").business_hours
    assert query(group_by=["team,channel"]).group_by == ("team", "channel")


@pytest.mark.parametrize(
    ("kpi", "parameters", "name"),
    [
        ("nps", {"grain": "P2W"}, "grain"),
        ("nps", {"week_start": "friday"}, "week_start"),
        ("nps", {"tz": "Mars/Olympus"}, "tz"),
        ("nps", {"agg": "p50"}, "agg"),
        ("first_reply_time", {"agg": "p99"}, "agg"),
        ("nps", {"hours": "business"}, "hours"),
        ("first_reply_time", {"hours": "happy"}, "hours"),
        ("nps", {"filed_by": "moon"}, "filed_by"),
        ("nps", {"per": "customer"}, "per"),
        ("backlog", {"per": "respondent"}, "per"),
        ("sentiment_coverage", {"per": "respondent"}, "per"),
        ("nps", {"at": "2026-11-01T00:00:00Z"}, "at"),
        ("backlog", {"at": "now"}, "at"),
        ("backlog", {"at": "2026-11-01T00:00:00Z", "window": "24h"}, "window"),
        ("backlog", {"at": "2026-11-01T00:00:00Z", "grain": "P1D"}, "grain"),
        ("backlog", {"at": "2026-11-01T00:00:00Z", "compare": ["previous"]}, "compare"),
        ("nps", {"group_by": ["Mood"]}, "group_by"),
        ("nps", {"group_by": ["theme"]}, "group_by"),
        ("nps", {"group_by": [""]}, "group_by"),
        ("nps", {"group_by": ["team", "team"]}, "group_by"),
        ("nps", {"group_by": ["team,agent,region"]}, "group_by"),
        ("nps", {"filters": {"Mood": "good"}}, "filter[Mood]"),
        ("nps", {"filters": {"theme": "price"}}, "filter[theme]"),
        ("nps", {"filters": {"m" * 41: "good"}}, f"filter[{'m' * 41}]"),
        ("nps", {"compare": ["yesteryear"]}, "compare"),
        ("nps", {"compare": [f"2026-01-01T00:00:00Z/2026-02-0{day}T00:00:00Z" for day in range(1, 5)]}, "compare"),
    ],
)
def test_an_invalid_parameter_is_refused_by_its_name(kpi: str, parameters: dict[str, Any], name: str) -> None:
    with pytest.raises(BadQuery) as caught:
        query(kpi, **parameters)
    assert caught.value.name == name
    assert caught.value.reason


def test_a_name_that_a_tenant_can_give_a_dimension_of_its_own_is_parsed() -> None:
    parsed = query("nps", {"plan": r"pro,!a\,b,null"}, group_by=["plan,team"])
    assert parsed.group_by == ("plan", "team")
    assert parsed.filters == (Filter("plan", ("pro", None), ("a,b",)),)


def test_a_value_at_an_instant_has_no_window() -> None:
    assert query("backlog", at="2026-11-01T00:00:00+01:00").at == utc(2026, 10, 31, 23)


# --- time -----------------------------------------------------------------------------------------------------------------
def test_from_and_to_are_instants_and_to_may_be_in_the_future() -> None:
    parameters = WindowParameters(from_="2026-11-01T00:00:00+01:00", to="2199-01-01t00:00:00.5z")
    assert parse_window(parameters) == Between(utc(2026, 10, 31, 23), datetime(2199, 1, 1, microsecond=500_000, tzinfo=UTC))


def test_from_and_to_may_be_dates() -> None:
    assert parse_window(WindowParameters(from_="2026-11-01", to="2026-12-01")) == Between(date(2026, 11, 1), date(2026, 12, 1))
    mixed = WindowParameters(from_="2026-11-01", to="2026-11-01T12:00:00Z")
    assert parse_window(mixed) == Between(date(2026, 11, 1), utc(2026, 11, 1, 12))
    assert parse_comparison("2026-10-01/2026-11-01") == Between(date(2026, 10, 1), date(2026, 11, 1))
    assert query("backlog", at="2026-11-01").at == date(2026, 11, 1)


@pytest.mark.parametrize("name", ["1m", "15m", "36h", "14d", "3660d", "87840h", "last_quarter"])
def test_a_window_is_any_number_of_minutes_hours_or_days_or_a_unit_of_the_calendar(name: str) -> None:
    assert parse_window(WindowParameters(window=name)) == name


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"window": "5y"}, "window"),
        ({"window": ""}, "window"),
        ({"window": "7d", "from_": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}, "window"),
        ({"from_": "2026-11-01T00:00:00Z"}, "to"),
        ({"to": "2026-11-01T00:00:00Z"}, "from"),
        ({"from_": "2026-11-02T00:00:00Z", "to": "2026-11-02T00:00:00Z"}, "from"),
        ({"from_": "2026-11-03T00:00:00Z", "to": "2026-11-02T00:00:00Z"}, "from"),
        ({"window": "0d"}, "window"),
        ({"window": "07d"}, "window"),
        ({"window": "3661d"}, "window"),
        ({"window": "87841h"}, "window"),
        ({"window": "99999999d"}, "window"),
        ({"window": "2w"}, "window"),
        ({"from_": "2026-11-02", "to": "2026-11-02"}, "from"),
        ({"from_": "2026-11-01", "to": "2026-11-31"}, "to"),
        ({"from_": "2026-11-1", "to": "2026-11-30"}, "from"),
        ({"from_": "1969-12-31", "to": "2026-11-30"}, "from"),
        ({"from_": "2026-11-30", "to": "2200-01-02"}, "to"),
        ({"from_": "2026-11-01T00:00:00", "to": "2026-11-02T00:00:00Z"}, "from"),
        ({"from_": "2026-11-01T00:00:00 01:00", "to": "2026-11-02T00:00:00Z"}, "from"),
        ({"from_": "2026-02-30T00:00:00Z", "to": "2026-11-02T00:00:00Z"}, "from"),
        ({"from_": "2026-11-01T00:00:00Z", "to": "9999-12-31T23:59:59-23:59"}, "to"),
        ({"from_": "0001-01-01T00:00:00+23:59", "to": "2026-11-02T00:00:00Z"}, "from"),
        ({"from_": "1969-12-31T23:59:59Z", "to": "2026-11-02T00:00:00Z"}, "from"),
        ({"from_": "2026-11-01T00:00:00Z", "to": "2200-01-01T00:00:01Z"}, "to"),
        ({"from_": "٢٠٢٦-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}, "from"),
    ],
)
def test_an_invalid_window_is_refused_by_the_name_of_the_parameter(parameters: dict[str, str], name: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse_window(WindowParameters(**parameters))
    assert caught.value.name == name
    assert caught.value.reason


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime", "Europe", "Europe/Berlin\0", "x" * 5000]
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(BadQuery, match="tz"):
        parse_zone(name)


def test_a_comparison_is_a_name_or_two_instants() -> None:
    assert parse_comparison("previous") == "previous"
    assert parse_comparison("previous_year") == "previous_year"
    assert parse_comparison("2026-01-01T00:00:00Z/2026-02-01T00:00:00Z") == Between(utc(2026, 1, 1), utc(2026, 2, 1))


@pytest.mark.parametrize("text", ["next", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z/2026-01-01T00:00:00Z", "a/b", ""])
def test_an_invalid_comparison_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match="compare"):
        parse_comparison(text)


@given(st.text(max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for parse in (
        lambda value: parse_bound("at", value),
        lambda value: parse_window(WindowParameters(window=value)),
        lambda value: parse_filter(KPIS["nps"], "team", value),
        parse_comparison,
        parse_zone,
    ):
        with suppress(BadQuery):
            parse(text)


# --- filters --------------------------------------------------------------------------------------------------------------
def written(value: str | None) -> str:
    """A value of a filter as docs/queries.md says to write it."""
    if value is None:
        return "null"
    if value == "null":
        return "\\null"
    return "".join(f"\\{character}" if character in "\\,!" else character for character in value)


@pytest.mark.parametrize(
    ("text", "include", "exclude"),
    [
        ("a", ("a",), ()),
        ("a,b", ("a", "b"), ()),
        ("!a,b", ("b",), ("a",)),
        (r"Smith\, John", ("Smith, John",), ()),
        (r"\!important", ("!important",), ()),
        (r"!\!important", (), ("!important",)),
        ("null", (None,), ()),
        ("!null", (), (None,)),
        (r"\null", ("null",), ()),
        (r"!\null", (), ("null",)),
        (r"\\null", (r"\null",), ()),
        (r"a\\,b", ("a\\", "b"), ()),
        (r"a\\\,b", (r"a\,b",), ()),
        ("a!b", ("a!b",), ()),
        ("!!a", (), ("!a",)),
        (r"DOMAIN\user", (r"DOMAIN\user",), ()),
        ("a\\", ("a\\",), ()),
        ("NULL", ("NULL",), ()),
        ("a, b", ("a", " b"), ()),
        ("Cafe\u0301,!Cafe\u0301", ("Caf\u00e9",), ("Caf\u00e9",)),
    ],
)
def test_a_filter_is_parsed_as_documented(text: str, include: tuple[str | None, ...], exclude: tuple[str | None, ...]) -> None:
    assert parse_filter(KPIS["nps"], "team", text) == Filter("team", include, exclude)


@pytest.mark.parametrize("text", ["", "!", "a,", ",a", "a,,b", "a,!", "a\0b"])
def test_an_empty_value_or_nul_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match=r"filter\[team\]: holds an empty value"):
        parse_filter(KPIS["nps"], "team", text)


values = st.none() | st.text(st.sampled_from("\\,!anul é"), min_size=1) | st.sampled_from(["null", "\\null", "!", ",", "\\"])


@given(st.lists(st.tuples(values, st.booleans()), min_size=1))
def test_any_value_can_be_written_with_escapes(named: list[tuple[str | None, bool]]) -> None:
    text = ",".join(f"{'!' if excluded else ''}{written(value)}" for value, excluded in named)
    normal = [(value if value is None else nfc(value), excluded) for value, excluded in named]
    assert parse_filter(KPIS["nps"], "team", text) == Filter(
        "team",
        tuple(value for value, excluded in normal if not excluded),
        tuple(value for value, excluded in normal if excluded),
    )


@given(st.lists(values, max_size=3, unique=True), st.lists(values, max_size=3, unique=True))
def test_a_filter_is_written_as_it_is_read(included: list[str | None], excluded: list[str | None]) -> None:
    read = [tuple(value if value is None else nfc(value) for value in listed) for listed in (included, excluded)]
    if included or excluded:
        assert parse_filter(KPIS["nps"], "team", filter_text(Filter("team", *read))) == Filter("team", *read)

"""The reasons of refused queries: the allowed values, and the one that was probably meant."""

from typing import Any

import pytest

from services.metrics.api.parameters import KpiParameters, unknown_name
from services.metrics.domain.windows import BadQuery
from tests.unit.metrics.test_queries import query


@pytest.mark.parametrize(
    ("kpi", "parameters", "reason"),
    [
        ("nps", {"grain": "p1d"}, 'is not allowed; did you mean "P1D"? Allowed: PT15M, PT1H, P1D, P1W, P1M'),
        ("first_reply_time", {"agg": "P90"}, 'is not allowed; did you mean "p90"? Allowed: p50, p90, p95, mean'),
        ("nps", {"agg": "p50"}, "is not a parameter of this KPI"),
        ("nps", {"group_by": ["Team"]}, 'unknown dimension; did you mean "team"? Allowed: source, connection, '),
        ("nps", {"filters": {"Region": "DE"}}, 'unknown dimension; did you mean "region"? Allowed: source, connection, '),
        (
            "nps",
            {"window": "last_mont"},
            'is not a window; did you mean "last_month"? Allowed: a number of minutes, hours or days',
        ),
        ("nps", {"tz": "Europe/Berln"}, 'is not an IANA zone such as Europe/Berlin; did you mean "Europe/Berlin"?'),
        ("nps", {"tz": "europe/paris"}, 'is not an IANA zone such as Europe/Berlin; did you mean "Europe/Paris"?'),
        ("nps", {"window": "4000d"}, "is longer than 3660 days"),
        (
            "nps",
            {"compare": ["prevous"]},
            'is not a window; did you mean "previous"? Allowed: previous, previous_year, <from>/<to>',
        ),
        ("nps", {"from_": "yesterday", "to": "2026-11-01"}, "is neither a date such as 2026-11-20 nor an RFC 3339 time"),
    ],
)
def test_a_refusal_names_the_allowed_values_and_the_closest_one(kpi: str, parameters: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadQuery) as caught:
        query(kpi, **parameters)
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("window", "meant"),
    [
        ("2w", "14d"),
        ("7D", "7d"),
        (" 7d", "7d"),
        ("07d", "7d"),
        ("P7D", "7d"),
        ("PT24H", "24h"),
        ("30 days", "30d"),
        ("last_7_days", "7d"),
        ("90min", "90m"),
    ],
)
def test_a_length_in_another_form_is_refused_with_the_window_that_it_states(window: str, meant: str) -> None:
    with pytest.raises(BadQuery) as caught:
        query("nps", window=window)
    assert caught.value.reason.startswith(f'is not a window; did you mean "{meant}"? Allowed: a number of minutes, hours or days')


@pytest.mark.parametrize("window", ["0d", "P3M", "3 months", "1y", "9999w", "7", ""])
def test_a_length_that_no_window_states_gets_no_suggestion(window: str) -> None:
    with pytest.raises(BadQuery) as caught:
        query("nps", window=window)
    assert caught.value.reason.startswith("is not a window. Allowed: a number of minutes, hours or days")


def test_an_abbreviation_of_a_zone_gets_no_suggestion_of_another_one() -> None:
    with pytest.raises(BadQuery) as caught:
        query("nps", tz="CEST")
    assert caught.value.reason == "is not an IANA zone such as Europe/Berlin"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("filter", "team:billing", "is written filter[<dimension>]=<value>; did you mean filter[team]=billing?"),
        ("filter", "team = billing, EU", "is written filter[<dimension>]=<value>; did you mean filter[team]=billing, EU?"),
        ("filter", "billing", "is written filter[<dimension>]=<value>, such as filter[team]=billing"),
        ("team", "billing", "unknown parameter; did you mean filter[team]=billing?"),
        ("filter[team][]", "billing", "unknown parameter; did you mean filter[team]=billing?"),
        ("groupby", "team", 'unknown parameter; did you mean "group_by"? Allowed: window, from, to, '),
        ("format", "csv", "unknown parameter; the header Accept selects the format: text/csv, "),
        ("colour", "red", "unknown parameter. Allowed: window, from, to, "),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_one_that_was_probably_meant(name: str, value: str, reason: str) -> None:
    known = [field.alias or name for name, field in KpiParameters.model_fields.items()]
    assert unknown_name(name, value, known).startswith(reason)

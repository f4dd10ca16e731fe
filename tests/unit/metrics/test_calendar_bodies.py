"""Bodies of `PUT /v1/calendars/{id}`: how they are read, and why they are refused."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.metrics.api.calendars import CalendarBody, calendar_of
from services.metrics.domain.business_hours import Calendar, Holidays

CALENDAR: dict[str, Any] = {
    "name": "Office",
    "zone": "Europe/Berlin",
    "weekly": {"mon": [["13:00", "24:00"], ["09:00", "12:30"]]},
    "from": "2026-01-01",
}


def read(**change: Any) -> CalendarBody:
    return CalendarBody.model_validate_json(json.dumps(CALENDAR | change))


def test_a_body_becomes_a_version_with_sorted_hours_teams_and_days() -> None:
    closed = {"country": "DE", "extra": ["2026-12-31", "2026-12-24", "2026-12-24"]}
    assert calendar_of("main", read(holidays=closed, teams=["b", "a", "b"])) == Calendar(
        "main",
        "Office",
        "Europe/Berlin",
        date(2026, 1, 1),
        (((9 * 3600, 12 * 3600 + 1800), (13 * 3600, 24 * 3600)), (), (), (), (), (), ()),
        Holidays("DE", None, (date(2026, 12, 24), date(2026, 12, 31))),
        ("a", "b"),
    )


def test_names_of_teams_are_in_nfc_as_the_values_of_dimensions_are() -> None:
    assert read(teams=["Cafe\u0301"]).teams == ["Café"]


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"zone": "Europe/Berlinn"}, "zone", 'not an IANA zone such as Europe/Berlin; did you mean "Europe/Berlin"?'),
        ({"weekly": {"mon": [["9:00", "17:00"]]}}, "weekly", "mon: '9:00' is no time"),
        ({"weekly": {"mon": [["17:00", "09:00"]]}}, "weekly", "mon: 17:00–09:00 ends before it begins"),
        ({"weekly": {"tue": [["09:00", "12:00"], ["11:00", "13:00"]]}}, "weekly", "tue: intervals overlap"),
        ({"weekly": {"monday": []}}, "weekly.monday", ""),
        ({"holidays": {"country": "XX"}}, "holidays", "no holidays are known for the country 'XX'"),
        ({"holidays": {"country": "DE", "subdivision": "XX"}}, "holidays", "DE has no subdivision 'XX'"),
        ({"holidays": {"subdivision": "BE"}}, "holidays", "subdivision needs a country"),
        ({"holidays": {"extra": ["2026-02-30"]}}, "holidays.extra", ""),
        ({"teams": []}, "teams", ""),
        ({"from": "0001-01-01"}, "from", "between 1970 and 2100"),
        ({"from": "tomorrow"}, "from", ""),
        ({"name": ""}, "name", ""),
    ],
)
def test_a_refusal_names_the_field_and_the_reason(change: dict[str, Any], place: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(**change)
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])).startswith(place)
    assert reason in error["msg"]

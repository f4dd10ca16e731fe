"""The syntax of lengths, dates and instants in queries."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.windows import parse_length, parse_time


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1m", timedelta(minutes=1)),
        ("90m", timedelta(minutes=90)),
        ("36h", timedelta(hours=36)),
        ("14d", timedelta(days=14)),
        ("3660d", timedelta(days=3660)),
        ("3661d", None),
        ("9999999d", None),
        ("0d", None),
        ("07d", None),
        ("-1d", None),
        ("1.5h", None),
        ("7D", None),
        ("2w", None),
        ("٧d", None),
        ("7d\n", None),
        ("", None),
    ],
)
def test_a_length_is_a_number_of_minutes_hours_or_days_up_to_ten_years(text: str, length: timedelta | None) -> None:
    assert parse_length(text) == length


def test_a_time_is_a_date_or_an_instant() -> None:
    assert parse_time("2026-11-01") == date(2026, 11, 1)
    assert parse_time("2026-11-01T00:00:00+01:00") == datetime(2026, 10, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-02-30", "20261101", "2026-11-01T00:00:00", "2026-W44-1", "0000-01-01", "now", ""])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is (not|neither) "):
        parse_time(text)


@given(st.text(max_size=40))
def test_no_text_raises_another_error(text: str) -> None:
    parse_length(text)
    with suppress(ValueError):
        parse_time(text)

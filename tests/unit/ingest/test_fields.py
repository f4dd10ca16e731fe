"""Times as tools write them."""

from datetime import UTC, datetime

import pytest

from services.ingest.domain.fields import parse_time


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-20T09:14:03+01:00", datetime(2026, 11, 20, 8, 14, 3, tzinfo=UTC)),
        ("2026-05-20T14:00:00.123456789Z", datetime(2026, 5, 20, 14, 0, 0, 123456, tzinfo=UTC)),
        ("2026-05-20t14:00:00z", datetime(2026, 5, 20, 14, tzinfo=UTC)),
        ("2200-12-31T23:59:59Z", datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1990-01-01T00:00:00Z", datetime(1990, 1, 1, tzinfo=UTC)),
        ("2013-12-12T05:35Z", datetime(2013, 12, 12, 5, 35, tzinfo=UTC)),
        ("2026-03-29T02:30:00-00:00", datetime(2026, 3, 29, 2, 30, tzinfo=UTC)),
    ],
)
def test_an_rfc_3339_time_is_parsed_to_utc(text: str, instant: datetime) -> None:
    assert parse_time(text) == instant
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T09:14:03", "2026-11-20", "1700000000", "20261120T091403Z", "2026-11-20 09:14:03Z",
        "2026-02-30T00:00:00Z",
        "2026-11-20T24:00:01Z", "2026-11-20T09:14:03+25:00", "٢٠٢٦-11-20T09:14:03Z", "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "", " 2026-11-20T09:14:03Z", "2026-11-20T09:14:03Z\n", "2026-11-20T09:14:60Z", None, 1700000000, True,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"time|year|range|day|second|hour|offset|isoformat"):
        parse_time(text)

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.domain.etags import ResultKey, content_etag, document_etag, is_closed, is_valid, may_be_valid, result_etag

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MOMENT = timedelta(milliseconds=900)
SLIDING = ResultKey("acme", "Europe/Berlin", "/v1/kpis/nps", "window=24h", "application/json")
CLOSED = replace(SLIDING, query="from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00%2B01:00")


def test_the_tag_of_a_closed_window_is_valid_until_events_arrive() -> None:
    etag = result_etag(CLOSED, "r1", NOW)
    assert is_valid(etag, CLOSED, "r1", NOW + timedelta(days=300))
    assert not is_valid(etag, CLOSED, "r2", NOW)


def test_the_tag_of_a_sliding_window_is_valid_for_a_second() -> None:
    etag = result_etag(SLIDING, "r1", NOW)
    assert is_valid(etag, SLIDING, "r1", NOW)
    assert is_valid(etag, SLIDING, "r1", NOW + MOMENT)
    assert not is_valid(etag, SLIDING, "r1", NOW + timedelta(seconds=1))
    assert not is_valid(etag, SLIDING, "r1", NOW - timedelta(microseconds=1))
    assert not is_valid(etag, SLIDING, "r2", NOW + MOMENT)


def test_the_tag_of_a_result_that_moves_is_valid_for_a_second_although_its_window_is_closed() -> None:
    etag = result_etag(CLOSED, "r1", NOW, moves=True)
    assert is_valid(etag, CLOSED, "r1", NOW + MOMENT)
    assert not is_valid(etag, CLOSED, "r1", NOW + timedelta(seconds=1))


def test_the_tag_of_a_document_covers_each_field_but_those_outside() -> None:
    etag = document_etag(b'{"watermark": "9:00", "rows": [1, 2], "next": null}', "watermark")
    assert document_etag(b'{"watermark": "9:05", "rows": [1, 2], "next": null}', "watermark") == etag
    changed = [
        b'{"rows": [1, 3], "next": null}',
        b'{"rows": [1, 2], "next": "c"}',
        b'{"rows": [1, 2]}',
        b'{"row": [1, 2], "next": null}',
    ]
    assert len({etag, *(document_etag(one, "watermark") for one in changed)}) == 5


def test_the_tag_of_content_says_where_each_part_ends() -> None:
    assert content_etag(b"ab", b"c") != content_etag(b"a", b"bc")


@pytest.mark.parametrize(
    "other",
    [
        replace(CLOSED, tenant="other"),
        replace(CLOSED, zone="UTC"),
        replace(CLOSED, path="/v1/kpis/csat"),
        replace(CLOSED, query=CLOSED.query + "&group_by=team"),
        replace(CLOSED, format="text/csv"),
    ],
)
def test_a_tag_is_valid_for_its_key_only(other: ResultKey) -> None:
    assert not is_valid(result_etag(CLOSED, "r1", NOW), other, "r1", NOW)


def test_the_instant_in_a_tag_cannot_be_replaced() -> None:
    early, late = result_etag(SLIDING, "r1", NOW - timedelta(hours=1)), result_etag(SLIDING, "r1", NOW)
    forged = f"{late.split('.')[0]}.{early.split('.')[1]}"
    assert not is_valid(forged, SLIDING, "r1", NOW)


@pytest.mark.parametrize(
    "foreign", ['""', '"abc"', "x", f'"{"9" * 17}.{"a" * 24}"', f'"{"9" * 40}.{"a" * 24}"', f'W/"{"a" * 24}"']
)
def test_a_foreign_tag_is_never_valid(foreign: str) -> None:
    assert not may_be_valid(foreign, SLIDING, NOW)
    assert not is_valid(foreign, SLIDING, "r1", NOW)


@pytest.mark.parametrize(
    ("query", "closed"),
    [
        ("from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z", True),
        ("from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&compare=previous&compare=previous_year", True),
        ("from=2026-11-01T00:00:00Z&to=2026-11-20T11:59:59Z", False),
        ("from=2026-11-01T00:00:00Z&to=2027-01-01T00:00:00Z", False),
        ("from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&compare=2026-01-01T00:00:00Z/2027-01-01T00:00:00Z", False),
        ("from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&at=2027-01-01T00:00:00Z", False),
        ("from=2026-11-01T00:00:00Z", False),
        ("from=2026-11-01T00:00:00&to=2026-11-02T00:00:00", False),
        ("from=a&to=b", False),
        ("from=2026-11-01T00:00:00Z&to=9999-12-31T23:59:59Z", False),
        ("from=2026-11-01T00:00:00Z&to=2026-11-20T11:59:55Z", True),
        ("from=2026-11-01T00:00:00Z&to=2026-11-20T11:59:56Z", False),
        ("from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&at=2026-11-01T12:00:00Z", True),
        ("from=&to=2026-11-02T00:00:00Z", True),
        ("from=2026-11-01T00:00:00Z&to=0001-01-01T00:00:00%2B23:00", False),
        ("from=2026-10-01&to=2026-11-01", True),
        ("from=2026-11-01&to=2026-11-31", False),
        ("window=last_month", False),
        ("", False),
    ],
)
def test_a_window_is_closed_when_both_times_have_passed(query: str, closed: bool) -> None:
    assert is_closed(replace(CLOSED, query=query), NOW) is closed


@pytest.mark.parametrize(
    ("now", "zone", "tz", "closed"),
    [
        (datetime(2026, 11, 30, 23, 0, 5, tzinfo=UTC), "Europe/Berlin", "", True),
        (datetime(2026, 11, 30, 23, 0, 4, tzinfo=UTC), "Europe/Berlin", "", False),
        (datetime(2026, 11, 30, 23, 0, 5, tzinfo=UTC), "America/New_York", "", False),
        (datetime(2026, 12, 1, 5, 0, 5, tzinfo=UTC), "America/New_York", "", True),
        (datetime(2026, 11, 30, 23, 0, 5, tzinfo=UTC), "America/New_York", "&tz=Europe/Berlin", True),
        (datetime(2026, 12, 9, tzinfo=UTC), "Europe/Berlin", "&tz=Mars/Olympus", False),
    ],
)
def test_a_date_ends_a_window_at_midnight_in_the_zone_of_the_query(now: datetime, zone: str, tz: str, closed: bool) -> None:
    key = replace(CLOSED, zone=zone, query=f"from=2026-11-01&to=2026-12-01{tz}")
    assert is_closed(key, now) is closed

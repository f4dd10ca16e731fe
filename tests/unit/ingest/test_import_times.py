"""Times in the cells of a CSV file."""

import pytest

from services.ingest.domain.imports.times import check_format, read_time


@pytest.mark.parametrize(
    ("text", "layout", "zone", "expected"),
    [
        ("2026-11-20T09:14:03+01:00", "iso", "UTC", "2026-11-20T08:14:03+00:00"),
        ("2026-11-20 09:14:03", "iso", "Europe/Berlin", "2026-11-20T08:14:03+00:00"),
        ("2026-11-20", "iso", "UTC", "2026-11-20T00:00:00+00:00"),
        ("20.11.2026 09:14", "%d.%m.%Y %H:%M", "Europe/Berlin", "2026-11-20T08:14:00+00:00"),
        ("11/20/2026 09:14:03 PM", "%m/%d/%Y %I:%M:%S %p", "UTC", "2026-11-20T21:14:03+00:00"),
        ("1795166043", "unix", "UTC", "2026-11-20T09:14:03+00:00"),
        ("1795166043123", "unix_ms", "UTC", "2026-11-20T09:14:03.123000+00:00"),
    ],
)
def test_a_time_is_read_in_its_format_and_zone(text: str, layout: str, zone: str, expected: str) -> None:
    assert read_time(text, check_format(layout), zone).isoformat() == expected


@pytest.mark.parametrize(
    ("text", "layout", "zone"),
    [
        ("31.02.2026", "%d.%m.%Y", "UTC"),
        ("2026-03-29 02:30:00", "iso", "Europe/Berlin"),
        ("1889-01-01", "iso", "UTC"),
        ("0001-01-01 00:00:00", "iso", "Europe/Berlin"),
        ("31.12.9999 23:59", "%d.%m.%Y %H:%M", "America/New_York"),
        ("yesterday", "iso", "UTC"),
        ("1e9", "unix", "UTC"),
        ("999999999999999", "unix", "UTC"),
    ],
)
def test_a_time_that_does_not_exist_is_refused(text: str, layout: str, zone: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_time(text, layout, zone)


@pytest.mark.parametrize("layout", ["%Y-%m-%d", "%d.%m.%y", "%d %b %Y", "%B %d, %Y"])
def test_a_month_is_a_number_or_a_name(layout: str) -> None:
    assert check_format(layout) == layout


@pytest.mark.parametrize("layout", ["%H:%M", "%d.%m", "%Q", "dd.mm.yyyy", "%", "%d.%m.%Y %d", "%Y-%d %H:%M", "%Y-%m %H:%M"])
def test_a_format_needs_a_whole_date(layout: str) -> None:
    with pytest.raises(ValueError, match=r"must"):
        check_format(layout)

"""The buckets of a series against the local dates of instants, in zones whose clocks change by an hour or half an hour."""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.calendar import Grain
from services.metrics.domain.windows import Between, Window, buckets, resolve_window

NOW = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)

instants = st.datetimes(datetime(2005, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))

LABELS: dict[Grain, Callable[[datetime], object]] = {
    "P1D": lambda local: local.date(),
    "P1W": lambda local: local.isocalendar()[:2],
    "P1M": lambda local: (local.year, local.month),
    "P3M": lambda local: (local.year, (local.month - 1) // 3),
    "P1Y": lambda local: local.year,
}
"""The name of the bucket that a local time lies in."""


@given(
    st.sampled_from(["Europe/London", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]).map(
        ZoneInfo
    ),
    st.sampled_from(sorted(LABELS)),
    instants,
    st.timedeltas(timedelta(hours=1), timedelta(days=800)),
    st.randoms(use_true_random=False),
)
def test_an_instant_lies_in_the_bucket_of_its_local_date(
    zone: ZoneInfo, grain: Grain, start: datetime, length: timedelta, chance: Random
) -> None:
    """Buckets against the local dates of 200 instants, of which half lie near an edge."""
    parts = buckets(Window(start, start + length, zone), grain, NOW)
    starts = [bucket.start for bucket in parts]
    label = LABELS[grain]
    ats = [start + length * chance.random() for _ in range(100)]
    ats += [max(start, chance.choice(starts) + timedelta(minutes=chance.randint(-90, 90))) for _ in range(100)]
    of_bucket: dict[int, object] = {}
    for at in (at for at in ats if at < start + length):
        number = bisect_right(starts, at) - 1
        assert of_bucket.setdefault(number, label(at.astimezone(zone))) == label(at.astimezone(zone))
    assert len(set(of_bucket.values())) == len(of_bucket)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2026, 3, 29), 23.0),
        ("Europe/London", date(2026, 10, 25), 25.0),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Kathmandu", date(2026, 3, 29), 24.0),
    ],
)
def test_a_day_of_a_series_has_the_hours_of_its_zone(zone: str, day: date, hours: float) -> None:
    window = resolve_window(Between(day - timedelta(days=1), day + timedelta(days=2)), ZoneInfo(zone), NOW)
    lengths = [(bucket.end - bucket.start) / timedelta(hours=1) for bucket in buckets(window, "P1D", NOW)]
    assert lengths == [24, hours, 24]

"""The periods of a query: its window and those that it is compared with, each cut into buckets."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from services.metrics.domain.query import Query
from services.metrics.domain.windows import (
    MAX_ROWS,
    Bucket,
    TooManyRows,
    Window,
    buckets,
    compared_window,
    instant_of,
    resolve_window,
)
from services.metrics.evaluation.source import BEGINNING


@dataclass(frozen=True, slots=True)
class Period:
    """Contiguous buckets. `name` is that of the comparison, empty for the query's own window."""

    window: Window
    buckets: list[Bucket]
    name: str = ""

    def edges(self, now: datetime) -> list[datetime]:
        """The edges of the buckets up to `now`; buckets that begin later have none."""
        begun = [bucket for bucket in self.buckets if bucket.start < now]
        return [begun[0].start, *(min(bucket.end, now) for bucket in begun)] if begun else []

    def instants(self, now: datetime) -> list[datetime]:
        """The end of each bucket, after the beginning of time: the edges of sums that begin there."""
        return [BEGINNING, *(min(bucket.end, now) for bucket in self.buckets)]

    def end(self, number: int, now: datetime) -> datetime:
        """The instant up to which a bucket is counted; that of the last one for a number beyond it."""
        return min(self.buckets[min(number, len(self.buckets) - 1)].end, now)


def periods(query: Query, zone: ZoneInfo, now: datetime) -> list[Period]:
    """The period of the query, then those that it is compared with; `zone` is the tenant's.

    Raises TooManyRows, and BadQuery for a window that is empty in its zone.
    """
    zone = query.zone or zone
    if query.at is not None:
        at = instant_of(query.at, zone)
        return [Period(Window(at, at, zone), [Bucket(at, at, at > now)])]
    window = resolve_window(query.window, zone, now, query.week_start)
    main = Period(window, buckets(window, query.grain, now, query.week_start))
    if len(main.buckets) * (1 + len(query.compare)) > MAX_ROWS:
        raise TooManyRows
    others = []
    for comparison in query.compare:
        other = compared_window(window, comparison.to)
        others.append(Period(other, buckets(other, query.grain, now, query.week_start), comparison.name))
    if sum(len(period.buckets) for period in (main, *others)) > MAX_ROWS:
        raise TooManyRows("compare")
    return [main, *others]

"""Rows of contributions, and the periods that levels are made from."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from services.metrics.domain.durations import bin_of
from services.metrics.domain.measure import Measure
from services.metrics.domain.statuses import Period
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.view import Dims

Row = tuple[str, datetime, int, int]
"""Measure, time, bin and amount of a contribution."""

DimsAt = Callable[[datetime], Dims]
"""The dimensions of an event at a time."""


def duration_row(measure: str, at: datetime, seconds: int | None) -> Iterator[Row]:
    """The row of a duration. An unknown one has none, nor has a negative one, a result of clocks that differ."""
    if seconds is not None and seconds >= 0:
        yield measure, at, bin_of(seconds), seconds


def duration_rows(measure: Measure, seconds: int | None, **times: datetime) -> Iterator[Row]:
    """The rows of a duration that is filed by several events, each at its time in `times`. Raises KeyError if one is missing."""
    for event in measure.filed_by:
        yield from duration_row(measure.named(event), times[event], seconds)


def level_rows(periods: Iterable[Period], ticket: TicketView, dims_at: DimsAt) -> Iterator[tuple[datetime, int, Dims]]:
    """+1 at the start of each period and −1 at its end. Where the ticket is reassigned meanwhile, −1 under the old dimensions and
    +1 under the new ones."""
    reassigned = sorted({*ticket.teams.times, *ticket.agents.times})
    for start, end in periods:
        dims = dims_at(start)
        yield start, 1, dims
        for at in reassigned:
            if start < at and (end is None or at < end) and (new := dims_at(at)) != dims:
                yield at, -1, dims
                yield at, 1, new
                dims = new
        if end is not None:
            yield end, -1, dims


def parts_between(periods: Iterable[Period], since: datetime, until: datetime | None) -> Iterator[Period]:
    """The parts of `periods` that lie in [since, until)."""
    for start, end in periods:
        first, last = max(start, since), min((at for at in (end, until) if at is not None), default=None)
        if last is None or first < last:
            yield first, last

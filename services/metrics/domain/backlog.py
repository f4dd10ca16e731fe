"""How a ticket enters and leaves the backlog of its holders: ups and downs whose sum before a time is who holds it then."""

from collections.abc import Callable, Iterator
from datetime import datetime

from services.metrics.domain.ticket import TicketView
from services.metrics.domain.view import Dims

Step = tuple[datetime, int, Dims]
"""At a time, up or down by one, under these dimensions."""


def steps(ticket: TicketView, dims_at: Callable[[datetime], Dims]) -> Iterator[Step]:
    """Up at the opening and each reopening, down at each solve; where hands change between, down for one and up for the other."""
    changes = sorted({*ticket.teams.since, *ticket.agents.since})
    starts = (ticket.opened, *ticket.reopenings)
    ends = (*(solve.at for solve in ticket.solves), None)
    for start, end in zip(starts, ends, strict=False):  # the last start may have no end
        held = dims_at(start)
        yield start, 1, held
        for at in changes:
            if start < at and (end is None or at < end) and (then := dims_at(at)) != held:
                yield at, -1, held
                yield at, 1, then
                held = then
        if end is not None:
            yield end, -1, held

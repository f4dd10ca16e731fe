"""The rows of a ticket, except those of its comments and its SLA targets."""

from collections.abc import Iterator

from services.metrics.domain.ages import age_bin
from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.durations import bin_of
from services.metrics.domain.forms import rating_measure
from services.metrics.domain.measure import Measure
from services.metrics.domain.rows import DimsAt, Row, duration_row, duration_rows, level_rows
from services.metrics.domain.statuses import SECOND
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.ticket_measures import (
    AGENT_REPLIES,
    AGENT_WAIT,
    BACKLOG,
    BACKLOG_AGE,
    BUSINESS_MEASURES,
    CURRENT_SOLVE,
    FIRST_REPLY,
    FIRST_REPLY_BUSINESS,
    FIRST_RESOLUTION,
    FIRST_RESOLUTION_BUSINESS,
    FIRST_SOLVE,
    FULL_RESOLUTION,
    FULL_RESOLUTION_BUSINESS,
    HANDLING,
    NEXT_REPLY,
    NEXT_REPLY_BUSINESS,
    OPENED,
    REOPENED,
    REQUESTER_WAIT,
    SOLVED,
    SOLVED_COHORT,
    TOUCHES,
)
from services.metrics.domain.view import Dims
from shared.events import Status

TIMES: dict[Measure, tuple[Status, ...]] = {
    HANDLING: ("new", "open"),
    REQUESTER_WAIT: ("new", "open", "on_hold"),
    AGENT_WAIT: ("pending",),
}
"""Measures of the time that a ticket was in some statuses."""

NO_REPLY, ONE_TOUCH, OTHER, NO_REPLY_ONE_TOUCH = range(4)
"""The bins of TOUCHES. The last is of a preset under which a ticket without a reply can be one touch."""


def ticket_rows(ticket: TicketView) -> Iterator[Row]:
    """The rows that have the dimensions of their time, in calendar time."""
    yield OPENED.family, ticket.opened, 1, 1
    solved = int(ticket.current_solve is not None)
    yield SOLVED_COHORT.family, ticket.opened, solved, solved
    for solve in ticket.solves:
        yield SOLVED.family, solve.at, 1, 1
    for at in ticket.reopenings:
        yield REOPENED.family, at, 1, 1
    for rating in ticket.ratings:
        if rating.value is not None:
            yield rating_measure(rating), rating.at, rating.value, rating.value
    yield from reply_rows(ticket)
    if ticket.solves:
        first = ticket.solves[0]
        reopened = int(bool(ticket.reopenings))
        yield FIRST_SOLVE.family, first.at, reopened, reopened
        yield from duration_row(FIRST_RESOLUTION.family, first.at, first.seconds)
    yield from solved_rows(ticket)


def reply_rows(ticket: TicketView) -> Iterator[Row]:
    """The rows of the first reply and of the later ones that a customer waited for."""
    if ticket.first_reply is not None:
        seconds = (ticket.first_reply - ticket.opened) // SECOND
        yield from duration_rows(FIRST_REPLY, seconds, replied=ticket.first_reply, created=ticket.opened)
    for wait in ticket.waits:
        if wait.replied is not None:
            seconds = (wait.replied - wait.since) // SECOND
            yield from duration_rows(NEXT_REPLY, seconds, replied=wait.replied, asked=wait.since)


def solved_rows(ticket: TicketView) -> Iterator[Row]:
    """The rows of a ticket that is solved or closed, at its last solve."""
    if ticket.current_solve is None:
        return
    at, seconds = ticket.current_solve
    yield CURRENT_SOLVE.family, at, 1, 1
    yield from duration_row(FULL_RESOLUTION.family, at, seconds)
    if seconds >= 0:
        for measure, statuses in TIMES.items():
            yield from duration_row(measure.family, at, ticket.time_in(statuses) // SECOND)
    replies = len(ticket.replies)
    yield AGENT_REPLIES.family, at, bin_of(replies), replies
    touches = NO_REPLY if not replies else ONE_TOUCH if replies == 1 and not ticket.reopenings else OTHER
    yield TOUCHES.family, at, touches, touches


def business_rows(ticket: TicketView, hours: BusinessHours) -> Iterator[Row]:
    """The rows of a ticket's durations in business hours; none without calendars."""
    if not hours:
        return
    if ticket.first_reply is not None:
        seconds = hours.seconds(ticket.opened, ticket.first_reply, ticket.teams)
        yield from duration_rows(FIRST_REPLY_BUSINESS, seconds, replied=ticket.first_reply, created=ticket.opened)
    for wait in ticket.waits:
        if wait.replied is not None:
            seconds = hours.seconds(wait.since, wait.replied, ticket.teams)
            yield from duration_rows(NEXT_REPLY_BUSINESS, seconds, replied=wait.replied, asked=wait.since)
    if ticket.solves and (first := ticket.solves[0]).seconds >= 0:
        seconds = hours.seconds(ticket.opened, first.at, ticket.teams)
        yield from duration_row(FIRST_RESOLUTION_BUSINESS.family, first.at, seconds)
    if (solve := ticket.current_solve) is not None and solve.seconds >= 0:
        seconds = hours.seconds(ticket.opened, solve.at, ticket.teams)
        yield from duration_row(FULL_RESOLUTION_BUSINESS.family, solve.at, seconds)
        if seconds is not None:
            for measure, statuses in TIMES.items():
                business = BUSINESS_MEASURES[measure.family].family
                yield from duration_row(business, solve.at, business_seconds_in(ticket, hours, statuses))


def business_seconds_in(ticket: TicketView, hours: BusinessHours, statuses: tuple[Status, ...]) -> int | None:
    """The whole open seconds in which a solved ticket had one of these statuses; None without a calendar for a part of them."""
    open_times = [hours.open_time(start, end, ticket.teams) for start, end in ticket.periods_in(statuses) if end is not None]
    known = [open_time for open_time in open_times if open_time is not None]
    return sum(known, 0 * SECOND) // SECOND if len(known) == len(open_times) else None


def backlog_rows(ticket: TicketView, dims_at: DimsAt) -> Iterator[tuple[Row, Dims]]:
    """±1 rows whose sum before t is the number of open tickets at t; those of BACKLOG_AGE say when the ticket was opened."""
    opening = age_bin(ticket.opened)
    for at, change, dims in level_rows(ticket.unsolved, ticket, dims_at):
        yield (BACKLOG.family, at, change, change), dims
        yield (BACKLOG_AGE.family, at, change * opening, change), dims

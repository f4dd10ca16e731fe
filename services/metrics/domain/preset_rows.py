"""The rows of a ticket under a preset: those of the families that its rules change, under names of the preset's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.metrics.domain.durations import bin_of
from services.metrics.domain.facts import to_minute
from services.metrics.domain.measure import Measure, family_of, name_under
from services.metrics.domain.preset_tickets import (
    closes_of,
    handed_over_at,
    minutes_between,
    settled_teams,
    teams_of,
    ticket_under,
    whole_second,
)
from services.metrics.domain.presets import Preset, Rules
from services.metrics.domain.rows import DimsAt, Row, duration_row, duration_rows
from services.metrics.domain.sla_rows import sla_rows, sla_rows_by_application
from services.metrics.domain.statuses import SECOND, Solve
from services.metrics.domain.terms import Terms
from services.metrics.domain.ticket import Assignments, TicketView, times_after_opening
from services.metrics.domain.ticket_measures import (
    AGENT_REPLIES,
    BUSINESS_MEASURES,
    CURRENT_SOLVE,
    FIRST_REPLY,
    FIRST_REPLY_BUSINESS,
    FIRST_RESOLUTION,
    FIRST_SOLVE,
    FULL_RESOLUTION,
    NEXT_REPLY,
    NEXT_REPLY_BUSINESS,
    OPENED,
    REOPENED,
    SOLVED,
    SOLVED_COHORT,
    TOUCHES,
)
from services.metrics.domain.ticket_rows import NO_REPLY, NO_REPLY_ONE_TOUCH, ONE_TOUCH, OTHER, TIMES, backlog_rows
from services.metrics.domain.view import Dims, SubjectView
from shared.events import Status


def preset_rows(
    view: SubjectView, ticket: TicketView, terms: Terms, preset: Preset, dims_at: DimsAt, now: datetime | None = None
) -> Iterator[tuple[Row, Dims]]:
    """The rows of a ticket under a preset.

    `now`: a ticket that isn't solved also has rows of its replies, and of times that are still running, up to `now`, if the
    preset counts them for every ticket. They are for the export of tickets; no contribution depends on the present.
    """
    rules = preset.rules
    if ticket.dropped is not None and not rules.dropped_keep:
        return
    families = preset.families
    counted = ticket_under(ticket, rules)
    for (measure, at, place, amount), dims in rows_under(view, ticket, counted, terms, rules, dims_at, now):
        if family_of(measure) in families:
            yield (name_under(measure, preset.id), at, place, amount), dims


def rows_under(
    view: SubjectView,
    ticket: TicketView,
    counted: TicketView,
    terms: Terms,
    rules: Rules,
    dims_at: DimsAt,
    now: datetime | None,
) -> Iterator[tuple[Row, Dims]]:
    """The rows of every family under the rules, with our names. `counted` is the ticket under the rules."""
    times = Times(counted, rules, terms)
    for row in (
        *reply_rows(counted, rules, times),
        *solve_rows(ticket, counted, rules),
        *resolution_rows(counted, rules, times),
        *solved_rows(ticket, counted, rules, times, now),
    ):
        yield row, dims_at(row[1])
    yield from backlog_rows(counted, dims_at)
    if rules.sla_per_application:
        yield from sla_rows_by_application(view, counted, terms, dims_at)
    else:
        yield from sla_rows(view, counted, terms, dims_at, solve_fulfils=rules.sla_solve_fulfils)


# --- time -----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Times:
    """The durations of a ticket under the rules, in all seconds and in business hours."""

    ticket: TicketView
    rules: Rules
    terms: Terms

    def seconds(self, start: datetime, end: datetime) -> int:
        """The seconds between two messages."""
        return ((whole_second(end) - whole_second(start)) if self.rules.whole_seconds else (end - start)) // SECOND

    def open_time(self, start: datetime, end: datetime, teams: Assignments) -> timedelta | None:
        """The time in business hours, between whole seconds where they count; None without a calendar."""
        if not self.terms.hours:
            return None
        if self.rules.whole_seconds:
            start, end = whole_second(start), whole_second(end)
        return self.terms.hours.open_time(start, end, teams)

    def business(self, start: datetime, end: datetime) -> int | None:
        """The whole seconds in business hours of a duration of the whole ticket; None without a calendar."""
        open_time = self.open_time(start, end, teams_of(self.ticket, self.rules))
        return None if open_time is None else open_time // SECOND

    def business_to_solve(self, solve: Solve) -> int | None:
        """The same from the opening to a solve, between minutes of the clock where resolutions count them."""
        if self.rules.resolution_clock == "minutes" and not self.rules.whole_seconds:
            return self.business(to_minute(self.ticket.opened), to_minute(solve.at))
        return self.business(self.ticket.opened, solve.at)

    def business_of_wait(self, start: datetime, end: datetime) -> int | None:
        """The whole seconds in business hours of one wait, by the calendar of each team while it held the ticket."""
        teams = settled_teams(self.ticket) if self.rules.solved_statuses else self.ticket.teams
        open_time = self.open_time(start, end, teams)
        return None if open_time is None else open_time // SECOND

    def in_statuses(self, statuses: tuple[Status, ...], now: datetime | None) -> int:
        """The seconds in these statuses. The present status counts up to `now`; without `now` it doesn't count."""
        periods = [(start, end or now) for start, end in self.ticket.periods_in(statuses)]
        ended = [(start, end) for start, end in periods if end is not None and start < end]
        if self.rules.status_minutes:
            return sum(minutes_between(start, end) * 60 for start, end in ended)
        return sum((end - start for start, end in ended), timedelta()) // SECOND

    def business_in_statuses(self, statuses: tuple[Status, ...], now: datetime | None) -> int | None:
        """The same in business hours; None without a calendar for a part of them."""
        periods = [(start, end or now) for start, end in self.ticket.periods_in(statuses)]
        teams = teams_of(self.ticket, self.rules)
        open_times = [self.open_time(start, end, teams) for start, end in periods if end is not None and start < end]
        known = [open_time for open_time in open_times if open_time is not None]
        return sum(known, timedelta()) // SECOND if len(known) == len(open_times) and self.terms.hours else None


# --- rows -----------------------------------------------------------------------------------------------------------------
def reply_rows(ticket: TicketView, rules: Rules, times: Times) -> Iterator[Row]:
    """The rows of the first reply and of the later ones that a customer waited for."""
    if (reply := ticket.first_reply) is not None:
        since = handed_over_at(ticket, reply) if rules.first_reply_from == "handoff" else ticket.opened
        for measure, seconds in (
            (FIRST_REPLY, times.seconds(since, reply)),
            (FIRST_REPLY_BUSINESS, times.business(since, reply)),
        ):
            yield from duration_rows(measure, seconds, replied=reply, created=ticket.opened)
    for wait in ticket.waits:
        if wait.replied is not None:
            for measure, seconds in (
                (NEXT_REPLY, times.seconds(wait.since, wait.replied)),
                (NEXT_REPLY_BUSINESS, times.business_of_wait(wait.since, wait.replied)),
            ):
                yield from duration_rows(measure, seconds, replied=wait.replied, asked=wait.since)


def solve_rows(ours: TicketView, ticket: TicketView, rules: Rules) -> Iterator[Row]:
    """The rows of the opening, the solves and the reopenings. `ours` is the ticket as we see it."""
    solved = int(ticket.current_solve is not None)
    yield OPENED.family, ticket.opened, 1, 1
    yield SOLVED_COHORT.family, ticket.opened, solved, solved
    closes, reopenings = closes_of(ours) if rules.closes_per_part else ([solve.at for solve in ticket.solves], ticket.reopenings)
    for at in closes:
        yield SOLVED.family, at, 1, 1
    for at in reopenings:
        yield REOPENED.family, at, 1, 1
    if ticket.solves:
        reopened = int(bool(ticket.reopenings))
        yield FIRST_SOLVE.family, ticket.solves[0].at, reopened, reopened
    if ticket.current_solve is not None:
        yield CURRENT_SOLVE.family, ticket.current_solve.at, 1, 1


def resolution_rows(ticket: TicketView, rules: Rules, times: Times) -> Iterator[Row]:
    """The rows of the first resolution and of the full ones."""
    in_business = ticket.current_solve is not None or not rules.solved_statuses
    for solve in ticket.solves[:1]:
        yield from resolution(FIRST_RESOLUTION, solve, times, in_business=in_business)
    if rules.each_solve_resolves:
        full = ticket.solves
    elif rules.solved_statuses:
        full = ticket.solves[-1:]
    else:
        full = () if ticket.current_solve is None else (ticket.current_solve,)
    for solve in full:
        yield from resolution(FULL_RESOLUTION, solve, times, in_business=in_business)


def resolution(measure: Measure, solve: Solve, times: Times, *, in_business: bool) -> Iterator[Row]:
    """The rows of one resolution."""
    yield from duration_row(measure.family, solve.at, solve.seconds)
    if in_business and solve.seconds >= 0:
        yield from duration_row(BUSINESS_MEASURES[measure.family].family, solve.at, times.business_to_solve(solve))


def solved_rows(ours: TicketView, ticket: TicketView, rules: Rules, times: Times, now: datetime | None) -> Iterator[Row]:
    """The rows of a ticket that is solved or closed, at its last solve; those of another ticket, at `now`, where the rules say
    so."""
    solve = ticket.current_solve
    at = solve.at if solve is not None else now if rules.solved_statuses else None
    if at is None:
        return
    running = now if solve is None else None
    in_business = times.business(ticket.opened, at) is not None
    if solve is None or solve.seconds >= 0 or rules.solved_statuses:
        for measure, statuses in TIMES.items():
            yield from duration_row(measure.family, at, times.in_statuses(statuses, running))
            if in_business:
                business = BUSINESS_MEASURES[measure.family].family
                yield from duration_row(business, at, times.business_in_statuses(statuses, running))
    replies = replies_of(ours, rules)
    yield AGENT_REPLIES.family, at, bin_of(replies), replies
    if solve is not None:
        touches = touches_of(ours, ticket, rules)
        yield TOUCHES.family, at, touches, touches


def replies_of(ours: TicketView, rules: Rules) -> int:
    """The number of replies."""
    if not rules.bots_are_agents:
        return len(ours.replies)
    later = staff_messages(ours)
    first_is_reply = not ours.public and bool(later) and (not ours.questions or later[0] < ours.questions[0])
    return len(later) - int(first_is_reply)


def staff_messages(ticket: TicketView) -> list[datetime]:
    """The times of public messages of agents and bots after the opening."""
    return times_after_opening(ticket.opened, ticket.staff_messages)


def touches_of(ours: TicketView, ticket: TicketView, rules: Rules) -> int:
    """The bin of a solved ticket in TOUCHES."""
    replies = replies_of(ours, rules)
    counted = len(staff_messages(ours)) if rules.bots_are_agents else len(ours.replies)
    if rules.one_touch_counts_opening and ours.public:
        counted += int(ticket.by_agent)
    if rules.one_touch_max_replies is not None:
        one_touch = counted <= rules.one_touch_max_replies
    else:
        one_touch = counted == 1 and (rules.one_touch_when_reopened or not ticket.reopenings)
    if replies:
        return ONE_TOUCH if one_touch else OTHER
    return NO_REPLY_ONE_TOUCH if one_touch else NO_REPLY

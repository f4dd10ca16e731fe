"""The SLA targets of a ticket, and whether each was met.

The time of the first reply and of the resolution runs from the opening, that of a next reply from the customer's message. A
target is met if the time that counts doesn't exceed it. Else it is breached at its deadline: the last instant at which it is not
exceeded. The deadline may lie in the future; until then the target is neither met nor breached.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Literal, get_args

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.sla import AppliedPolicy, Policy, Target
from services.metrics.domain.statuses import UNSOLVED, Period
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.waits import Wait

Metric = Literal["first_reply", "next_reply", "resolution"]
METRICS: tuple[Metric, ...] = get_args(Metric)

LATEST_START = datetime(9000, 1, 1, tzinfo=UTC)
"""A time that runs from a later instant has no target: its deadline may be later than the last possible time."""


def target_of(policy: Policy, metric: Metric) -> Target | None:
    """The target of a metric that the policy has."""
    return {"first_reply": policy.first_reply, "next_reply": policy.next_reply, "resolution": policy.resolution}[metric]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A target that was met by the event at `at`, or breached at the deadline `at`.

    `ended`: the reply that came too late, or the solve that ended the wait for it.
    """

    metric: Metric
    at: datetime
    met: bool
    ended: datetime | None = None


def outcomes_of(policy: Policy, hours: BusinessHours, ticket: TicketView, *, solve_fulfils: bool = False) -> Iterator[Outcome]:
    """The outcome of each target that the policy gives the ticket.

    A target has no outcome if a part of its time until the deadline has no calendar, or if a solve without the reply came by the
    deadline, which cancels it. `solve_fulfils`: such a solve meets the target of a reply.
    """
    outcomes = [
        first_reply(Clock(policy.first_reply, hours, ticket, solve_fulfils)) if policy.first_reply else None,
        *(next_replies(Clock(policy.next_reply, hours, ticket, solve_fulfils)) if policy.next_reply else ()),
        resolution(policy, policy.resolution, hours, ticket) if policy.resolution else None,
    ]
    return (outcome for outcome in outcomes if outcome is not None)


# --- replies --------------------------------------------------------------------------------------------------------------
def first_reply(clock: "Clock") -> Outcome | None:
    """The outcome of the first reply. A ticket that an agent opened has none. A solve by the deadline cancels it for good."""
    ticket = clock.ticket
    if ticket.by_agent:
        return None
    solved = ticket.solves[0].at if ticket.solves else None
    return clock.reply("first_reply", ticket.opened, ticket.first_reply, solved, ended=ticket.first_reply)


def next_replies(clock: "Clock") -> Iterator[Outcome | None]:
    """The outcome of each wait for a next reply."""
    return (next_reply(clock, wait) for wait in clock.ticket.waits)


def next_reply(clock: "Clock", wait: Wait) -> Outcome | None:
    """The outcome of one wait. One that began after the last solve is cancelled unless there is a reply."""
    if wait.replied is None and wait.solved is None and clock.ticket.current_solve is not None:
        return None
    return clock.reply("next_reply", wait.since, wait.replied, wait.solved, ended=wait.replied or wait.solved)


def periods_that_count(metric: Metric, policy: Policy, ticket: TicketView) -> Iterator[Period]:
    """The periods whose time counts for the targets of a metric; the last may have no end.

    A wait that began after the last solve has no period: without a reply its target is cancelled, whatever time has passed. If
    the time of a resolution never ran, there is one empty period, at the opening.
    """
    match metric:
        case "first_reply":
            yield ticket.opened, reply_or_solve(ticket)
        case "next_reply":
            for wait in ticket.waits:
                end = wait.replied or wait.solved
                if end is not None or ticket.current_solve is None:
                    yield wait.since, end
        case "resolution":
            running = tuple(ticket.periods_in([status for status in UNSOLVED if status not in policy.pause]))
            yield from running or ((ticket.opened, ticket.opened),)


def reply_or_solve(ticket: TicketView) -> datetime | None:
    """When the first reply or the first solve was, the earlier one; None before either."""
    return min((at for at in (ticket.first_reply, *(solve.at for solve in ticket.solves[:1])) if at is not None), default=None)


# --- each policy that applied ---------------------------------------------------------------------------------------------
def outcomes_by_application(
    applications: Sequence[tuple[datetime, AppliedPolicy]], hours: BusinessHours, ticket: TicketView
) -> Iterator[tuple[AppliedPolicy, Outcome]]:
    """The outcomes where each policy that applied to a ticket, in order of time, gives it targets of its own.

    A solve meets the target of a reply.
    """
    for applied, _ in given_by_application("first_reply", applications, ticket):
        target = applied.policy.first_reply
        if target and (outcome := first_reply(Clock(target, hours, ticket, solve_fulfils=True))):
            yield applied, outcome
    for applied, wait in given_by_application("next_reply", applications, ticket):
        target = applied.policy.next_reply
        if target and wait and (outcome := next_reply(Clock(target, hours, ticket, solve_fulfils=True), wait)):
            yield applied, outcome
    for applied, _ in given_by_application("resolution", applications, ticket):
        target = applied.policy.resolution
        if target and (outcome := resolution(applied.policy, target, hours, ticket)):
            yield applied, outcome


def given_by_application(
    metric: Metric, applications: Sequence[tuple[datetime, AppliedPolicy]], ticket: TicketView
) -> Iterator[tuple[AppliedPolicy, Wait | None]]:
    """The policies that each give a ticket a target of this metric; for a next reply, each with its wait.

    The target of the first reply is that of the policy at the opening, else of the last one that applied before the reply. The
    other targets are those of each policy that was in force meanwhile, all from one beginning.
    """
    having = [(at, application) for at, application in applications if target_of(application.policy, metric)]
    match metric:
        case "first_reply":
            end = reply_or_solve(ticket)
            of_replies = [(at, applied) for at, applied in having if end is None or at <= end]
            at_opening = of_replies and of_replies[0][0] == ticket.opened
            yield from ((applied, None) for _, applied in (of_replies[:1] if at_opening else of_replies[-1:]))
        case "next_reply":
            replaced = dict(pairwise(at for at, _ in applications))
            for at, applied in having:
                for wait in map(partial(wait_until_solve, ticket), ticket.waits):
                    ended, replaced_at = wait.replied or wait.solved, replaced.get(at)
                    if (replaced_at is None or replaced_at > wait.since) and (ended is None or at <= ended):
                        yield applied, wait
        case "resolution":
            solve = ticket.current_solve
            yield from ((applied, None) for at, applied in having if solve is None or at <= solve.at)


def wait_until_solve(ticket: TicketView, wait: Wait) -> Wait:
    """The wait with the solve that ended it before the reply, if there is one."""
    solved = next((solve.at for solve in ticket.solves if solve.at >= wait.since), None)
    if solved is None or (wait.replied is not None and wait.replied <= solved):
        return wait
    return Wait(wait.since, solved=solved)


# --- resolution -----------------------------------------------------------------------------------------------------------
def resolution(policy: Policy, target: Target, hours: BusinessHours, ticket: TicketView) -> Outcome | None:
    """The outcome of the resolution: met by the last solve if there was no deadline before it.

    The time runs while the ticket is neither solved nor in a status of `policy.pause`; it continues after a reopening. None
    while it is paused before the deadline.
    """
    clock = Clock(target, hours, ticket)
    left = timedelta(seconds=target.seconds)
    for start, end in periods_that_count("resolution", policy, ticket):
        elapsed = None if end is None else clock.elapsed(start, end)
        if elapsed is None or elapsed > left:
            deadline = clock.deadline(start, left)
            return None if deadline is None else Outcome("resolution", deadline, met=False)
        left -= elapsed
    return Outcome("resolution", ticket.current_solve.at, met=True) if ticket.current_solve else None


# --- time -----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Clock:
    """The time of a ticket that counts for a target: all of it, or that in business hours.

    `solve_fulfils`: a solve meets the target of a reply as the reply does.
    """

    target: Target
    hours: BusinessHours
    ticket: TicketView
    solve_fulfils: bool = False

    def elapsed(self, start: datetime, end: datetime) -> timedelta | None:
        """The time in [start, end) that counts; None if there was no calendar for a part of it.

        The deadline may lie before that part: then the target is breached.
        """
        return self.hours.open_time(start, end, self.ticket.teams) if self.target.business else end - start

    def deadline(self, start: datetime, allowed: timedelta) -> datetime | None:
        """The last instant at which at most `allowed` time has passed since `start`; None if there is no calendar until then."""
        if start >= LATEST_START:
            return None
        return self.hours.deadline(start, allowed, self.ticket.teams) if self.target.business else start + allowed

    def reply(
        self, metric: Metric, start: datetime, replied: datetime | None, solved: datetime | None, ended: datetime | None
    ) -> Outcome | None:
        """The outcome of a target that runs from `start`, and is met by a reply and cancelled by a solve."""
        allowed = timedelta(seconds=self.target.seconds)
        first = min((at for at in (replied, solved) if at is not None), default=None)
        if first is not None and start < LATEST_START:
            elapsed = self.elapsed(start, first)
            if elapsed is not None and elapsed <= allowed:
                return Outcome(metric, first, met=True) if first == replied or self.solve_fulfils else None
        deadline = self.deadline(start, allowed)
        end = first if self.solve_fulfils else ended
        return None if deadline is None else Outcome(metric, deadline, met=False, ended=end)

"""The SLA targets of a ticket, and whether each was met.

The time of the first reply and of the resolution runs from the opening, that of a next reply from the customer's message. A
target is met if the time that counts doesn't exceed it. Else it is breached at its deadline: the last instant at which it is not
exceeded. The deadline may lie in the future; until then the target is neither met nor breached.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, get_args

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.sla import AppliedPolicy, Policy, Target
from services.metrics.domain.statuses import UNSOLVED
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.waits import Wait

Metric = Literal["first_reply", "next_reply", "resolution"]
METRICS: tuple[Metric, ...] = get_args(Metric)

LATEST_START = datetime(9000, 1, 1, tzinfo=UTC)
"""A time that runs from a later instant has no target: the deadline may be no time of the calendar."""


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


# --- each policy that applied ---------------------------------------------------------------------------------------------
def outcomes_by_application(
    applications: Sequence[tuple[datetime, AppliedPolicy]], hours: BusinessHours, ticket: TicketView
) -> Iterator[tuple[AppliedPolicy, Outcome]]:
    """The outcomes where each policy that applied to a ticket, in order of time, gives it targets of its own.

    The target of the first reply is that of the policy at the opening, else of the last one that applied before the reply. The
    other targets are those of each policy that was in force meanwhile, all from one beginning. A solve meets the target of a
    reply.
    """
    end = min((at for at in (ticket.first_reply, *(solve.at for solve in ticket.solves[:1])) if at is not None), default=None)
    of_replies = [(at, one) for at, one in applications if one.policy.first_reply and (end is None or at <= end)]
    for _, one in of_replies[:1] if of_replies and of_replies[0][0] == ticket.opened else of_replies[-1:]:
        if one.policy.first_reply and (outcome := first_reply(Clock(one.policy.first_reply, hours, ticket, solve_fulfils=True))):
            yield one, outcome
    until = [at for at, _ in applications[1:]]
    for (at, one), replaced_at in zip(applications, (*until, None), strict=True):
        if one.policy.next_reply:
            clock = Clock(one.policy.next_reply, hours, ticket, solve_fulfils=True)
            for wait in map(partial(wait_until_solve, ticket), ticket.waits):
                ended = wait.replied or wait.solved
                in_force = (replaced_at is None or replaced_at > wait.since) and (ended is None or at <= ended)
                if in_force and (outcome := next_reply(clock, wait)):
                    yield one, outcome
        solve = ticket.current_solve
        target = one.policy.resolution if solve is None or at <= solve.at else None
        if target and (outcome := resolution(one.policy, target, hours, ticket)):
            yield one, outcome


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
    for start, end in ticket.periods_in([status for status in UNSOLVED if status not in policy.pause]):
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

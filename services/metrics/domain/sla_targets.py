"""The SLA targets of a ticket, and whether each was met.

The time of the first reply and of the resolution runs from the opening, that of a next reply from the customer's message. A
target is met if the time that counts doesn't exceed it. Else it is breached at its deadline: the last instant at which it is not
exceeded. The deadline may lie in the future; until then the target is neither met nor breached.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.facts import STATUS_ORDER
from services.metrics.domain.sla import Policy, Target
from services.metrics.domain.statuses import SOLVED
from services.metrics.domain.ticket import TicketView

Metric = Literal["first_reply", "next_reply", "resolution"]
METRICS: tuple[Metric, ...] = get_args(Metric)

LATEST_START = datetime(9000, 1, 1, tzinfo=UTC)
"""A time that runs from a later instant has no target: the deadline may be no time of the calendar."""

UNSOLVED = tuple(status for status, rank in STATUS_ORDER.items() if rank < SOLVED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A target that was met by the event at `at`, or breached at the deadline `at`.

    `ended`: the reply that came too late, or the solve that ended the wait for it.
    """

    metric: Metric
    at: datetime
    met: bool
    ended: datetime | None = None


def outcomes_of(policy: Policy, hours: BusinessHours, ticket: TicketView) -> Iterator[Outcome]:
    """The outcome of each target that the policy gives the ticket.

    A target has none if there was no calendar for a part of its time, and if it was cancelled: by a solve without the reply by
    the deadline.
    """
    outcomes = [
        first_reply(policy.first_reply, hours, ticket) if policy.first_reply else None,
        *(next_replies(policy.next_reply, hours, ticket) if policy.next_reply else ()),
        resolution(policy, policy.resolution, hours, ticket) if policy.resolution else None,
    ]
    return (outcome for outcome in outcomes if outcome is not None)


# --- replies --------------------------------------------------------------------------------------------------------------
def first_reply(target: Target, hours: BusinessHours, ticket: TicketView) -> Outcome | None:
    """The outcome of the first reply. A ticket that an agent opened has none. A solve by the deadline cancels it for good."""
    if ticket.by_agent:
        return None
    solved = ticket.solves[0].at if ticket.solves else None
    clock = Clock(target, hours, ticket)
    return clock.reply("first_reply", ticket.opened, ticket.first_reply, solved, ended=ticket.first_reply)


def next_replies(target: Target, hours: BusinessHours, ticket: TicketView) -> Iterator[Outcome | None]:
    """The outcome of each wait for a next reply. One that began after the last solve is cancelled unless there is a reply."""
    clock = Clock(target, hours, ticket)
    for wait in ticket.waits:
        is_over = wait.replied is None and wait.solved is None and ticket.current_solve is not None
        solved = wait.since if is_over else wait.solved
        yield clock.reply("next_reply", wait.since, wait.replied, solved, ended=wait.replied or wait.solved)


# --- resolution -----------------------------------------------------------------------------------------------------------
def resolution(policy: Policy, target: Target, hours: BusinessHours, ticket: TicketView) -> Outcome | None:
    """The outcome of the resolution: met by the last solve if there was no deadline before it.

    The time runs while the ticket is neither solved nor in a status of `policy.pause`; a reopening runs it on. None while it is
    paused before the deadline.
    """
    clock = Clock(target, hours, ticket)
    left = timedelta(seconds=target.seconds)
    for start, end in ticket.periods_in([status for status in UNSOLVED if status not in policy.pause]):
        elapsed = None if end is None else clock.elapsed(start, end)
        if end is not None and elapsed is None:
            return None
        if elapsed is None or elapsed > left:
            deadline = clock.deadline(start, left)
            return None if deadline is None else Outcome("resolution", deadline, met=False)
        left -= elapsed
    return Outcome("resolution", ticket.current_solve.at, met=True) if ticket.current_solve else None


# --- time -----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Clock:
    """The time of a ticket that counts for a target: all of it, or that in business hours."""

    target: Target
    hours: BusinessHours
    ticket: TicketView

    def elapsed(self, start: datetime, end: datetime) -> timedelta | None:
        """The time in [start, end) that counts; None if there was no calendar for a part of it."""
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
            if elapsed is None:
                return None
            if elapsed <= allowed:
                return Outcome(metric, first, met=True) if first == replied else None
        deadline = self.deadline(start, allowed)
        return None if deadline is None else Outcome(metric, deadline, met=False, ended=ended)

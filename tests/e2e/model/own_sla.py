"""The SLA targets of a ticket by our own rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.e2e.model.business import NoCalendar
from tests.e2e.model.sla import Parts, deadline_in

if TYPE_CHECKING:
    from tests.e2e.model.tickets import Ticket

Outcome = tuple[str, datetime, int, datetime | None]
"""Of a target that counts: its metric, when it was met or breached, 1 if it was met, and the end of a breach."""


class Targets:
    """The targets of a ticket, and what became of each.

    `solve_fulfils`: a solve by the deadline meets the target of a reply, rather than cancelling it.
    """

    def __init__(self, ticket: Ticket, *, solve_fulfils: bool = False) -> None:
        self.ticket, self.solve_fulfils = ticket, solve_fulfils
        self.targets: dict[str, Any] = ticket.applied.policy["targets"] if ticket.applied else {}
        self.unfinished: dict[str, str] = {}
        """By metric the state of a target that doesn't count: `no_calendar`, else `cancelled` by a solve, or `paused`."""
        self.outcomes = [*self.of_replies(), *self.of_resolution()]

    def leave_out(self, metric: str, state: str) -> None:
        self.unfinished[metric] = "no_calendar" if "no_calendar" in (state, self.unfinished.get(metric)) else state

    def of_replies(self) -> Iterator[Outcome]:
        ticket = self.ticket
        if "first_reply" in self.targets and ticket.opened["by"] != "agent":
            reply, solve = ticket.first_reply(), next(iter(ticket.solved), None)
            yield from self.of_reply("first_reply", ticket.at, reply, solve, reply)
        if "next_reply" in self.targets:
            for since, reply, solve in ticket.waits():
                began_after_the_last_solve = reply is None and solve is None and ticket.is_solved
                if began_after_the_last_solve:
                    self.leave_out("next_reply", "cancelled")
                else:
                    yield from self.of_reply("next_reply", since, reply, solve, reply or solve)

    def of_reply(
        self, metric: str, since: datetime, reply: datetime | None, solve: datetime | None, end: datetime | None
    ) -> Iterator[Outcome]:
        """The target that runs from `since`. `end`: what ends a breach of it."""
        ends = [at for at in (reply, solve) if at is not None]
        try:
            deadline = in_time_until = self.deadline(metric, [(since, None)])
        except NoCalendar as end_of_calendars:
            deadline, in_time_until = None, end_of_calendars.at
        assert in_time_until
        if deadline is None and not (ends and since < min(ends) <= in_time_until):
            self.leave_out(metric, "no_calendar")
            return
        solved_first = solve if solve is not None and (reply is None or solve < reply) else None
        if reply is not None and reply <= in_time_until and not solved_first:
            yield metric, reply, 1, None
        elif not (solved_first and solved_first <= in_time_until):
            assert deadline
            yield metric, deadline, 0, min(ends, default=end) if self.solve_fulfils else end
        elif self.solve_fulfils:
            yield metric, solved_first, 1, None
        else:
            self.leave_out(metric, "cancelled")

    def of_resolution(self) -> Iterator[Outcome]:
        """The time runs while the ticket is not solved, nor in a status that pauses it. One that never ran is an empty part."""
        if "resolution" not in self.targets:
            return
        ticket = self.ticket
        assert ticket.applied
        running = {"new", "open", "pending", "on_hold"} - set(ticket.applied.policy["pause"])
        since, status = ticket.statuses[-1]
        last: Parts = [(since, None)] if status in running else []
        try:
            deadline = self.deadline("resolution", [*ticket.parts_in(*running), *last] or [(ticket.at, ticket.at)])
        except NoCalendar:
            self.leave_out("resolution", "no_calendar")
            return
        if deadline:
            yield "resolution", deadline, 0, None
        elif ticket.is_solved:
            yield "resolution", ticket.solved[-1], 1, None
        else:
            self.leave_out("resolution", "paused")

    def deadline(self, metric: str, parts: Parts) -> datetime | None:
        ticket = self.ticket
        changes = [since for since, _ in ticket.assignees["team"]]
        return deadline_in(self.targets[metric], parts, lambda at: ticket.dims(at)["team"], changes)

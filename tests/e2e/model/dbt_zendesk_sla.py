"""SLA targets and business hours of the preset `dbt_zendesk`, written from its rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.e2e.model import business
from tests.e2e.model.business import NoCalendar
from tests.e2e.model.sla import Applied, Parts, deadline_in

if TYPE_CHECKING:
    from tests.e2e.model.tickets import Ticket

SOON = timedelta(seconds=5)
"""A calendar that is set so soon after the opening counts from the opening."""

OPEN = {"new", "open", "pending", "on_hold"}


@dataclass(frozen=True)
class Target:
    """A target that counts. `at`: when it was met, or its deadline; `end`: the end of what breached it."""

    metric: str
    at: datetime
    met: int
    priority: str | None
    end: datetime | None = None


class Calendars:
    """The teams whose calendars a ticket has."""

    def __init__(self, ticket: Ticket) -> None:
        teams = ticket.assignees["team"]
        soon = [team for since, team in teams if since <= ticket.at + SOON]
        self.first = soon[-1] if soon else ticket.dims(ticket.at)["team"]
        self.teams = [(since, team) for since, team in teams if since > ticket.at + SOON]

    def team_at(self, at: datetime) -> str | None:
        return next((team for since, team in reversed(self.teams) if since <= at), self.first)

    def open_seconds(self, parts: list[tuple[datetime, datetime]]) -> timedelta | None:
        """The open time of these parts, each from second to second; None without a calendar for a part of them."""
        in_seconds = [(second(start), second(end)) for start, end in parts]
        return business.open_time(in_seconds, self.team_at, [since for since, _ in self.teams])

    def deadline(self, target: dict[str, object], parts: Parts) -> datetime | None:
        return deadline_in(target, parts, self.team_at, [since for since, _ in self.teams])


def second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


class Targets:
    """The SLA targets of a ticket. `history`: its statuses; `solves`: the times of those that solved it."""

    def __init__(
        self, ticket: Ticket, history: list[tuple[datetime, str]], solves: list[datetime], staff: list[datetime]
    ) -> None:
        self.ticket, self.history, self.solves, self.staff = ticket, history, solves, staff
        self.calendars = Calendars(ticket)
        self.unfinished: dict[str, str] = {}
        """By metric the state of a target that doesn't count: `no_calendar`, else `cancelled` or `paused`."""

    def all(self, first_reply: datetime | None, waits: list[datetime]) -> Iterator[Target]:
        """All that count. `waits`: when the waits for a further reply began.

        A policy gives no target to what ended before it applied, and none to a wait that began after another one replaced it.
        """
        applications = self.ticket.applications
        replaced = [at for at, _ in applications[1:]]
        if self.ticket.opened["by"] == "customer":
            end = self.end(self.ticket.at, first_reply)
            offers = [pair for pair in applications if "first_reply" in pair[1].policy["targets"] and not (end and end < pair[0])]
            for _, applied in offers[:1] if offers and offers[0][0] <= self.ticket.at else offers[-1:]:
                yield from self.of_reply("first_reply", applied, self.ticket.at, end)
        for (at, applied), until in zip(applications, [*replaced, None], strict=False):
            for since in waits:
                end = self.end(since, next((at for at in self.staff if second(at) > second(since)), None))
                if not (until and until <= since) and not (end and end < at):
                    yield from self.of_reply("next_reply", applied, since, end)
            if not (self.is_solved and self.solves[-1] < at):
                yield from self.of_resolution(applied)

    def end(self, since: datetime, reply: datetime | None) -> datetime | None:
        """A staff reply ends the target, or a solve."""
        solve = next((at for at in self.solves if at >= since), None)
        return min((at for at in (reply, solve) if at is not None), default=None)

    def of_reply(self, metric: str, applied: Applied, since: datetime, end: datetime | None) -> Iterator[Target]:
        """A target that runs from `since` to the reply or solve at `end`."""
        if metric not in applied.policy["targets"]:
            return
        began_after_the_last_solve = metric == "next_reply" and not end and self.is_solved
        try:
            deadline = in_time_until = self.calendars.deadline(applied.policy["targets"][metric], [(since, None)])
        except NoCalendar as end_of_calendars:
            deadline, in_time_until = None, end_of_calendars.at
        assert in_time_until
        if began_after_the_last_solve:
            self.leave_out(metric, "cancelled")
        elif end and end <= in_time_until and (deadline or since < end):
            yield Target(metric, end, 1, applied.priority)
        elif deadline:
            yield Target(metric, deadline, 0, applied.priority, end)
        else:
            self.leave_out(metric, "no_calendar")

    def of_resolution(self, applied: Applied) -> Iterator[Target]:
        """The clock runs while the ticket is open and not in a status that pauses it. One that never ran is an empty part."""
        if "resolution" not in applied.policy["targets"]:
            return
        running = OPEN - set(applied.policy.get("pause", ()))
        ends = [*(at for at, _ in self.history[1:]), None]
        parts = [(since, end) for (since, status), end in zip(self.history, ends, strict=True) if status in running]
        try:
            never_ran: Parts = [(self.ticket.at, self.ticket.at)]
            deadline = self.calendars.deadline(applied.policy["targets"]["resolution"], parts or never_ran)
        except NoCalendar:
            self.leave_out("resolution", "no_calendar")
            return
        if deadline:
            yield Target("resolution", deadline, 0, applied.priority)
        elif self.is_solved:
            yield Target("resolution", self.solves[-1], 1, applied.priority)
        else:
            self.leave_out("resolution", "paused")

    def leave_out(self, metric: str, state: str) -> None:
        self.unfinished[metric] = "no_calendar" if "no_calendar" in (state, self.unfinished.get(metric)) else state

    @property
    def is_solved(self) -> bool:
        return self.history[-1][1] in ("solved", "closed")

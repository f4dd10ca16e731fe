"""The facts of tickets, whose records arrive in any order and in pieces."""

from datetime import datetime, timedelta
from typing import Any

from tests.e2e.model.business import open_time
from tests.e2e.model.facts import (
    Counted,
    Dims,
    Fact,
    Record,
    Scorer,
    Subject,
    counted_of_comment,
    customer,
    dimensions,
    form_and_value,
    when,
)
from tests.e2e.model.sla import Target, target_of

LIFE = ("new", "open", "pending", "on_hold", "solved", "closed")
DONE = {"solved", "closed"}


class Ticket:
    """A ticket whose opening is known; `dropped`: when it was merged, deleted or found to be spam."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.records = subject, subject.records
        self.facts = [fact for record in self.records for fact in record["facts"]]
        self.opened = [f for f in self.facts if f["fact"] == "opened"][-1]
        self.at = when(self.opened["at"])
        self.dropped = min((at for kind in ("merged", "spam", "deleted") if (at := self._held(kind))), default=None)
        self.base = dimensions(self.records)
        self.assignees = {name: self._assignees(name) for name in ("team", "agent")}
        self.priorities = {when(f["at"]): f["priority"] for f in self.facts if f["fact"] == "priority"}
        priority = self.base.get("priority")
        if self.priorities:
            self.base["priority"] = self.priorities[max(self.priorities)]
        self.statuses = self._statuses()
        self.solved, self.reopened = self._passages()
        self.target = None if self.opened["by"] == "agent" else self._target(priority)

    def _target(self, dimension: str | None) -> Target | None:
        """The target for the first reply. `dimension` is the priority of a ticket without any fact about it."""

        def values_at(at: datetime) -> dict[str, str | None]:
            earlier = [since for since in self.priorities if since <= at]
            priority = self.priorities[max(earlier)] if earlier else None if self.priorities else dimension
            return self.dims(at) | {"priority": priority}

        target = target_of(self.at, self.priorities, [since for since, _ in self.assignees["team"]], values_at)
        solved_first = [at for at in self.solved[:1] if not self.replies()[:1] or at < self.replies()[0]]
        return None if target and any(at <= target.deadline for at in solved_first) else target

    @staticmethod
    def is_known(subject: Subject) -> bool:
        return any(f["fact"] == "opened" for r in subject.records for f in r["facts"])

    def _held(self, kind: str) -> datetime | None:
        drops = sorted((when(f["at"]), f.get("value", True)) for f in self.facts if f["fact"] == kind)
        return drops[-1][0] if drops and drops[-1][1] else None

    def _assignees(self, name: str) -> list[tuple[datetime, str | None]]:
        names = {when(f["at"]): f[name] for f in self.facts if f["fact"] == "assigned" and name in f}
        if self.base.get(name) is not None:
            names.setdefault(self.at, self.base[name])
        return sorted(names.items())

    def _statuses(self) -> list[tuple[datetime, str]]:
        """By time; of one time in the order of the statements, and within one statement in the order of a ticket's life."""
        by_time: dict[datetime, list[str]] = {}
        for (stated_at, _), record in sorted(self.subject.stamped, key=lambda pair: pair[0]):
            for at, status in sorted(
                {(when(f["at"]), f["status"]) for f in record["facts"] if f["fact"] == "status"},
                key=lambda status: (status[0], LIFE.index(status[1])),
            ):
                known = by_time.setdefault(at, [])
                alone = [f for f in record["facts"] if f["fact"] == "status" and when(f["at"]) == at]
                back = at == stated_at and {f["status"] for f in alone} == {status} and known[-1:] != [status]
                if status not in known or back:
                    known.append(status)
        by_time.setdefault(self.at, ["new"])
        return [(at, status) for at in sorted(by_time) for status in by_time[at]]

    def _passages(self) -> tuple[list[datetime], list[datetime]]:
        solved: list[datetime] = []
        reopened: list[datetime] = []
        for at, status in self.statuses:
            done = len(solved) > len(reopened)
            if (status in DONE) != done:
                (reopened if done else solved).append(at)
        return solved, reopened

    def dims(self, at: datetime, *, just_before: bool = False) -> dict[str, str | None]:
        """The dimensions of an event at that time, or as they were just before it."""
        held: dict[str, str | None] = {}
        for name, assignees in self.assignees.items():
            until_then = [assignee for since, assignee in assignees if since < at or (since == at and not just_before)]
            held[name] = until_then[-1] if until_then else assignees[0][1] if assignees else None
        return self.base | held

    def dims_of(self, kind: str, at: datetime) -> Dims:
        """The dimensions of a fact: of a target the priority is that at which the policy applied."""
        return self.dims(at) | ({"priority": self.target.priority} if kind == "target" and self.target else {})

    def is_breached_just_before(self, t: datetime) -> bool:
        """Whether it is open and past its deadline without a reply."""
        replied = [reply for reply in self.replies() if reply < t]
        return self.target is not None and self.target.deadline < t and not replied and self.is_open_just_before(t)

    def is_open_just_before(self, t: datetime) -> bool:
        """Whether the backlog holds it."""
        return self.dropped is None and self.at < t and [s for at, s in self.statuses if at < t][-1] not in DONE

    def latest(self, kind: str) -> list[Record]:
        """Messages or ratings, each as its last statement has it: by id, else by time and author."""
        return list({f.get("id") or (f["at"], f.get("by"), f.get("agent")): f for f in self.facts if f["fact"] == kind}.values())

    def messages(self) -> list[Record]:
        """The messages, without those that repeat the opening: same author and, of a customer, same text, within five seconds."""
        return [m for m in self.latest("message") if not self._is_opening(m)]

    def _is_opening(self, message: Record) -> bool:
        if message["by"] != self.opened["by"] or abs((when(message["at"]) - self.at).total_seconds()) > 5:
            return False
        return message["by"] != "customer" or message["text"].split() == self.opened["text"].split()

    def replies(self) -> list[datetime]:
        """The times of public messages by human agents after the opening."""
        public = [m for m in self.messages() if m["by"] == "agent" and m.get("public", True) and not m.get("auto")]
        return sorted(at for m in public if (at := when(m["at"])) > self.at)

    def _open_time(self, span: timedelta) -> timedelta:
        """The part of a time since the opening that is in business hours."""
        changes = [since for since, _ in self.assignees["team"]]
        return open_time(self.at, self.at + span, lambda at: self.dims(at)["team"], changes)

    def events(self, score: Scorer) -> list[tuple[datetime, Counted]]:
        """The time of each fact, and what it counts as."""
        if self.dropped is not None:
            return [(self.dropped, ("dropped", 1, {}))]
        plain: list[tuple[str, datetime, Any]] = [("opened", self.at, 1)]
        plain += [("solved", at, 1) for at in self.solved]
        plain += [("reopened", at, 1) for at in self.reopened]
        for reply in self.replies()[:1]:
            plain += [("replied", reply, reply - self.at), ("created", self.at, reply - self.at)]
        if self.target:
            met = [reply for reply in self.replies()[:1] if reply <= self.target.deadline]
            plain += [("target", at, 1) for at in met] or [("target", self.target.deadline, 0)]
        for first in self.solved[:1]:
            plain += [("first_solve", first, int(bool(self.reopened))), ("first_resolution", first, first - self.at)]
        if len(self.solved) > len(self.reopened):
            plain += [("standing_solve", self.solved[-1], 1), ("full_resolution", self.solved[-1], self.solved[-1] - self.at)]
        plain += [(f"{kind}_business", at, self._open_time(span)) for kind, at, span in plain if isinstance(span, timedelta)]
        ratings = self.latest("rating")
        plain += [("csat", when(r["at"]), form_and_value(r)) for r in ratings if r["value"] is not None]
        events: list[tuple[datetime, Counted]] = [(at, (kind, value, {})) for kind, at, value in plain]
        for fact in [self.opened, *self.messages(), *ratings]:
            if fact.get("by", "customer") == "customer" and fact.get("text", "").strip():
                events += [(when(fact["at"]), counted) for counted in counted_of_comment(self.subject, fact["text"], score)]
        return events


def of_ticket(subject: Subject, score: Scorer) -> list[Fact]:
    if not Ticket.is_known(subject):
        return []
    ticket = Ticket(subject)
    owner = customer(ticket.records)
    return [
        Fact(kind, at, value, ticket.dims_of(kind, at), owner, subject.name, lists)
        for at, (kind, value, lists) in ticket.events(score)
    ]

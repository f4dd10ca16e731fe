"""The facts of tickets, whose records arrive in any order and in pieces."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.model import dbt_zendesk
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
from tests.e2e.model.own_sla import Outcome, Targets
from tests.e2e.model.presets import under_presets
from tests.e2e.model.sla import Applied, applications

LIFE = ("new", "open", "pending", "on_hold", "solved", "closed")
DONE = {"solved", "closed"}
TARGETS = ("target_first_reply", "target_next_reply", "target_resolution")
OF_LIFE = ("handling", "requester_wait", "agent_wait")
Spans = list[tuple[datetime, datetime]]


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
        self.solved, self.reopened = self.passages()
        self.applications = list(self._applications(priority))
        self.applied = self.applications[0][1] if self.applications else None
        self.targets_by_application, self.unfinished_by_application = dbt_zendesk.targets(self)
        self.compute_targets()

    def compute_targets(self) -> None:
        self.own_targets, self.targets_with_solves = Targets(self), Targets(self, solve_fulfils=True)

    @property
    def targets(self) -> list[Outcome]:
        return self.own_targets.outcomes

    @property
    def targets_fulfilled_by_solves(self) -> list[Outcome]:
        return self.targets_with_solves.outcomes

    def _applications(self, dimension: str | None) -> Iterator[tuple[datetime, Applied]]:
        """The SLA policies, each with its time. `dimension` is the priority of a ticket without any fact about it."""

        def values_at(at: datetime) -> dict[str, str | None]:
            earlier = [since for since in self.priorities if since <= at]
            priority = self.priorities[max(earlier)] if earlier else None if self.priorities else dimension
            return self.dims(at) | {"priority": priority, "channel": self.subject.channel_at(at)}

        others = [since for since, _ in (*self.assignees["team"], *self.subject.channels)]
        return applications(self.at, self.priorities, others, values_at)

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

    def passages(self) -> tuple[list[datetime], list[datetime]]:
        solved: list[datetime] = []
        reopened: list[datetime] = []
        for at, status in self.statuses:
            done = len(solved) > len(reopened)
            if (status in DONE) != done:
                (reopened if done else solved).append(at)
        return solved, reopened

    @property
    def is_solved(self) -> bool:
        return len(self.solved) > len(self.reopened)

    def dims(self, at: datetime, *, just_before: bool = False) -> dict[str, str | None]:
        """The dimensions of an event at that time, or as they were just before it."""
        held: dict[str, str | None] = {}
        for name, assignees in self.assignees.items():
            until_then = [assignee for since, assignee in assignees if since < at or (since == at and not just_before)]
            held[name] = until_then[-1] if until_then else assignees[0][1] if assignees else None
        return self.base | held

    def dims_of(self, kind: str, at: datetime) -> Dims:
        """The dimensions of a fact: of a target the priority is that at which the policy applied."""
        return self.dims(at) | ({"priority": self.applied.priority} if kind.partition("@")[0] in TARGETS and self.applied else {})

    def due(self) -> list[tuple[str, datetime]]:
        """The targets that it has not met, each with its deadline, if it is open now."""
        if self.dropped is not None or self.is_solved:
            return []
        return [(metric, at) for metric, at, met, end in self.targets if not met and end is None]

    def is_breached_just_before(self, t: datetime, *, solve_fulfils: bool) -> bool:
        """Whether it is open and past a deadline."""
        targets = self.targets_fulfilled_by_solves if solve_fulfils else self.targets
        breaches = [(deadline, end) for _, deadline, met, end in targets if not met]
        return any(deadline < t and (end is None or t <= end) for deadline, end in breaches) and self.is_open_just_before(t)

    def is_open_just_before(self, t: datetime) -> bool:
        """Whether the backlog holds it."""
        return self.dropped is None and self.at < t and [s for at, s in self.statuses if at < t][-1] not in DONE

    def latest(self, kind: str) -> list[Record]:
        """Messages or ratings, each as its last statement has it: by id, else by time and author."""
        return list(
            {f.get("id") or (when(f["at"]), f.get("by"), f.get("agent")): f for f in self.facts if f["fact"] == kind}.values()
        )

    def messages(self) -> list[Record]:
        """The messages, without those that repeat the opening: same author and, of a customer, same text, within five seconds."""
        return [m for m in self.latest("message") if not self._is_opening(m)]

    def _is_opening(self, message: Record) -> bool:
        if message.get("public", True) != self.opened.get("public", True):
            return False
        if message["by"] != self.opened["by"] or abs((when(message["at"]) - self.at).total_seconds()) > 5:
            return False
        return message["by"] != "customer" or message["text"].split() == self.opened["text"].split()

    def replies(self) -> list[datetime]:
        """The times of public messages by human agents after the opening."""
        public = [m for m in self.messages() if m["by"] == "agent" and m.get("public", True) and not m.get("auto")]
        return sorted(at for m in public if (at := when(m["at"])) > self.at)

    def first_reply(self) -> datetime | None:
        return next(iter(self.replies()), None)

    def waits(self) -> list[tuple[datetime, datetime | None, datetime | None]]:
        """The waits for a further reply: the customer's message, the reply to it, and the solve before that."""
        customers = [
            when(m["at"]) for m in self.messages() if m["by"] == "customer" and m.get("public", True) and not m.get("auto")
        ]
        talk = sorted([*((at, "a customer") for at in customers), *((at, "an agent") for at in self.replies())])
        if self.opened["by"] == "agent" and self.opened.get("public", True):
            talk.insert(0, (self.at, "an agent"))
        waits = []
        for place, (at, party) in enumerate(talk):
            if party == "a customer" and place and talk[place - 1][1] == "an agent":
                reply = next((later for later, other in talk[place:] if other == "an agent"), None)
                solve = next((solved for solved in self.solved if at <= solved and (reply is None or solved < reply)), None)
                waits.append((at, reply if solve is None else None, solve))
        return waits

    def parts_in(self, *statuses: str) -> Spans:
        """The parts of its life up to its last status in which it had one of these."""
        parts = zip(self.statuses, self.statuses[1:], strict=False)
        return [(since, until) for (since, status), (until, _) in parts if status in statuses]

    def spans(self) -> Iterator[tuple[str, datetime, Spans]]:
        """The durations: what each is of, the time that files it, and its parts."""
        if reply := self.first_reply():
            yield "replied", reply, [(self.at, reply)]
            yield "created", self.at, [(self.at, reply)]
        for since, replied, _ in self.waits():
            if replied:
                yield "next_replied", replied, [(since, replied)]
                yield "next_asked", since, [(since, replied)]
        for first in self.solved[:1]:
            yield "first_resolution", first, [(self.at, first)]
        if self.is_solved:
            last = self.solved[-1]
            yield "full_resolution", last, [(self.at, last)]
            yield "handling", last, self.parts_in("new", "open")
            yield "requester_wait", last, self.parts_in("new", "open", "on_hold")
            yield "agent_wait", last, self.parts_in("pending")

    def open_time(self, parts: Spans) -> timedelta | None:
        """The time in these parts that is in business hours; None without a calendar for a part of it."""
        return open_time(parts, lambda at: self.dims(at)["team"], [since for since, _ in self.assignees["team"]])

    def events(self, score: Scorer) -> list[tuple[datetime, Counted]]:
        """The time of each fact, and what it counts as."""
        if self.dropped is not None:
            return [(self.dropped, ("dropped", 1, {})), *under_presets(self)]
        plain = self.counted()
        ratings = self.latest("rating")
        plain += [("csat", when(r["at"]), form_and_value(r)) for r in ratings if r["value"] is not None]
        events: list[tuple[datetime, Counted]] = [(at, (kind, value, {})) for kind, at, value in plain]
        events += under_presets(self)
        for fact in [self.opened, *self.messages(), *ratings]:
            if fact.get("by", "customer") == "customer" and fact.get("text", "").strip():
                events += [(when(fact["at"]), counted) for counted in counted_of_comment(self.subject, fact["text"], score)]
        return events

    def counted(self) -> list[tuple[str, datetime, Any]]:
        """The facts that KPIs of tickets count: the kind, time and value of each."""
        plain: list[tuple[str, datetime, Any]] = [("opened", self.at, 1), ("cohort", self.at, self.is_solved)]
        plain += [("solved", at, 1) for at in self.solved]
        plain += [("reopened", at, 1) for at in self.reopened]
        plain += [(f"target_{metric}", at, met) for metric, at, met, _ in self.targets]
        for first in self.solved[:1]:
            plain += [("first_solve", first, int(bool(self.reopened)))]
        if self.is_solved:
            plain += [("standing_solve", self.solved[-1], 1)]
            plain += [("touched", self.solved[-1], (len(self.replies()), len(self.replies()) == 1 and not self.reopened))]
        for kind, at, parts in self.spans():
            plain += [(kind, at, sum((until - since for since, until in parts), timedelta()))]
        return [*plain, *self.durations_in_business(self.open_time)]

    def durations_in_business(self, open_time: Callable[[Spans], timedelta | None]) -> Iterator[tuple[str, datetime, timedelta]]:
        """Those of its durations that had a calendar, as `open_time` has them.

        The times in statuses are parts of the time to the last solve: without a calendar for a part of that there are none.
        """
        whole = self.is_solved and open_time([(self.at, self.solved[-1])])
        for kind, at, parts in self.spans():
            duration = open_time(parts)
            if duration is not None and not (kind in OF_LIFE and whole is None):
                yield f"{kind}_business", at, duration


def of_ticket(subject: Subject, score: Scorer) -> list[Fact]:
    if not Ticket.is_known(subject):
        return []
    ticket = Ticket(subject)
    owner = customer(ticket.records)
    facts = [
        Fact(kind, at, value, ticket.dims_of(kind, at), owner, subject.name, lists)
        for at, (kind, value, lists) in ticket.events(score)
    ]
    for target in ticket.targets_by_application:
        dims = ticket.dims(target.at) | {"priority": target.priority}
        facts.append(Fact(f"target_{target.metric}@dbt_zendesk", target.at, target.met, dims, owner, subject.name))
    return facts

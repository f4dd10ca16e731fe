"""The preset `dbt_zendesk`, written from its rules: minutes of the clock, staff with bots, dropped tickets included."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.e2e.model.dbt_zendesk_sla import OPEN, Calendars, Target, Targets, second
from tests.e2e.model.facts import Counted, when

if TYPE_CHECKING:
    from tests.e2e.model.tickets import Ticket

TIMES = {"handling": ("new", "open"), "requester_wait": ("new", "open", "on_hold"), "agent_wait": ("pending",)}


def under_dbt_zendesk(ticket: Ticket) -> list[tuple[datetime, Counted]]:
    """The facts of a ticket but its SLA targets, each with its time."""
    facts = [*replies(ticket), *solves(ticket)]
    return [(at, (f"{kind}@dbt_zendesk", value, {})) for kind, at, value in facts]


def targets(ticket: Ticket) -> tuple[list[Target], dict[str, str]]:
    """The SLA targets of a ticket that count, and by metric the state of one that doesn't."""
    history = status_history(ticket)
    staff = [at for at, party in talk(ticket) if party == "the staff"]
    all_of_ticket = Targets(ticket, history, solve_times(history), staff)
    return list(all_of_ticket.all(first_reply(ticket), waits(ticket))), all_of_ticket.unfinished


def minutes(start: datetime, end: datetime) -> timedelta:
    """⌊end / 60⌋ − ⌊start / 60⌋, in minutes."""
    return timedelta(minutes=int(end.timestamp() // 60) - int(start.timestamp() // 60))


def talk(ticket: Ticket) -> list[tuple[datetime, str]]:
    """The public messages after the opening, of one time the customer's first."""
    public = [m for m in ticket.messages() if m.get("public", True) and when(m["at"]) > ticket.at]
    turns = [(when(m["at"]), "the customer" if m["by"] == "customer" else "the staff") for m in public]
    return sorted(entry for entry, m in zip(turns, public, strict=True) if m["by"] != "customer" or not m.get("auto"))


def opening(ticket: Ticket) -> list[tuple[datetime, str]]:
    """The opening as a public message; none if the customer doesn't see it."""
    party = "the customer" if ticket.opened["by"] == "customer" else "the staff"
    return [(ticket.at, party)] if ticket.opened.get("public", True) else []


def replies(ticket: Ticket) -> Iterator[tuple[str, datetime, Any]]:
    staff = [at for at, party in talk(ticket) if party == "the staff"]
    if reply := first_reply(ticket):
        yield from reply_time(ticket, ("replied", "created"), ticket.at, reply)
    for since in waits(ticket):
        if later := [at for at in staff if second(at) > second(since)]:
            yield from reply_time(ticket, ("next_replied", "next_asked"), since, later[0])


def first_reply(ticket: Ticket) -> datetime | None:
    """The first public staff message after the opening's second."""
    return next((at for at, party in talk(ticket) if party == "the staff" and second(at) > second(ticket.at)), None)


def waits(ticket: Ticket) -> list[datetime]:
    """The times of the customer's messages whose previous public message was the staff's; of one second the customer's first."""
    by_seconds = sorted(talk(ticket), key=lambda turn: (second(turn[0]), turn[1], turn[0]))
    turns = itertools.pairwise([*opening(ticket), *by_seconds])
    return [at for (_, before), (at, party) in turns if (before, party) == ("the staff", "the customer")]


def reply_time(ticket: Ticket, kinds: tuple[str, str], start: datetime, reply: datetime) -> Iterator[tuple[str, datetime, Any]]:
    """The time of a reply, filed by its end and by its beginning."""
    for kind, at in zip(kinds, (reply, start), strict=True):
        yield kind, at, second(reply) - second(start)
        if (duration := Calendars(ticket).open_seconds([(start, reply)])) is not None:
            yield f"{kind}_business", at, duration


def status_history(ticket: Ticket) -> list[tuple[datetime, str]]:
    """The changes of its status, deletions and restorations included."""
    changes = [(at, 0, number, status) for number, (at, status) in enumerate(ticket.statuses)]
    deletions = {when(f["at"]): f.get("value", True) for f in ticket.facts if f["fact"] == "deleted"}
    changes += [(max(at, ticket.at), 1, 0, "deleted" if value else "restored") for at, value in deletions.items()]
    history: list[tuple[datetime, str]] = []
    old = "new"
    for at, _, _, status in sorted(changes):
        new = old if status == "restored" else status
        if status == "restored" and (not history or history[-1][1] != "deleted"):
            continue
        old = old if new == "deleted" else new
        if not history or history[-1][1] != new:
            history.append((at, new))
    return history


def is_solved(history: list[tuple[datetime, str]]) -> bool:
    return history[-1][1] in ("solved", "closed")


def solve_times(history: list[tuple[datetime, str]]) -> list[datetime]:
    """The times of `solved`; those of `closed` only if the ticket was never solved."""
    return [at for at, status in history if status == "solved"] or [at for at, status in history if status == "closed"]


def solves(ticket: Ticket) -> Iterator[tuple[str, datetime, Any]]:
    history, calendars = status_history(ticket), Calendars(ticket)
    solved = solve_times(history)
    yield "opened", ticket.at, 1
    yield "cohort", ticket.at, is_solved(history)
    for number, at in enumerate(solved):
        yield "solved", at, 1
        if number:
            yield "reopened", at, 1
    for first in solved[:1]:
        yield "first_resolution", first, minutes(ticket.at, first)
        yield "full_resolution", solved[-1], minutes(ticket.at, solved[-1])
        yield "first_solve", first, int(len(solved) > 1)
    if is_solved(history):
        last = solved[-1]
        yield "standing_solve", last, 1
        yield "touched", last, touched(ticket)
        if (first_resolution := calendars.open_seconds([(ticket.at, solved[0])])) is not None:
            yield "first_resolution_business", solved[0], first_resolution
        if (full_resolution := calendars.open_seconds([(ticket.at, last)])) is not None:
            yield "full_resolution_business", last, full_resolution
        for kind, statuses in TIMES.items():
            parts = [(a, b) for (a, status), (b, _) in itertools.pairwise(history) if status in statuses]
            yield kind, last, sum((minutes(a, b) for a, b in parts), timedelta())
            if full_resolution is not None and (duration := calendars.open_seconds(parts)) is not None:
                yield f"{kind}_business", last, duration


def touched(ticket: Ticket) -> tuple[int, bool]:
    """The replies: staff messages but the first message; and whether there is one message of staff, the opening included."""
    parties = [party for _, party in (*opening(ticket), *talk(ticket))]
    return parties[1:].count("the staff"), parties.count("the staff") == 1


def is_open_just_before(ticket: Ticket, t: datetime) -> bool:
    """Whether the backlog holds it. A deleted ticket is neither solved nor open, one that is merged or spam may be open."""
    return ticket.at < t and [status for at, status in status_history(ticket) if at < t][-1] in OPEN


def is_breached_just_before(ticket: Ticket, t: datetime) -> bool:
    """Whether it is open and past a deadline, of any policy that applied."""
    breaches = [(target.at, target.end) for target in ticket.targets_by_application if not target.met]
    return any(deadline < t and (end is None or t <= end) for deadline, end in breaches) and is_open_just_before(ticket, t)

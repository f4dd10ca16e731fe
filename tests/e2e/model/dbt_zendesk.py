"""The preset `dbt_zendesk`, written from its rules: minutes of the clock, staff with bots, dropped tickets included."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.e2e.model.facts import Counted, when

if TYPE_CHECKING:
    from tests.e2e.model.tickets import Ticket

TIMES = {"handling": ("new", "open"), "requester_wait": ("new", "open", "on_hold"), "agent_wait": ("pending",)}


def under_dbt_zendesk(ticket: Ticket) -> list[tuple[datetime, Counted]]:
    """The facts of a ticket, each with its time."""
    facts = [*replies(ticket), *solves(ticket)]
    return [(at, (f"{kind}@dbt_zendesk", value, {})) for kind, at, value in facts]


def second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def minutes(start: datetime, end: datetime) -> timedelta:
    """⌊end / 60⌋ − ⌊start / 60⌋, in minutes."""
    return timedelta(minutes=int(end.timestamp() // 60) - int(start.timestamp() // 60))


def talk(ticket: Ticket) -> list[tuple[datetime, str]]:
    """The public messages after the opening, of one time the customer's first."""
    public = [m for m in ticket.messages() if m.get("public", True) and when(m["at"]) > ticket.at]
    turns = [(when(m["at"]), "the customer" if m["by"] == "customer" else "the staff") for m in public]
    return sorted(entry for entry, m in zip(turns, public, strict=True) if m["by"] != "customer" or not m.get("auto"))


def replies(ticket: Ticket) -> Iterator[tuple[str, datetime, Any]]:
    messages = [(ticket.at, "the customer" if ticket.opened["by"] == "customer" else "the staff"), *talk(ticket)]
    staff = [at for at, party in talk(ticket) if party == "the staff"]
    for reply in [at for at in staff if second(at) > second(ticket.at)][:1]:
        yield "replied", reply, second(reply) - second(ticket.at)
        yield "created", ticket.at, second(reply) - second(ticket.at)
    for (_, before), (at, party) in itertools.pairwise(messages):
        later = [one for one in staff if one >= at]
        if before == "the staff" and party == "the customer" and later:
            yield "next_replied", later[0], second(later[0]) - second(at)
            yield "next_asked", at, second(later[0]) - second(at)


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


def solves(ticket: Ticket) -> Iterator[tuple[str, datetime, Any]]:
    history = status_history(ticket)
    solved = [at for at, status in history if status == "solved"] or [at for at, status in history if status == "closed"]
    is_solved = history[-1][1] in ("solved", "closed")
    yield "opened", ticket.at, 1
    yield "cohort", ticket.at, is_solved
    for number, at in enumerate(solved):
        yield "solved", at, 1
        if number:
            yield "reopened", at, 1
    for first in solved[:1]:
        yield "first_resolution", first, minutes(ticket.at, first)
        yield "full_resolution", solved[-1], minutes(ticket.at, solved[-1])
        yield "first_solve", first, int(len(solved) > 1)
    if is_solved:
        last = solved[-1]
        yield "standing_solve", last, 1
        yield "touched", last, touched(ticket)
        for kind, statuses in TIMES.items():
            parts = [minutes(a, b) for (a, status), (b, _) in itertools.pairwise(history) if status in statuses]
            yield kind, last, sum(parts, timedelta())


def touched(ticket: Ticket) -> tuple[int, bool]:
    """The replies, and whether there is one public message of staff, the opening included."""
    staff = sum(party == "the staff" for _, party in talk(ticket))
    return staff, staff + (ticket.opened["by"] != "customer") == 1

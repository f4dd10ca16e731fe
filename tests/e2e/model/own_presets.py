"""Presets of a tenant's own, one for each switch, written from the definitions of the switches."""

import copy
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.model.business import open_time
from tests.e2e.model.facts import when
from tests.e2e.model.presets import chatwoot
from tests.e2e.model.tickets import DONE, OF_LIFE, Ticket

Facts = Iterator[tuple[str, datetime, Any]]
"""The kind of each fact, its time and its value."""

GRACE = timedelta(minutes=10_080)
RESOLUTIONS = ("first_resolution", "full_resolution")
SOLVES = ("cohort", "solved", "reopened", "first_solve", "standing_solve")
REPLIES = ("replied", "created")
TARGETS = ("target_first_reply", "target_next_reply")


def in_both_hours(*kinds: str) -> tuple[str, ...]:
    return tuple(f"{kind}{hours}" for kind in kinds for hours in ("", "_business"))


class WithBots(Ticket):
    """A ticket whose first reply may be a bot's or an automatic one."""

    def first_reply(self) -> datetime | None:
        public = [m for m in self.messages() if m["by"] != "customer" and m.get("public", True)]
        return min((at for m in public if (at := when(m["at"])) > self.at), default=None)


def with_bots(ticket: Ticket) -> Facts:
    other = copy.copy(ticket)
    other.__class__ = WithBots
    other.compute_targets()
    yield from other.counted()


def with_grace(ticket: Ticket, *, needs_agent: bool = False) -> Facts:
    """A reopening that is solved again in time leaves the ticket solved."""
    other = copy.copy(ticket)
    other.statuses = list(ticket.statuses)
    for start in ticket.reopened:
        end = next((at for at in ticket.solved if at >= start), None)
        replied = end and any(start <= at <= end for at in ticket.replies())
        if end and end - start <= GRACE and not (needs_agent and replied):
            first = next(n for n, (at, status) in enumerate(other.statuses) if at == start and status not in DONE)
            last = next(n for n, (_, status) in enumerate(other.statuses) if n > first and status in DONE)
            del other.statuses[first:last]
    other.solved, other.reopened = other.passages()
    other.compute_targets()
    yield from other.counted()


def keeping_dropped(ticket: Ticket) -> Facts:
    yield from ticket.counted()


def in_minutes(ticket: Ticket) -> Facts:
    """A resolution runs from the minute of the opening to that of the solve."""
    start = ticket.at.replace(second=0, microsecond=0)
    times = {"first_resolution": ticket.solved[:1], "full_resolution": ticket.solved[-1:] if ticket.is_solved else []}
    for kind, ends in times.items():
        for at in ends:
            end = at.replace(second=0, microsecond=0)
            yield kind, at, end - start
            if (duration := ticket.open_time([(start, end)])) is not None:
                yield f"{kind}_business", at, duration


def touched(ticket: Ticket, *, at_most: int | None = None, with_opening: bool = False) -> Facts:
    replies = len(ticket.replies())
    first = with_opening and ticket.opened["by"] == "agent" and ticket.opened.get("public", True)
    touches = replies + first
    one_touch = touches <= at_most if at_most is not None else touches == 1 and not ticket.reopened
    if ticket.is_solved:
        yield "touched", ticket.solved[-1], (replies, one_touch)


def fulfilled(ticket: Ticket) -> Facts:
    for metric, at, met, _ in ticket.targets_fulfilled_by_solves:
        yield f"target_{metric}", at, met


def by_one_team(ticket: Ticket, place: str) -> Facts:
    """Business hours by the calendar of one team for the whole ticket."""
    teams = ticket.assignees["team"]
    last = teams[-1][1] if teams else None
    team = last if place == "last" else ticket.dims(ticket.at)["team"]
    yield from ticket.durations_in_business(lambda parts: open_time(parts, lambda at: team, []))


OWN: dict[str, tuple[dict[str, Any], tuple[str, ...], Callable[[Ticket], Facts]]] = {
    "bots": ({"first_reply": {"counts_bots": True}}, (*in_both_hours(*REPLIES), "target_first_reply"), with_bots),
    "handoff": (
        {"first_reply": {"from": "handoff"}},
        in_both_hours(*REPLIES),
        chatwoot,
    ),
    "grace": (
        {"reopen": {"grace_minutes": 10_080}},
        (*SOLVES, *in_both_hours("full_resolution", *OF_LIFE), "touched", *TARGETS, "target_resolution"),
        with_grace,
    ),
    "grace_without_agent": (
        {"reopen": {"grace_minutes": 10_080, "grace_needs_agent": True}},
        (*SOLVES, *in_both_hours("full_resolution", *OF_LIFE), "touched", *TARGETS, "target_resolution"),
        lambda ticket: with_grace(ticket, needs_agent=True),
    ),
    "minutes": ({"resolution": {"clock": "minutes"}}, in_both_hours(*RESOLUTIONS), in_minutes),
    "two_replies": ({"one_touch": {"max_replies": 2}}, ("touched",), lambda ticket: touched(ticket, at_most=2)),
    "opening": ({"one_touch": {"counts_opening": True}}, ("touched",), lambda ticket: touched(ticket, with_opening=True)),
    "dropped": (
        {"dropped": {"keep": True}},
        (*SOLVES, "opened", *in_both_hours(*REPLIES, *RESOLUTIONS, *OF_LIFE), "touched", *TARGETS, "target_resolution"),
        keeping_dropped,
    ),
    "fulfilled": ({"sla": {"solve_fulfils": True}}, TARGETS, fulfilled),
    "first_team": (
        {"business": {"schedules": "opening"}},
        tuple(f"{kind}_business" for kind in (*REPLIES, *RESOLUTIONS, *OF_LIFE)),
        lambda ticket: by_one_team(ticket, "opening"),
    ),
    "last_team": (
        {"business": {"schedules": "last"}},
        tuple(f"{kind}_business" for kind in (*REPLIES, *RESOLUTIONS, *OF_LIFE)),
        lambda ticket: by_one_team(ticket, "last"),
    ),
}
"""By id: the body, the kinds of facts that it changes, and the facts of a ticket under it."""

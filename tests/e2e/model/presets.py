"""The presets `zendesk`, `intercom` and `chatwoot`, written from their rules; `dbt_zendesk` has a module of its own.

A rule that a vendor doesn't state is ours. Where the vendors leave a choice, the model makes the one that docs/presets.md states.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.e2e.model.business import open_time
from tests.e2e.model.dbt_zendesk import under_dbt_zendesk
from tests.e2e.model.facts import Counted

if TYPE_CHECKING:
    from tests.e2e.model.tickets import Ticket

DONE = {"solved", "closed"}
DURATIONS = ("first_reply_time", "first_resolution_time", "full_resolution_time", "handling_time", "requester_wait", "agent_wait")

KPIS: dict[str, tuple[str, ...]] = {
    "dbt_zendesk": (
        *DURATIONS,
        "next_reply_time",
        "agent_replies",
        "one_touch_rate",
        "no_reply_rate",
        "reopen_rate",
        "resolution_rate",
        "resolution_rate_cohort",
        "tickets_opened",
        "tickets_solved",
        "tickets_reopened",
        "backlog",
        "backlog_age",
        "sla_first_reply",
        "sla_next_reply",
        "sla_resolution",
        "sla_breached_open",
    ),
    "zendesk": (
        *DURATIONS,
        "next_reply_time",
        "one_touch_rate",
        "no_reply_rate",
        "sla_first_reply",
        "sla_next_reply",
        "sla_resolution",
        "sla_breached_open",
    ),
    "intercom": ("first_reply_time", "agent_replies", "tickets_solved", "tickets_reopened", "reopen_rate"),
    "chatwoot": ("csat", "first_reply_time", "first_resolution_time", "full_resolution_time", "tickets_solved"),
}
"""The KPIs that the model computes under each preset: those that it changes, and some that it doesn't."""

OWN_FACTS: dict[str, frozenset[str]] = {
    "zendesk": frozenset(
        [
            "touched",
            "target_first_reply",
            "target_next_reply",
            *(f"{kind}_business" for kind in ("replied", "created", "first_resolution", "full_resolution")),
            *(f"{kind}_business" for kind in ("handling", "requester_wait", "agent_wait")),
        ]
    ),
    "intercom": frozenset(["solved", "reopened"]),
    "chatwoot": frozenset(f"{kind}{hours}" for kind in ("replied", "created", "full_resolution") for hours in ("", "_business")),
}
"""The kinds of facts that a preset has of its own; others are ours. `dbt_zendesk` has all."""

DEFAULTS = {("intercom", "first_reply_time"): {"filed_by": "created"}, ("intercom", "agent_replies"): {"agg": "p50"}}
"""Parameters that a preset has other defaults for."""


def kind_under(preset: str, kind: str) -> str:
    """The kind of fact that a KPI counts under a preset in place of ours."""
    return f"{kind}@{preset}" if preset and kind in OWN_FACTS.get(preset, (kind,)) else kind


def under_presets(ticket: Ticket) -> list[tuple[datetime, Counted]]:
    """The facts of a ticket under all presets, each with its time. Only `dbt_zendesk` counts dropped tickets."""
    facts = under_dbt_zendesk(ticket)
    if ticket.dropped is None:
        for preset, of_preset in (("zendesk", zendesk(ticket)), ("intercom", intercom(ticket)), ("chatwoot", chatwoot(ticket))):
            facts += [(at, (f"{kind}@{preset}", value, {})) for kind, at, value in of_preset]
    return facts


def zendesk(ticket: Ticket) -> Iterator[tuple[str, datetime, Any]]:
    """One touch is fewer than two replies. A solve fulfils the target of a reply. Durations are by the last schedule."""
    if ticket.is_solved:
        replies = len(ticket.replies())
        yield "touched", ticket.solved[-1], (replies, replies < 2)
    for metric, at, met, _ in ticket.targets_fulfilled_by_solves:
        if metric != "resolution":
            yield f"target_{metric}", at, met
    teams = ticket.assignees["team"]
    last = teams[-1][1] if teams else None
    yield from ticket.durations_in_business(lambda parts: open_time(parts, lambda at: last, []))


def intercom(ticket: Ticket) -> Iterator[tuple[str, datetime, Any]]:
    """Each part that closes is a solve, each part that opens after the first of them a reopening."""
    is_closed_once = False
    for at, status in ticket.statuses:
        if status in DONE:
            yield "solved", at, 1
            is_closed_once = True
        elif status == "open" and is_closed_once:
            yield "reopened", at, 1


def chatwoot(ticket: Ticket) -> Iterator[tuple[str, datetime, Any]]:
    """Each resolve is a resolution from the opening. First replies count from the latest hand-off or reopening before them."""
    for at in ticket.solved:
        yield from both("full_resolution", at, ticket, ticket.at, at)
    for reply in ticket.replies()[:1]:
        begins = [at for (_, before), (at, status) in itertools.pairwise(ticket.statuses) if (before, status) == HANDOFF]
        since = max((at for at in (*begins, *ticket.reopened) if at <= reply), default=ticket.at)
        yield from both("replied", reply, ticket, since, reply)
        yield from both("created", ticket.at, ticket, since, reply)


HANDOFF = ("pending", "open")
"""The change of status by which a bot hands a conversation over."""


def both(kind: str, at: datetime, ticket: Ticket, start: datetime, end: datetime) -> Iterator[tuple[str, datetime, timedelta]]:
    """A duration in all seconds and, with calendars, in business hours."""
    yield kind, at, end - start
    if (duration := ticket.open_time([(start, end)])) is not None:
        yield f"{kind}_business", at, duration

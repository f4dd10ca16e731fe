"""The rows of the ticket export and of the list of deadlines, from the facts of the model."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.model.facts import Fact, when
from tests.e2e.model.model import Model
from tests.e2e.model.presets import kind_under
from tests.e2e.model.tickets import Ticket

DURATIONS = {
    "replied": "first_reply",
    "next_replied": "next_reply",
    **{name: name for name in ("first_resolution", "full_resolution", "handling", "requester_wait", "agent_wait")},
}
"""The column of each kind of duration, without its ending."""
TARGETS = ("first_reply", "next_reply", "resolution")
OF_SOLVED = ("handling", "requester_wait", "agent_wait")
"""Durations that run until now under `dbt_zendesk` while a ticket is not solved."""

PRESETS = ("", "dbt_zendesk", "zendesk", "chatwoot")
"""The presets under which the export is compared."""


def exported(model: Model, preset: str) -> dict[str, dict[str, Any]]:
    """By ticket, the value of each column that the model computes."""
    counted = [ticket for ticket in model.tickets if ticket.dropped is None or preset == "dbt_zendesk"]
    facts: dict[str, list[Fact]] = {ticket.subject.name: [] for ticket in counted}
    for fact in model.facts:
        if fact.subject in facts:
            facts[fact.subject].append(fact)
    return {ticket.subject.name: dict(columns(ticket, facts[ticket.subject.name], preset)) for ticket in counted}


def columns(ticket: Ticket, facts: list[Fact], preset: str) -> Iterator[tuple[str, Any]]:
    def values(kind: str) -> list[Any]:
        return [fact.value for fact in facts if fact.kind == kind_under(preset, kind)]

    yield "opened", ticket.at
    touched = next(iter(values("touched")), None)
    runs_until_now = preset == "dbt_zendesk" and touched is None
    for kind, column in DURATIONS.items():
        if not (runs_until_now and kind in OF_SOLVED):
            yield f"{column}_seconds", whole_seconds(values(kind))
            yield f"{column}_business_seconds", whole_seconds(values(f"{kind}_business"))
    yield "total_reply_seconds", whole_seconds([*values("replied"), *values("next_replied")])
    yield "reopens", None if preset == "dbt_zendesk" and not values("solved") else len(values("reopened"))
    if not runs_until_now:
        yield "agent_replies", touched and touched[0]
    yield "one_touch", touched and touched[1]
    for metric in TARGETS:
        met = values(f"target_{metric}")
        unfinished = (
            ticket.unfinished_by_application.get(metric) if preset == "dbt_zendesk" else ticket.own_targets.unfinished.get(metric)
        )
        yield f"sla_{metric}", unfinished if not met else "met" if all(met) else "breached"
    breaches = values("target_next_reply")
    yield "sla_next_reply_breaches", breaches.count(0) if breaches else None
    ratings = sorted((when(one["at"]), one["value"]) for one in ticket.latest("rating") if one["value"] is not None)
    if len({at for at, _ in ratings}) == len(ratings):
        yield "csat", ratings[-1][1] if ratings else None


def whole_seconds(durations: list[timedelta]) -> int | None:
    """The sum of whole seconds; None of nothing."""
    return sum(duration // timedelta(seconds=1) for duration in durations) if durations else None


def due(model: Model) -> set[tuple[str, str, datetime]]:
    """The targets of open tickets that are not met, each with its deadline."""
    return {(ticket.subject.name, metric, at) for ticket in model.tickets for metric, at in ticket.due()}

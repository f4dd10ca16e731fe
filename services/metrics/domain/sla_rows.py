"""The rows of a ticket's SLA targets."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from services.metrics.domain.measure import Measure
from services.metrics.domain.preset_tickets import with_settled_teams
from services.metrics.domain.rows import DimsAt, Row, level_rows, parts_between
from services.metrics.domain.sla import applications_of, applied_policy
from services.metrics.domain.sla_targets import Metric, Outcome, outcomes_by_application, outcomes_of
from services.metrics.domain.statuses import Period
from services.metrics.domain.terms import Terms
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.ticket_measures import (
    SLA_DUE,
    SLA_DUE_NEXT_REPLY,
    SLA_DUE_RESOLUTION,
    SLA_FIRST_REPLY,
    SLA_NEXT_REPLY,
    SLA_OVERDUE,
    SLA_RESOLUTION,
)
from services.metrics.domain.view import PRIORITY, Dims, SubjectView

TARGETS: dict[Metric, Measure] = {"first_reply": SLA_FIRST_REPLY, "next_reply": SLA_NEXT_REPLY, "resolution": SLA_RESOLUTION}
"""The measures of the targets that were met or breached."""

DUE: dict[Metric, str] = {
    "first_reply": SLA_DUE.family,
    "next_reply": SLA_DUE_NEXT_REPLY.family,
    "resolution": SLA_DUE_RESOLUTION.family,
}
"""The measures of the open tickets with a deadline, by what is due."""


def sla_rows(
    view: SubjectView, ticket: TicketView, terms: Terms, dims_at: DimsAt, *, solve_fulfils: bool = False
) -> Iterator[tuple[Row, Dims]]:
    """The rows of a ticket's targets, with the priority that it had when the policy applied; none without a target.

    `solve_fulfils`: a solve meets the target of a reply as the reply does.
    """
    applied = applied_policy(terms.policies, view, ticket)
    if applied is None:
        return
    sla_dims_at = with_priority(dims_at, applied.priority)
    outcomes = list(outcomes_of(applied.policy, terms.hours, ticket, solve_fulfils=solve_fulfils))
    for outcome in outcomes:
        yield outcome_row(outcome), sla_dims_at(outcome.at)
    yield from overdue_rows(outcomes, ticket, sla_dims_at)
    breaches = [outcome for outcome in outcomes if not outcome.met]
    if ticket.current_solve is None:
        for breach in breaches:
            if breach.ended is None:
                latest = max((breach.at, *ticket.teams.times, *ticket.agents.times))
                yield (DUE[breach.metric], breach.at, applied.key.number, applied.key.number), sla_dims_at(latest)


def sla_rows_by_application(view: SubjectView, ticket: TicketView, terms: Terms, dims_at: DimsAt) -> Iterator[tuple[Row, Dims]]:
    """The rows of the targets that each policy gives a ticket when it applies, with the priority at that time.

    The calendar that is set soon after the opening counts from the opening (`settled_teams`).
    Rows of SLA_OVERDUE have the priority that the ticket had when the last policy applied. The measures of open tickets with a
    deadline get no rows.
    """
    applications = list(applications_of(terms.policies, view, ticket))
    if not applications:
        return
    outcomes = list(outcomes_by_application(applications, terms.hours, with_settled_teams(ticket)))
    for applied, outcome in outcomes:
        yield outcome_row(outcome), with_priority(dims_at, applied.priority)(outcome.at)
    yield from overdue_rows([outcome for _, outcome in outcomes], ticket, with_priority(dims_at, applications[-1][1].priority))


def with_priority(dims_at: DimsAt, priority: str | None) -> DimsAt:
    """The dimensions with this priority in place of the ticket's latest."""

    def sla_dims_at(at: datetime) -> Dims:
        dims = dims_at(at)
        return (*dims[:PRIORITY], priority, *dims[PRIORITY + 1 :])

    return sla_dims_at


def outcome_row(outcome: Outcome) -> Row:
    """The row of a target that was met or breached."""
    return TARGETS[outcome.metric].family, outcome.at, int(outcome.met), int(outcome.met)


def overdue_rows(outcomes: Iterable[Outcome], ticket: TicketView, dims_at: DimsAt) -> Iterator[tuple[Row, Dims]]:
    """The steps of the number of open tickets that are past a deadline."""
    breaches = [outcome for outcome in outcomes if not outcome.met]
    overdue = union(part for breach in breaches for part in parts_between(ticket.unsolved, breach.at, breach.ended))
    for at, change, dims in level_rows(overdue, ticket, dims_at):
        yield (SLA_OVERDUE.family, at, change, change), dims


def union(periods: Iterable[Period]) -> Iterator[Period]:
    """The instants that are in any of the periods, as periods that don't overlap."""
    ordered = sorted(periods, key=lambda period: period[0])
    while ordered:
        start, end = ordered.pop(0)
        while ordered and (end is None or ordered[0][0] < end):
            _, other = ordered.pop(0)
            end = None if end is None or other is None else max(end, other)
        yield start, end

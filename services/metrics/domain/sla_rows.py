"""The rows of a ticket's SLA targets."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from services.metrics.domain.rows import DimsAt, Period, Row, level_rows, open_periods, parts_between
from services.metrics.domain.sla import applied_policy
from services.metrics.domain.sla_targets import Metric, outcomes_of
from services.metrics.domain.terms import Terms
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.ticket_measures import SLA_DUE, SLA_DUE_NEXT_REPLY, SLA_DUE_RESOLUTION
from services.metrics.domain.view import PRIORITY, Dims, SubjectView

DUE: dict[Metric, str] = {
    "first_reply": SLA_DUE.family,
    "next_reply": SLA_DUE_NEXT_REPLY.family,
    "resolution": SLA_DUE_RESOLUTION.family,
}
"""The measures of the open tickets with a deadline, by what is due."""


def sla_rows(view: SubjectView, ticket: TicketView, terms: Terms, dims_at: DimsAt) -> Iterator[tuple[Row, Dims]]:
    """The rows of a ticket's targets, with the priority at which the policy applied; none without a target."""
    applied = applied_policy(terms.policies, view, ticket)
    if applied is None:
        return

    def sla_dims_at(at: datetime) -> Dims:
        dims = dims_at(at)
        return (*dims[:PRIORITY], applied.priority, *dims[PRIORITY + 1 :])

    outcomes = list(outcomes_of(applied.policy, terms.hours, ticket))
    for outcome in outcomes:
        yield (f"sla_{outcome.metric}", outcome.at, int(outcome.met), int(outcome.met)), sla_dims_at(outcome.at)
    breaches = [outcome for outcome in outcomes if not outcome.met]
    overdue = union(part for breach in breaches for part in parts_between(open_periods(ticket), breach.at, breach.ended))
    for at, change, dims in level_rows(overdue, ticket, sla_dims_at):
        yield ("sla_overdue", at, change, change), dims
    if ticket.current_solve is None:
        for breach in breaches:
            if breach.ended is None:
                latest = max((breach.at, *ticket.teams.times, *ticket.agents.times))
                yield (DUE[breach.metric], breach.at, applied.key.number, applied.key.number), sla_dims_at(latest)


def union(periods: Iterable[Period]) -> Iterator[Period]:
    """The instants that are in any of the periods, as periods that don't overlap."""
    ordered = sorted(periods, key=lambda period: period[0])
    while ordered:
        start, end = ordered.pop(0)
        while ordered and (end is None or ordered[0][0] < end):
            _, other = ordered.pop(0)
            end = None if end is None or other is None else max(end, other)
        yield start, end

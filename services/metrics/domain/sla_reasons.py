"""Why a ticket has no outcome of an SLA target: its target is neither met nor breached, and has no deadline."""

from collections.abc import Sequence
from typing import Literal

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.preset_tickets import with_settled_teams
from services.metrics.domain.presets import OURS, Rules
from services.metrics.domain.sla import Policy, applications_of
from services.metrics.domain.sla_targets import Metric, given_by_application, periods_that_count, target_of
from services.metrics.domain.terms import Terms
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.view import SubjectView

NoOutcome = Literal["no_target", "no_value", "no_calendar", "paused", "cancelled"]
"""`no_value`: the customer never waited for a further reply. `paused`: the status stops the time of the resolution."""


def reason_without_outcome(metric: Metric, view: SubjectView, ticket: TicketView, terms: Terms, rules: Rules = OURS) -> NoOutcome:
    """Why a ticket has no outcome of any target of this metric. `ticket` is the ticket under the rules (`ticket_under`)."""
    policies = policies_with_target(metric, view, ticket, terms, rules)
    if not policies or (metric == "first_reply" and ticket.by_agent):
        return "no_target"
    if metric == "next_reply" and not ticket.waits:
        return "no_value"
    held = with_settled_teams(ticket) if rules.sla_per_application else ticket
    if any(lacks_calendar(metric, policy, terms.hours, held) for policy in policies):
        return "no_calendar"
    return "paused" if metric == "resolution" else "cancelled"


def policies_with_target(metric: Metric, view: SubjectView, ticket: TicketView, terms: Terms, rules: Rules) -> Sequence[Policy]:
    """The policies that give the ticket a target of this metric; of a next reply those that would if the customer waited."""
    applications = list(applications_of(terms.policies, view, ticket))
    if not rules.sla_per_application:
        applications = applications[:1]
    elif metric != "next_reply" or ticket.waits:
        return [applied.policy for applied, _ in given_by_application(metric, applications, ticket)]
    return [applied.policy for _, applied in applications if target_of(applied.policy, metric)]


def lacks_calendar(metric: Metric, policy: Policy, hours: BusinessHours, ticket: TicketView) -> bool:
    """Whether the target is in business hours, and there is no calendar for a part of its time."""
    target = target_of(policy, metric)
    return (
        target is not None
        and target.business
        and any(
            end is None or hours.open_time(start, end, ticket.teams) is None
            for start, end in periods_that_count(metric, policy, ticket)
        )
    )

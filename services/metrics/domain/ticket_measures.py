"""The measures of tickets and of their SLA targets."""

from dataclasses import replace

from services.metrics.domain.measure import TICKET, Measure

OPENED = Measure(family="opened", bins="count", unit="count", filed_by=("opened",), changed_by=TICKET)
DROPPED = Measure(family="dropped", bins="count", unit="count", filed_by=("dropped",), changed_by=TICKET)
SOLVED = Measure(family="solved", bins="count", unit="count", filed_by=("solved",), changed_by=TICKET)
REOPENED = Measure(family="reopened", bins="count", unit="count", filed_by=("reopened",), changed_by=TICKET)
BACKLOG = Measure(family="backlog", bins="level", unit="count", filed_by=("held",), changed_by=TICKET)
BACKLOG_AGE = Measure(family="backlog_age", bins="age", unit="count", filed_by=("held",), changed_by=TICKET)
"""The steps of the backlog, each in the bin of the ticket's opening."""
SOLVED_COHORT = Measure(family="opened_solved", bins="flag", unit="count", filed_by=("opened",), changed_by=TICKET)
"""Tickets by their opening; bin 1 if the ticket is solved or closed now."""
FIRST_REPLY = Measure(
    family="first_reply",
    bins="duration",
    unit="seconds",
    filed_by=("replied", "created"),
    changed_by=TICKET,
    qualifier="filed_by",
)
NEXT_REPLY = Measure(
    family="next_reply",
    bins="duration",
    unit="seconds",
    filed_by=("replied", "asked"),
    changed_by=TICKET,
    qualifier="filed_by",
)
"""The waits of customers after the first reply, each until a human agent's reply."""
FIRST_RESOLUTION = Measure(family="first_resolution", bins="duration", unit="seconds", filed_by=("solved",), changed_by=TICKET)
FULL_RESOLUTION = Measure(family="full_resolution", bins="duration", unit="seconds", filed_by=("solved",), changed_by=TICKET)
HANDLING = Measure(family="handling", bins="duration", unit="seconds", filed_by=("solved",), changed_by=TICKET)
REQUESTER_WAIT = Measure(family="requester_wait", bins="duration", unit="seconds", filed_by=("solved",), changed_by=TICKET)
AGENT_WAIT = Measure(family="agent_wait", bins="duration", unit="seconds", filed_by=("solved",), changed_by=TICKET)
"""The time of a solved ticket in some statuses: new and open; these and on hold; pending."""


def _in_business_hours(measure: Measure) -> Measure:
    """The same durations in business hours. A ticket has no row if for a part of the time there was no calendar."""
    return replace(measure, family=f"{measure.family}_business", all_seconds_family=measure.family)


FIRST_REPLY_BUSINESS = _in_business_hours(FIRST_REPLY)
NEXT_REPLY_BUSINESS = _in_business_hours(NEXT_REPLY)
FIRST_RESOLUTION_BUSINESS = _in_business_hours(FIRST_RESOLUTION)
FULL_RESOLUTION_BUSINESS = _in_business_hours(FULL_RESOLUTION)
HANDLING_BUSINESS = _in_business_hours(HANDLING)
REQUESTER_WAIT_BUSINESS = _in_business_hours(REQUESTER_WAIT)
AGENT_WAIT_BUSINESS = _in_business_hours(AGENT_WAIT)

BUSINESS_MEASURES: dict[str, Measure] = {
    measure.all_seconds_family: measure
    for measure in (
        FIRST_REPLY_BUSINESS,
        NEXT_REPLY_BUSINESS,
        FIRST_RESOLUTION_BUSINESS,
        FULL_RESOLUTION_BUSINESS,
        HANDLING_BUSINESS,
        REQUESTER_WAIT_BUSINESS,
        AGENT_WAIT_BUSINESS,
    )
}
"""The durations in business hours by the family of the same duration in all seconds."""

AGENT_REPLIES = Measure(family="agent_replies", bins="number", unit="replies", filed_by=("solved",), changed_by=TICKET)
"""The public messages by human agents after the opening of a ticket that is solved or closed."""
TOUCHES = Measure(family="touches", bins="kind", unit="count", filed_by=("solved",), changed_by=TICKET)
"""Tickets that are solved or closed: bin 0 without a reply, 1 with one and never reopened, 2 all others. Under a preset
3: without a reply, and one touch."""
CURRENT_SOLVE = Measure(family="standing_solve", bins="count", unit="count", filed_by=("solved",), changed_by=TICKET)
"""The last solve of a ticket that is solved or closed now."""
FIRST_SOLVE = Measure(family="first_solve", bins="flag", unit="count", filed_by=("first_solved",), changed_by=TICKET)
"""The first solve of a ticket; bin 1 if the ticket was ever reopened."""

# --- SLA ------------------------------------------------------------------------------------------------------------------
SLA_FIRST_REPLY = Measure(family="sla_first_reply", bins="flag", unit="count", filed_by=("met_or_breached",), changed_by=TICKET)
"""First replies that met their target, by their time; the others, in bin 0, by their deadline, which may lie in the future."""
SLA_NEXT_REPLY = replace(SLA_FIRST_REPLY, family="sla_next_reply")
"""The same of each reply that a customer waited for after the first one."""
SLA_RESOLUTION = replace(SLA_FIRST_REPLY, family="sla_resolution")
"""The same of resolutions: one that met its target is filed under the last solve."""
SLA_OVERDUE = Measure(family="sla_overdue", bins="level", unit="count", filed_by=("held",), changed_by=TICKET)
"""Steps of the number of open tickets that are past a deadline."""
SLA_DUE = Measure(family="sla_due", bins="policy", unit="policy", filed_by=("due",), changed_by=TICKET)
"""Open tickets without a reply, by their deadline, past or future. No KPI reads them: `/v1/sla/upcoming` lists them."""
SLA_DUE_NEXT_REPLY = replace(SLA_DUE, family="sla_due_next_reply")
"""The same of open tickets whose customer waits for a next reply."""
SLA_DUE_RESOLUTION = replace(SLA_DUE, family="sla_due_resolution")
"""The same of open tickets with a target for their resolution. While the time is paused before the deadline, there is no row."""

TICKET_MEASURES = (
    OPENED,
    DROPPED,
    SOLVED,
    REOPENED,
    BACKLOG,
    BACKLOG_AGE,
    SOLVED_COHORT,
    FIRST_REPLY,
    NEXT_REPLY,
    FIRST_RESOLUTION,
    FULL_RESOLUTION,
    HANDLING,
    REQUESTER_WAIT,
    AGENT_WAIT,
    *BUSINESS_MEASURES.values(),
    AGENT_REPLIES,
    TOUCHES,
    CURRENT_SOLVE,
    FIRST_SOLVE,
    SLA_FIRST_REPLY,
    SLA_NEXT_REPLY,
    SLA_RESOLUTION,
    SLA_OVERDUE,
    SLA_DUE,
    SLA_DUE_NEXT_REPLY,
    SLA_DUE_RESOLUTION,
)

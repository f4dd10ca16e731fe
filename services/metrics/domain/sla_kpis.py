"""The KPIs of SLA policies."""

from services.metrics.domain import estimators
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.ticket_measures import SLA_FIRST_REPLY, SLA_NEXT_REPLY, SLA_OVERDUE, SLA_RESOLUTION

SHARE = "100 · targets met / (targets met + targets breached)"
FILING = "a breach is filed under the deadline; the priority is that at which the policy applied"

SLA_KPIS = (
    Kpi(
        id="sla_first_reply",
        name="First replies within the SLA",
        formula=SHARE,
        unit="percent",
        direction="higher",
        population="tickets to which an SLA policy applied, except those that an agent opened, and those that were solved by the"
        f" deadline without a reply; a reply at the deadline meets the target; {FILING}",
        estimator=estimators.share(SLA_FIRST_REPLY, 1),
        of_policies=True,
    ),
    Kpi(
        id="sla_next_reply",
        name="Next replies within the SLA",
        formula=SHARE,
        unit="percent",
        direction="higher",
        population="waits of customers for a next reply (as of `next_reply_time`), of tickets to which an SLA policy with a"
        " target for it applied, except those that a solve ended by the deadline; a reply at the deadline meets the target;"
        f" {FILING}",
        estimator=estimators.share(SLA_NEXT_REPLY, 1),
        of_policies=True,
    ),
    Kpi(
        id="sla_resolution",
        name="Resolutions within the SLA",
        formula=SHARE,
        unit="percent",
        direction="higher",
        population="tickets to which an SLA policy with a target for the resolution applied; the time runs from the opening while"
        " the ticket is neither solved nor in a status that pauses it, and a reopening runs it on; a target that was met is filed"
        f" under the last solve, {FILING}",
        estimator=estimators.share(SLA_RESOLUTION, 1),
        of_policies=True,
    ),
    Kpi(
        id="sla_breached_open",
        version=2,
        name="Open tickets past an SLA deadline",
        formula="tickets not solved or closed just before the instant, and past the deadline of a reply that they still lack, or"
        " of their resolution",
        unit="count",
        direction="lower",
        population="tickets with an SLA target; one that is past several deadlines counts once; `next_breach` is the earliest"
        " deadline ahead of an open ticket, null in rows that end before the present and under a preset with targets of its own",
        estimator=estimators.level(SLA_OVERDUE),
        min_n=0,
        of_policies=True,
        has_next_breach=True,
    ),
)

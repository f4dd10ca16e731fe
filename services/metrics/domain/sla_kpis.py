"""The KPIs of SLA policies."""

from services.metrics.domain import estimators
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.measures import SLA_FIRST_REPLY, SLA_OVERDUE

SLA_KPIS = (
    Kpi(
        id="sla_first_reply",
        name="First replies within the SLA",
        formula="100 · targets met / (targets met + targets breached)",
        unit="percent",
        direction="higher",
        population="tickets to which an SLA policy applied, but those that an agent opened, and those that were solved by the"
        " deadline without a reply; a reply at the deadline meets the target; a breach is filed under the deadline; the priority"
        " is that at which the policy applied",
        estimator=estimators.share(SLA_FIRST_REPLY, 1),
        of_policies=True,
    ),
    Kpi(
        id="sla_breached_open",
        name="Open tickets past an SLA deadline",
        formula="tickets not solved or closed just before the instant, and past the deadline of a target that no reply has ended",
        unit="count",
        direction="lower",
        population="tickets with an SLA target for their first reply",
        estimator=estimators.level(SLA_OVERDUE),
        min_n=0,
        of_policies=True,
    ),
)

"""The shadow report: what would change if a candidate model were promoted."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.estimator import Estimate
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.measures import COMMENTS
from services.metrics.domain.shadow import COMPARED, estimates, scored, selectors
from services.metrics.domain.windows import Between, Window, WindowName, resolve_window
from services.metrics.evaluation.promotion import require_known
from services.metrics.evaluation.source import Source
from services.metrics.store.models import coverage
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import histograms, snapshot
from services.metrics.store.selection import Selection, resolve
from services.metrics.store.shadow import ModelComparison, compare

EXAMPLES = 50
"""Comments in a report whose label would change."""


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """`candidate` beside the `promoted` model in a window. `histograms` are by measure."""

    candidate: str
    promoted: str
    window: Window
    histograms: dict[str, Histogram]
    comparison: ModelComparison

    @property
    def comments(self) -> int:
        """The number of comments in the window."""
        return self.histograms[COMMENTS.family].n if COMMENTS.family in self.histograms else 0

    @property
    def missing(self) -> int:
        """The number of comments that the candidate has not scored."""
        return self.comments - scored(self.histograms, self.candidate)

    @property
    def kpis(self) -> list[tuple[str, str, Estimate, Estimate]]:
        """Id and aggregation of each compared KPI, its value with the promoted model and with the candidate."""
        both = zip(COMPARED, estimates(self.histograms, self.promoted), estimates(self.histograms, self.candidate), strict=True)
        return [(kpi, agg, before, after) for (kpi, agg), before, after in both]


async def shadow_report(
    source: Source, tenant: str, candidate: str, window: WindowName | Between, zone: ZoneInfo | None, now: datetime
) -> ShadowReport:
    """Compare `candidate` with the promoted model on the data before `now`. `zone`: None is the tenant's.

    Raises UnknownModel if no comment of the tenant has a score of the candidate.
    """
    async with snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model)
        require_known(candidate, await coverage(connection, tenant), current.model)
        resolved = resolve_window(window, zone or ZoneInfo(current.zone), now)
        return await _compare(connection, current, candidate, resolved, now)


async def _compare(
    connection: asyncpg.Connection, current: CurrentTenant, candidate: str, window: Window, now: datetime
) -> ShadowReport:
    end = min(window.end, now)
    scope = await resolve(connection, current.slug, Selection(selectors(current.model, candidate)))
    if scope is None or window.start >= end:
        return ShadowReport(candidate, current.model, window, {}, ModelComparison())
    measured = await histograms(connection, scope, [window.start, end])
    comparison = await compare(connection, scope, current.model, candidate, window.start, end, EXAMPLES)
    return ShadowReport(candidate, current.model, window, measured.get((0, ()), {}), comparison)

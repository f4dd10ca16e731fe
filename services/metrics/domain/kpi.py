"""What a KPI's definition consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.metrics.domain.estimates import Estimate, Estimator
from services.metrics.domain.histogram import Histogram
from shared.events import DIMENSIONS

ENTRY = (
    "id",
    "version",
    "name",
    "formula",
    "unit",
    "direction",
    "population",
    "filed_by",
    "dimensions",
    "aggregations",
    "min_n",
)
"""What the catalogue shows of a KPI, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One definition. `filed_by` and `aggregations` begin with their default; `instant`: the sum of all before a time."""

    id: str
    version: int = 1
    name: str
    formula: str
    unit: str
    direction: str
    population: str
    filed_by: tuple[str, ...]
    measures: tuple[str, ...]
    estimator: Estimator
    aggregations: tuple[str, ...] = ()
    min_n: int = 30
    instant: bool = False

    def reads(self, filed_by: str, model: str) -> tuple[str, ...]:
        """The measures that a query must fetch; one that ends in a colon means its whole family."""
        return tuple(m.replace("{filed_by}", filed_by).replace("{model}", model) for m in self.measures)

    @property
    def announce(self) -> frozenset[str]:
        """The families of measures whose change may change this KPI."""
        return frozenset(measure.partition(":")[0] for measure in self.measures)

    def estimate(self, histograms: Mapping[str, Histogram], agg: str = "") -> Estimate:
        """The value that these histograms, by full measure name, give; `agg` is one of `aggregations`, empty for the default."""
        found = self.estimator(histograms, agg or (self.aggregations[0] if self.aggregations else ""))
        if found.value is not None and found.n < self.min_n:
            found = replace(found, flags=(*found.flags, "low_n"))
        return found

    def entry(self) -> dict[str, object]:
        """This KPI in the catalogue that `GET /v1/kpis` shows."""
        return {field: DIMENSIONS if field == "dimensions" else getattr(self, field) for field in ENTRY}

"""The definition of a KPI."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.metrics.domain.estimators import Estimate, Estimator
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.measure import Kind, Measure, shared_dimensions

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
    "hours",
    "presets",
    "min_n",
)
"""The fields of a KPI in the catalogue, in this order."""

SEVERAL_EVENTS = ("event",)
"""`filed_by` of a KPI whose measures are filed by different events: each by its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One definition. An estimate of fewer than `min_n` is flagged `low_n`.

    `business` computes it in business hours. Only durations have it. `of_policies`: it counts targets of SLA policies. `horizon`:
    how long after the end of a bucket its value is expected to change. `by_preset` computes it under other systems' definitions.
    """

    id: str
    version: int = 1
    name: str
    formula: str
    unit: str
    direction: str
    population: str
    estimator: Estimator
    business: Estimator | None = None
    min_n: int = 30
    of_policies: bool = False
    horizon: timedelta | None = None
    by_preset: Mapping[str, Estimator] = field(default_factory=dict, hash=False)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that it is computed from."""
        return self.estimator.measures

    @property
    def families(self) -> frozenset[str]:
        """The names of its measures."""
        return frozenset(measure.family for measure in self.measures)

    @property
    def aggregations(self) -> tuple[str, ...]:
        """The values of `agg`, the default first; empty if there is nothing to choose."""
        return self.estimator.aggregations

    @property
    def hours(self) -> tuple[str, ...]:
        """The values of `hours`, the default first; empty if there is nothing to choose."""
        return ("calendar", "business") if self.business else ()

    @property
    def in_business_hours(self) -> "Kpi":
        """The same KPI, computed in business hours. Raises ValueError if it is no duration."""
        if self.business is None:
            raise ValueError(f"{self.id} has no business hours")
        return replace(self, estimator=self.business)

    @property
    def presets(self) -> tuple[str, ...]:
        """The values of `preset`."""
        return tuple(self.by_preset)

    def under(self, preset: str) -> "Kpi":
        """The same KPI under the definition of a preset, one of `presets`."""
        return replace(self, estimator=self.by_preset[preset], business=None, by_preset={})

    @property
    def filed_by(self) -> tuple[str, ...]:
        """The events by whose time it can be filed, the default first."""
        events = {measure.filed_by for measure in self.measures}
        return events.pop() if len(events) == 1 else SEVERAL_EVENTS

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions by which it can be grouped and filtered: those that all of its measures have."""
        return shared_dimensions(self.measures)

    @property
    def changed_by(self) -> frozenset[Kind]:
        """The kinds of changes that may change its value, or the records behind it."""
        return frozenset[Kind]().union(*(measure.changed_by for measure in self.measures)) | {"other"}

    @property
    def instant(self) -> bool:
        """Whether it has a value at an instant, the sum of everything before, rather than one for a window."""
        return all(measure.bins in ("level", "age") for measure in self.measures)

    @property
    def per_respondent(self) -> bool:
        """Whether `per=respondent` applies."""
        return len(self.measures) == 1 and self.measures[0].per_respondent

    def selectors(self, filed_by: str, model: str) -> tuple[str, ...]:
        """The names of the measures that a query reads (see `Measure.selector`)."""
        return tuple(measure.selector(filed_by, model) for measure in self.measures)

    def is_maturing(self, end: datetime, now: datetime) -> bool:
        """Whether the value of a bucket that ends at `end` is still expected to change at `now`."""
        return self.horizon is not None and end + self.horizon > now

    def estimate(self, histograms: Mapping[str, Histogram], agg: str = "", at: datetime | None = None) -> Estimate:
        """The value of these histograms, by full name; `agg` is one of `aggregations`, or empty for the default.

        `at`: the instant at which the histograms end. A KPI of ages needs it.
        """
        estimate = self.estimator(histograms, agg or next(iter(self.aggregations), ""), at)
        if estimate.value is not None and estimate.n < self.min_n:
            return replace(estimate, flags=(*estimate.flags, "low_n"))
        return estimate

    def filled_in(self, histograms: Mapping[str, Histogram], agg: str = "", at: datetime | None = None) -> str | None:
        """The formula with the numbers of these histograms in place of its words; None if there is no value."""
        return self.estimator.filled_in(histograms, agg or next(iter(self.aggregations), ""), at)

    def entry(self) -> dict[str, object]:
        """This KPI as an entry of the catalogue."""
        return {name: getattr(self, name) for name in ENTRY}

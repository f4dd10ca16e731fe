"""The definition of a KPI."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.metrics.domain.estimator import Estimate, Estimator
from services.metrics.domain.histogram import Histogram
from services.metrics.domain.measure import TICKET, Kind, Measure, shared_dimensions
from services.metrics.domain.presets import FIRST_REPLIES, PRESETS, Preset

ENTRY = (
    "id",
    "version",
    "name",
    "formula",
    "unit",
    "direction",
    "population",
    "measures",
    "estimator",
    "intervals",
    "null_if",
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

    `business` computes it in business hours. Only durations have it. `of_policies`: it counts targets of SLA policies.
    `has_next_breach`: its rows state the earliest deadline that is still ahead. `horizon`: how long after the end of a bucket its
    value is expected to change. `impacts`: for the impact of a theme, the estimator, the measure of all answers and the unit, by
    the value of `agg`. `whole` is that measure, once `narrowed` has chosen one.
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
    has_next_breach: bool = False
    horizon: timedelta | None = None
    impacts: Mapping[str, tuple[Estimator, Measure, str]] = field(default_factory=dict, hash=False)
    whole: Measure | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that it is computed from."""
        return self.estimator.measures

    @property
    def measure_families(self) -> tuple[str, ...]:
        """The families of the measures that it is computed from, in all hours and then in business hours."""
        business = self.business.measures if self.business else ()
        return tuple(dict.fromkeys(measure.family for measure in (*self.measures, *business)))

    @property
    def null_if(self) -> str:
        """The reasons for which its value is null."""
        if self.business is None:
            return self.estimator.null
        return f"{self.estimator.null}; in business hours a ticket without a calendar for a part of its time doesn't count"

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
        """The same KPI, computed in business hours. Raises ValueError if it is not a duration."""
        if self.business is None:
            raise ValueError(f"{self.id} has no business hours")
        return replace(self, estimator=self.business)

    def narrowed(self, agg: str) -> "Kpi":
        """The same KPI. One of the impact of a theme is narrowed to the KPI that `agg` names."""
        if not self.impacts or self.whole is not None:
            return self
        estimator, whole, unit = self.impacts[agg or next(iter(self.impacts))]
        return replace(self, estimator=replace(estimator, aggregations=self.aggregations), whole=whole, unit=unit)

    @property
    def of_all_answers(self) -> "Kpi":
        """A KPI that reads the measure of all answers, whatever their themes."""
        assert self.whole is not None
        return replace(self, estimator=replace(self.estimator, measures=(self.whole,)), whole=None, impacts={})

    @property
    def presets(self) -> tuple[str, ...]:
        """The presets of other systems that define it."""
        return tuple(preset.id for preset in PRESETS.values() if self.is_defined_by(preset))

    def is_defined_by(self, preset: Preset) -> bool:
        """Whether it can be computed under a preset: presets are definitions of the KPIs of tickets."""
        return self.is_of_tickets or self.id in preset.notes

    @property
    def is_of_tickets(self) -> bool:
        """Whether it counts only tickets."""
        return all(measure.changed_by == TICKET for measure in self.measures)

    def difference(self, preset: Preset) -> str:
        """How a preset's definition of it differs from ours; empty if it doesn't."""
        business = self.business.measures if self.business else ()
        return preset.difference(self.id, (measure.family for measure in (*self.measures, *business)))

    def under(self, preset: Preset) -> "Kpi":
        """The same KPI under the definition of a preset. It reads our measures where the preset changes nothing."""
        difference = self.difference(preset)
        return replace(
            self,
            formula=f"{self.formula}. Under {preset.id}: {difference}" if difference else self.formula,
            estimator=estimator_under(self.estimator, preset),
            business=estimator_under(self.business, preset) if self.business else None,
        )

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
        measures = (*self.measures, *(whole for _, whole, _ in self.impacts.values()))
        return frozenset[Kind]().union(*(measure.changed_by for measure in measures)) | {"other"}

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
        described = {"measures": self.measure_families, "estimator": self.estimator.kind, "intervals": self.estimator.intervals}
        return {name: described[name] if name in described else getattr(self, name) for name in ENTRY}


def estimator_under(estimator: Estimator, preset: Preset) -> Estimator:
    """The estimator with the measures of a preset."""
    aggregations = estimator.aggregations
    if preset.rules.median_first and "p50" in aggregations:
        aggregations = ("p50", *(name for name in aggregations if name != "p50"))
    return replace(
        estimator, measures=tuple(measure_under(measure, preset) for measure in estimator.measures), aggregations=aggregations
    )


def measure_under(measure: Measure, preset: Preset) -> Measure:
    """The measure that a preset has in place of ours, or ours if it has none."""
    if preset.rules.first_reply_filed_by_opening and measure.family in FIRST_REPLIES:
        measure = replace(measure, filed_by=tuple(sorted(measure.filed_by, key=lambda event: event != "created")))
    return replace(measure, preset=preset.id) if measure.family in preset.families else measure

"""A KPI query, parsed: independent of the tenant whose data it is evaluated on, and of the present."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from services.metrics.domain.calendar import Grain, WeekStart
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.windows import DEFAULT_WINDOW, BadQuery, Between, WindowName
from shared.suggestions import refusal
from shared.windows import Time

MAX_COMPARISONS = 3
MAX_GROUPINGS = 2
MAX_PRESETS = 3
"""Presets beside the definition of a query."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The values of one dimension to include (none: all) and to exclude; None is the group without a value.

    A comment with several values of a dimension is included if it has any of `include`, and excluded if it has any of `exclude`.
    """

    dimension: str
    include: tuple[str | None, ...] = ()
    exclude: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A window to compare with. `name` identifies it in the result."""

    name: str
    to: Literal["previous", "previous_year"] | Between


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query of one KPI. `zone`: None is the tenant's. `at`: the value at a time in place of a window.

    `business_hours`: `kpi` is the KPI in business hours (`Kpi.in_business_hours`). `preset`: it is the KPI under this preset
    (`Kpi.under`); for a tenant's own preset it is ours until the tenant is known. `compare_presets`: those beside it.
    """

    kpi: Kpi
    window: WindowName | Between = DEFAULT_WINDOW
    at: Time | None = None
    zone: ZoneInfo | None = None
    grain: Grain | None = None
    week_start: WeekStart = "monday"
    filed_by: str = ""
    group_by: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    compare: tuple[Comparison, ...] = ()
    agg: str = ""
    per_respondent: bool = False
    business_hours: bool = False
    preset: str = ""
    compare_presets: tuple[str, ...] = ()

    def selectors(self, model: str) -> tuple[str, ...]:
        """The names of the measures that it reads, if `model` is the promoted one."""
        return self.kpi.selectors(self.filed_by or self.kpi.filed_by[0], model)


def unknown_dimension(parameter: str, name: str, dimensions: Sequence[str]) -> BadQuery:
    """The error of a parameter with a `name` that is not in `dimensions`."""
    return BadQuery(parameter, refusal("unknown dimension", name, dimensions))

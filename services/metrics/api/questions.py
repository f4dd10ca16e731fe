"""What a KPI query asks, read from its parameters. What a parameter can't mean is said with its name."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.metrics.api.parameters import only, refusing
from services.metrics.domain.calendar import Grain, WeekStart
from services.metrics.domain.comparisons import compared
from services.metrics.domain.filters import parse_values
from services.metrics.domain.kpis import Kpi
from services.metrics.domain.windows import (
    MOST_ROWS,
    BadQuery,
    Bucket,
    TooManyRows,
    Window,
    buckets,
    grain_named,
    instant,
    week_start_named,
    window,
    zone_named,
)
from services.metrics.store.selection import Filter, Selection
from shared.events import DIMENSIONS

WINDOW = ("window", "from", "to")
SINGLE = (*WINDOW, "grain", "tz", "week_start", "agg", "hours", "filed_by", "per", "at")
REPEATABLE = ("group_by", "compare")
FILTER = re.compile(r"filter\[(\w+)\]")

MOST_COMPARISONS = 3
"""Different periods that one question may compare with."""


@dataclass(frozen=True, slots=True)
class Period:
    """Contiguous buckets, and what they are called where they are compared with."""

    window: Window
    buckets: list[Bucket]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A query, understood."""

    kpi: Kpi
    selection: Selection
    period: Period
    compare: tuple[Period, ...] = ()
    agg: str = ""
    business: bool = False
    dense: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)


class Given:
    """The parameters of a request, each asked for by name once."""

    def __init__(self, params: Iterable[tuple[str, str]], extra: Collection[str]) -> None:
        self._values: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in params:
            self._values[name].append(value)
        only((name for name in self._values if not FILTER.fullmatch(name)), (*SINGLE, *REPEATABLE, *extra))
        for name, values in self._values.items():
            if len(values) > 1 and name not in REPEATABLE:
                raise BadQuery(name, "is given more than once")

    def one(self, name: str) -> str | None:
        values = self._values.get(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """The value of `name`, which must be one of `choices`."""
        value = self.one(name)
        if value is not None and value not in choices:
            raise BadQuery(name, f"is not one of {' '.join(choices)}" if choices else "this KPI has no such choice")
        return value

    def filters(self) -> Iterable[tuple[str, str]]:
        for name, values in self._values.items():
            if found := FILTER.fullmatch(name):
                yield found[1], values[0]


def read(
    kpi: Kpi, params: Iterable[tuple[str, str]], *, now: datetime, zone: str, model: str, extra: Collection[str] = ()
) -> Question:
    """The question that `params` ask of `kpi`; raises BadRequest.

    `zone` is the tenant's, `model` the promoted one; `extra` names parameters that this call alone has.
    """
    with refusing():
        return _read(kpi, Given(params, extra), now, zone, model, extra)


def read_window(params: Iterable[tuple[str, str]], *, now: datetime, zone: str) -> Window:
    """The window that `params` ask for, where nothing else may be asked; raises BadRequest."""
    with refusing():
        given = Given(params, ())
        asked = [*(name for name in (*SINGLE, *REPEATABLE) if given.all(name)), *(f"filter[{d}]" for d, _ in given.filters())]
        only(asked, (*WINDOW, "tz"))
        seen_from = zone_named(given.one("tz") or zone)
        return window(seen_from, now, name=given.one("window"), start=given.one("from"), end=given.one("to"))


def _read(kpi: Kpi, given: Given, now: datetime, zone: str, model: str, extra: Collection[str]) -> Question:
    filed_by = given.choice("filed_by", kpi.filed_by) or kpi.filed_by[0]
    if per := given.choice("per", ("respondent",)):
        _of_respondents(kpi)
    hours = given.choice("hours", ("calendar", "business"))
    if hours and kpi.unit != "seconds":
        raise BadQuery("hours", "is for spans of time only")
    grain = given.one("grain")
    week_start = week_start_named(given.one("week_start") or "monday")
    period, cut = _period(kpi, given, now, zone, grain_named(grain) if grain is not None else None, week_start)
    compare = _compare(given, period, cut)
    return Question(
        kpi=kpi,
        selection=Selection(kpi.selectors(filed_by, model), _group_by(given), _filters(given), bool(per)),
        period=period,
        compare=compare,
        agg=given.choice("agg", kpi.aggregations) or "",
        business=hours == "business",
        dense=grain is not None,
        extra={name: value for name in extra if (value := given.one(name)) is not None},
    )


def _compare(given: Given, main: Period, cut: Callable[[Window], list[Bucket]]) -> tuple[Period, ...]:
    """The periods to compare with, each once; raises BadQuery where they, or the buckets of all periods, are too many."""
    names = tuple(dict.fromkeys(given.all("compare")))
    if len(names) > MOST_COMPARISONS:
        raise BadQuery("compare", f"names {len(names)} different periods; at most {MOST_COMPARISONS} are allowed")
    if len(main.buckets) * (1 + len(names)) > MOST_ROWS:
        raise TooManyRows
    periods = []
    for name in names:
        other = compared(main.window, name)
        periods.append(Period(other, cut(other), name))
    if sum(len(period.buckets) for period in (main, *periods)) > MOST_ROWS:
        raise TooManyRows("compare")
    return tuple(periods)


def _of_respondents(kpi: Kpi) -> None:
    if not kpi.per_respondent:
        raise BadQuery("per", "is for answers of people only")


def _period(
    kpi: Kpi, given: Given, now: datetime, zone: str, grain: Grain | None, week_start: WeekStart
) -> tuple[Period, Callable[[Window], list[Bucket]]]:
    """The window in its buckets, and how other windows are to be cut."""
    seen_from = zone_named(given.one("tz") or zone)

    def cut(whole: Window) -> list[Bucket]:
        return buckets(whole, grain, now, week_start)

    at = given.one("at")
    if at is None:
        whole = window(
            seen_from, now, name=given.one("window"), start=given.one("from"), end=given.one("to"), week_start=week_start
        )
        return Period(whole, cut(whole)), cut
    if not kpi.instant:
        raise BadQuery("at", "is for KPIs that have a value at an instant, such as backlog")
    if clash := next((name for name in (*WINDOW, "grain", "compare") if given.all(name)), None):
        raise BadQuery(clash, "does not go with at")
    instantly = instant("at", at)
    return Period(Window(instantly, instantly, seen_from), [Bucket(instantly, instantly, instantly > now)]), cut


def _group_by(given: Given) -> tuple[str, ...]:
    named = [name for value in given.all("group_by") for name in value.split(",")]
    for name in named:
        _dimension("group_by", name)
    if len(named) > 2 or len(set(named)) < len(named):
        raise BadQuery("group_by", "takes up to two different dimensions")
    return tuple(named)


def _filters(given: Given) -> tuple[Filter, ...]:
    found = []
    for dimension, text in given.filters():
        name = f"filter[{dimension}]"
        _dimension(name, dimension)
        try:
            values = parse_values(text)
        except ValueError as error:
            raise BadQuery(name, f"holds {error}; values are separated by commas, and \\, is a comma within one") from error
        found.append(Filter(dimension, values.include, values.exclude))
    return tuple(found)


def _dimension(parameter: str, name: str) -> None:
    if name == "theme":
        raise BadQuery(parameter, "themes are not counted yet")
    if name not in DIMENSIONS:
        raise BadQuery(parameter, f"is not one of {' '.join(DIMENSIONS)}")

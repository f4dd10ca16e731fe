"""The queries that a verification compares: each pair of choices that a query can combine, in few queries (pairwise testing).

A query chooses a KPI and how it is computed (filed by, hours), a window, groups or filters, and a zone. Most faults show where
one or two of these choices meet (Kuhn, Wallace and Gallo, "Software fault interactions and implications for software testing",
2004), so every two that can meet do so in at least one query.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import combinations, product
from zoneinfo import ZoneInfo

from services.metrics.domain.calendar import Grain
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.presets import Preset
from services.metrics.domain.query import Filter, Query
from services.metrics.domain.windows import Between

Selection = tuple[tuple[str, ...], tuple[Filter, ...]]
"""`group_by` and filters."""

SPANS: tuple[tuple[timedelta, Grain | None], ...] = (
    (timedelta(hours=24), None),
    (timedelta(days=7), None),
    (timedelta(days=30), None),
    (timedelta(days=90), None),
    (timedelta(days=365), None),
    (timedelta(hours=36), "PT1H"),
    (timedelta(days=30), "P1D"),
    (timedelta(days=30), "P1W"),
    (timedelta(days=90), "P1M"),
)
"""The length of a window, and the grain of its buckets."""

COMMON: tuple[Selection, ...] = (
    ((), ()),
    (("team",), ()),
    (("channel",), ()),
    (("source",), ()),
    (("team", "channel"), ()),
)
OF_COMMENTS: tuple[Selection, ...] = (
    (("theme",), ()),
    (("urgency",), ()),
    (("theme", "team"), ()),
    ((), (Filter("theme", (None,)),)),
    ((), (Filter("theme", (), (None,)),)),
    ((), (Filter("urgency", (None,)),)),
)
"""For KPIs with the dimensions theme and urgency. The filters select comments without a value, or with any."""

OTHER_ZONE = ZoneInfo("Asia/Kolkata")
"""A zone whose days and hours begin at half past an hour of UTC, so that no stored histogram fits its buckets."""
IMPACTS: tuple[tuple[str, timedelta, Grain | None, Selection, int], ...] = (
    ("nps", timedelta(days=7), None, (("theme",), ()), 0),
    ("nps", timedelta(days=30), None, (("theme", "team"), ()), 1),
    ("nps", timedelta(days=90), "P1M", (("team",), ()), 0),
    ("csat", timedelta(days=30), None, (("theme",), ()), 1),
    ("csat", timedelta(days=90), "P1M", ((), (Filter("theme", (None,)),)), 0),
    ("sentiment", timedelta(days=30), None, (("theme",), ()), 0),
    ("sentiment", timedelta(days=90), "P1M", ((), ()), 1),
)
"""Of impacts of themes: `agg`, the length of the window, the grain, the selection, and whether the zone is OTHER_ZONE.

An impact takes up to 60 ms to compute, on either side, because of its interval: so these are few.
"""
PRESET_LENGTH = timedelta(days=90)
"""The length of the windows of queries under presets."""
ZONES = 2
"""The tenant's zone, and OTHER_ZONE."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A KPI, and how it is computed."""

    kpi: Kpi
    filed_by: str
    business_hours: bool


Choices = tuple[int, int, int, int]
"""The indexes of a variant, a span, a selection and a zone."""
Pair = tuple[int, int, int, int]
"""Axis and index of one choice, axis and index of another."""


def battery(now: datetime, zone: ZoneInfo, own: Sequence[str] = ()) -> Iterator[Query]:
    """Queries over windows that end `now`, of a tenant in `zone` that declares the dimensions `own`."""
    selections = (*COMMON, *OF_COMMENTS, *selections_of(own))
    for number, span, selection, place in pairwise(tuple(own)):
        variant, (length, grain), (group_by, filters) = VARIANTS[number], SPANS[span], selections[selection]
        yield Query(
            kpi=variant.kpi,
            window=Between(now - length, now),
            zone=OTHER_ZONE if place else zone,
            grain=grain,
            filed_by=variant.filed_by,
            group_by=group_by,
            filters=filters,
            business_hours=variant.business_hours,
        )


def full_battery(now: datetime, zone: ZoneInfo, own: Sequence[str] = ()) -> Iterator[Query]:
    """The queries of `battery`, and those of `impact_queries`."""
    yield from battery(now, zone, own)
    yield from impact_queries(now, zone)


def preset_queries(presets: Iterable[Preset], now: datetime, zone: ZoneInfo) -> Iterator[Query]:
    """One query by team of each KPI that a preset changes, in all seconds and in business hours."""
    window = Between(now - PRESET_LENGTH, now)
    for preset, kpi in product(presets, KPIS.values()):
        for variant in (kpi, kpi.in_business_hours) if kpi.hours else (kpi,):
            if kpi.is_defined_by(preset) and not preset.families.isdisjoint(variant.families):
                yield Query(
                    kpi=variant.under(preset),
                    window=window,
                    zone=zone,
                    group_by=("team",),
                    business_hours=variant is not kpi,
                    preset=preset.id,
                )


def impact_queries(now: datetime, zone: ZoneInfo) -> Iterator[Query]:
    """The queries of the impacts of themes: by theme, of any theme, of none, and by team."""
    for agg, length, grain, (group_by, filters), place in IMPACTS:
        yield Query(
            kpi=KPIS["theme_impact"].narrowed(agg),
            window=Between(now - length, now),
            zone=OTHER_ZONE if place else zone,
            grain=grain,
            group_by=group_by,
            filters=filters,
            agg=agg,
        )


def variants() -> Iterator[Variant]:
    """Each KPI, filed by each of its events: as it is, and in business hours. `impact_queries` has the impacts of themes."""
    for kpi in KPIS.values():
        if kpi.impacts:
            continue
        computed = [(kpi, False), *([(kpi.in_business_hours, True)] if kpi.hours else [])]
        for scoped, business_hours in computed:
            for filed_by in scoped.filed_by:
                yield Variant(scoped, filed_by, business_hours)


VARIANTS = tuple(variants())


def selections_of(own: Sequence[str]) -> tuple[Selection, ...]:
    """Groups of each own dimension, alone and with the team, and filters for rows without a value or with any."""
    return tuple(
        selection
        for name in own
        for selection in (
            ((name,), ()),
            (("team", name), ()),
            ((), (Filter(name, (None,)),)),
            ((), (Filter(name, (), (None,)),)),
        )
    )


@lru_cache(maxsize=8)
def pairwise(own: tuple[str, ...]) -> tuple[Choices, ...]:
    """Choices in which each pair occurs that can.

    Greedy, for one variant after the other: next are those with most new pairs, of equal ones those with the rarest pairs.
    """
    chosen: list[Choices] = []
    times: Counter[Pair] = Counter()
    for number, variant in enumerate(VARIANTS):
        candidates = {candidate: pairs(candidate) for candidate in candidates_of(number, variant, own)}
        missing = {pair for several in candidates.values() for pair in several if pair[0] == 0}
        while missing:
            best = max(candidates, key=lambda candidate: value_of(candidates[candidate], times))
            chosen.append(best)
            times.update(candidates[best])
            missing.difference_update(candidates[best])
    for number, variant in enumerate(VARIANTS):
        for candidate in candidates_of(number, variant, own):
            if not all(pair in times for pair in pairs(candidate)):
                chosen.append(candidate)
                times.update(pairs(candidate))
    return tuple(chosen)


def value_of(several: Sequence[Pair], times: Counter[Pair]) -> tuple[int, int]:
    """How many pairs are new, and how seldom the others have occurred."""
    counts = [times[pair] for pair in several]
    return counts.count(0), -sum(counts)


def candidates_of(number: int, variant: Variant, own: tuple[str, ...]) -> Iterator[Choices]:
    """All choices of a variant. Themes and urgency are dimensions of some KPIs; own dimensions are of all."""
    first_own = len(COMMON) + len(OF_COMMENTS)
    selections = [
        *range(len(COMMON)),
        *(range(len(COMMON), first_own) if "theme" in variant.kpi.dimensions else ()),
        *range(first_own, first_own + len(selections_of(own))),
    ]
    return product((number,), range(len(SPANS)), selections, range(ZONES))


def pairs(choices: Choices) -> list[Pair]:
    """The pairs of choices that meet in a query."""
    return [(*first, *second) for first, second in combinations(enumerate(choices), 2)]


def parameters_of(query: Query) -> dict[str, str]:
    """The HTTP parameters of a query of the battery."""
    window = query.window
    times = (
        {"from": window.start.isoformat(), "to": window.end.isoformat()} if isinstance(window, Between) else {"window": window}
    )
    others = {
        "tz": query.zone.key if query.zone else "",
        "filed_by": query.filed_by,
        "grain": query.grain or "",
        "group_by": ",".join(query.group_by),
        "agg": query.agg,
        "hours": "business" if query.business_hours else "",
        "preset": query.preset,
        **{f"filter[{f.dimension}]": "null" if f.include else "!null" for f in query.filters},
    }
    return times | {name: value for name, value in others.items() if value}

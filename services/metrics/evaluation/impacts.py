"""Impacts of themes: the histograms of answers with a theme, beside those of all answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from services.metrics.domain.histogram import Histogram
from services.metrics.domain.impact import WHOLE
from services.metrics.domain.kpi import Kpi
from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.domain.query import Filter, Query
from services.metrics.store.run_cache import Group

MAX_IMPACTS = 500
"""Rows of one result: each has an interval of a thousand replicates."""
TOO_MANY = f"gives more than {MAX_IMPACTS} impacts; use fewer groups, a coarser grain or a shorter window"

Buckets = Mapping[Group, Mapping[int, Mapping[str, Histogram]]]
"""Histograms by full name, of each bucket of each group."""


def all_answers(query: Query) -> Query:
    """The query of all answers that belongs to a query of impacts: without themes in its groups and filters."""
    group_by = tuple(name for name in query.group_by if name not in MULTI_VALUED)
    filters = tuple(f for f in query.filters if f.dimension not in MULTI_VALUED)
    return replace(query, kpi=query.kpi.of_all_answers, group_by=group_by, filters=filters, filed_by="")


def draw_intervals(kpi: Kpi, several: Iterable[Buckets]) -> None:
    """Draw the intervals of impacts, which are remembered. Each takes up to a tenth of a second: run it off the event loop."""
    for buckets in several:
        for by_number in buckets.values():
            for measured in by_number.values():
                kpi.estimate(measured)


def with_any_theme(query: Query) -> Query:
    """The query of impacts; one that names no theme is of answers with any theme."""
    named = "theme" in query.group_by or any(f.dimension == "theme" for f in query.filters)
    if query.kpi.whole is None or named:
        return query
    return replace(query, filters=(*query.filters, Filter("theme", exclude=(None,))))


def with_whole(buckets: Buckets, whole: Buckets, group_by: Sequence[str]) -> Buckets:
    """The histograms of each group beside those of all answers of its other dimensions, which have the prefix WHOLE.

    The group without a theme is left out.
    """
    themes = [place for place, name in enumerate(group_by) if name in MULTI_VALUED]
    places = [place for place, name in enumerate(group_by) if name not in MULTI_VALUED]
    merged: dict[Group, Mapping[int, Mapping[str, Histogram]]] = {}
    for group, by_number in buckets.items():
        if any(group[place] is None for place in themes):
            continue
        everything = whole.get(tuple(group[place] for place in places), {})
        merged[group] = {
            number: {**measured, **{WHOLE + name: h for name, h in everything.get(number, {}).items()}}
            for number, measured in by_number.items()
        }
    return merged

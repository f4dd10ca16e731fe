"""The impact of a theme on a KPI: the KPI of all answers less that of the answers without the theme."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.e2e.model.estimates import ESTIMATES, Value
from tests.e2e.model.facts import Fact
from tests.e2e.model.intervals import bootstrap

if TYPE_CHECKING:
    from tests.e2e.model.model import Group, Query

MANY = 20
"""Answers with a theme, and without it, from which on the interval is compared, which is drawn by chance on both sides."""


def impacts(query: Query, answers: Iterable[Fact], themes: Mapping[str, Set[str]]) -> Iterator[tuple[Group, Value]]:
    """The impact in each group. `themes`: those of the comments of a subject; those of a sentiment are its own.

    Without a group by theme it is the impact of the themes that a filter includes, or of any.
    """
    filters = dict(query.filters)
    included = set(filters.pop("theme", ()))
    of_answers = [name for name in query.group_by if name != "theme"]
    groups: defaultdict[tuple[str | None, ...], list[tuple[Fact, Set[str]]]] = defaultdict(list)
    for fact in answers:
        if replace(query, filters=filters).passes(fact):
            own = fact.lists["theme"] if query.agg == "sentiment" else themes.get(fact.subject, set())
            groups[tuple(fact.dims.get(name) for name in of_answers)].append((fact, own))
    if not query.group_by:
        groups.setdefault((), [])
    for group, members in groups.items():
        if "theme" not in query.group_by:
            yield group, impact(query.agg, members, included)
            continue
        for theme in sorted(set().union(*(own for _, own in members))):
            values = dict(zip(of_answers, group, strict=True)) | {"theme": theme}
            yield tuple(values[name] for name in query.group_by), impact(query.agg, members, {theme})


def impact(kpi: str, members: list[tuple[Fact, Set[str]]], themes: Set[str]) -> Value:
    """The impact of having one of these themes, or any if there are none."""
    without = [fact for fact, own in members if not (own & themes if themes else own)]
    n = len(members) - len(without)
    if not n or not without:
        return Value(n)
    of_all, of_others = (ESTIMATES[kpi][1]([[fact.value for fact in facts]], "") for facts in ([f for f, _ in members], without))
    assert of_all.value is not None
    assert of_others.value is not None
    interval, tolerance = None, None
    if min(n, len(without)) >= MANY:
        scores = [score_of(kpi, fact) for fact, _ in members]
        interval = bootstrap(scores, [not (own & themes if themes else own) for _, own in members])
        tolerance = 0.0, 0.3 * (interval[1] - interval[0])
    return Value(n, of_all.value - of_others.value, interval, tolerance=tolerance)


def score_of(kpi: str, fact: Fact) -> float:
    """A score whose mean is the KPI."""
    match kpi:
        case "nps":
            return 100.0 * ((fact.value >= 9) - (fact.value <= 6))
        case "csat":
            _, positive, value = fact.value
            return 100.0 * (value >= positive)
    return float(fact.value)

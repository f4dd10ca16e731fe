"""KPIs under presets: the definition of a query's preset, and values under several presets side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.changes import kinds_of
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.presets import PRESETS, Preset
from services.metrics.domain.query import Query
from services.metrics.domain.windows import MAX_ROWS, BadQuery, TooManyRows
from services.metrics.evaluation.impacts import with_any_theme
from services.metrics.evaluation.periods import periods
from services.metrics.evaluation.results import Result, read_evaluation, sort_groups
from services.metrics.evaluation.scans import limit_statement_time
from services.metrics.evaluation.selections import selection_of
from services.metrics.evaluation.source import BEGINNING, Source
from services.metrics.store.presets import count_different, own_presets
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.selection import resolve
from shared.suggestions import refusal


@dataclass(frozen=True, slots=True)
class Side:
    """The result of a query under a preset, with the groups of the query's own result beside it.

    `difference` says how its definition differs from that of the query's own result. `tickets` count under either of the two,
    `different` of them differently; None while the preset is off.
    """

    preset: Preset
    difference: str
    tickets: int | None
    different: int | None
    result: Result


async def evaluate(
    source: Source, tenant: str, query: Query, now: datetime, fields: Sequence[str] | None = None
) -> tuple[Result, list[Side]]:
    """Evaluate a query on the data of a tenant before `now`, and once more under each of its `compare_presets`, in one snapshot.

    With `fields`, those of encoded rows, the result lacks rows that are cached (`Result.cached`).

    Raises BadQuery for an unknown preset, for one that doesn't define the KPI, and if the results would be too large.
    """
    async with snapshot(source.pool) as connection, limit_statement_time(connection, source.scan_reason):
        current = await current_tenant(connection, tenant, source.default_model, kinds_of(query.kpi))
        own = await read_own_presets(connection, current, (query.preset, *query.compare_presets))
        query = query_under(query, own)
        main_evaluation = await read_evaluation(connection, source, current, query, now, fields)
        others = []
        for preset in (preset_of("compare_presets", name, own) for name in query.compare_presets):
            beside = query_beside(query, preset)
            counts = await different_tickets(connection, current, query, beside, now) if preset.id in current.presets else None
            others.append((preset, beside, counts, await read_evaluation(connection, source, current, beside, now)))
    main = await main_evaluation.result()
    results = [(preset, beside, counts, await evaluation.result()) for preset, beside, counts, evaluation in others]
    groups = sort_groups({*main.groups, *(group for *_, result in results for group in result.groups)})
    if len(groups) * len(main.series[0].period.buckets) * (len(results) + len(main.series)) > MAX_ROWS:
        raise TooManyRows("compare_presets")
    sides = []
    for preset, beside, counts, result in results:
        tickets, different = counts if counts is not None else (None, None)
        sides.append(Side(preset, beside.kpi.difference(preset), tickets, different, replace(result, groups=groups)))
    return replace(main, groups=groups), sides


async def read_query_under(connection: asyncpg.Connection, query: Query, current: CurrentTenant) -> Query:
    """The query with the KPI under the definition of its preset. Raises BadQuery for an unknown one."""
    return query_under(query, await read_own_presets(connection, current, (query.preset,)))


async def read_own_presets(connection: asyncpg.Connection, current: CurrentTenant, names: Iterable[str]) -> dict[str, Preset]:
    """The tenant's own presets by their ids, if any of `names` may be one."""
    if current.number is None or not current.own_presets or PRESETS.keys() >= {name for name in names if name}:
        return {}
    return await own_presets(connection, current.number, current.own_presets)


def query_under(query: Query, own: dict[str, Preset]) -> Query:
    """The query with the KPI under its preset, if that is one of the tenant's `own`. Raises BadQuery for an unknown one."""
    query = with_any_theme(replace(query, kpi=query.kpi.narrowed(query.agg)))
    if not query.preset or query.preset in PRESETS:
        return query
    return replace(query, kpi=query.kpi.under(preset_of("preset", query.preset, own)))


def preset_of(parameter: str, name: str, own: dict[str, Preset]) -> Preset:
    """The preset of this name. Raises BadQuery with the parameter if there is none."""
    known = PRESETS | own
    if name not in known:
        raise BadQuery(parameter, refusal("unknown preset", name, known))
    return known[name]


def query_beside(query: Query, preset: Preset) -> Query:
    """The query under another preset, without comparisons. Records are filed as the preset files them, unless the query states
    `filed_by`."""
    ours = KPIS[query.kpi.id].in_business_hours if query.business_hours else KPIS[query.kpi.id]
    kpi = ours.under(preset)
    filed_by = kpi.filed_by[0] if query.filed_by == query.kpi.filed_by[0] else query.filed_by
    return replace(query, kpi=kpi, preset=preset.id, filed_by=filed_by, compare=(), compare_presets=())


async def different_tickets(
    connection: asyncpg.Connection, current: CurrentTenant, query: Query, beside: Query, now: datetime
) -> tuple[int, int]:
    """The tickets that count in the query's window under one of two definitions, and those that count differently."""
    window = periods(query, ZoneInfo(current.zone), now)[0].window
    start = BEGINNING if query.kpi.instant else window.start
    selections = [selection_of(side, current) for side in (query, beside)]
    scopes = [await resolve(connection, current.slug, selection) for selection in selections]
    if scopes[0] is None or scopes[1] is None:
        return 0, 0
    return await count_different(connection, scopes[0], scopes[1], start, min(window.end, now))

"""Contributions → served KPIs: queries over HTTP, compared with results that are computed again in plain Python."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import msgspec

from services.metrics.domain.contributions import Contribution
from services.metrics.domain.estimator import Estimate
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.query import Filter, Query
from services.metrics.evaluation.impacts import MAX_IMPACTS, all_answers, with_any_theme, with_whole
from services.metrics.evaluation.periods import periods
from services.metrics.evaluation.source import BEGINNING
from services.metrics.store.progress import freshness
from services.metrics.store.promotions import current_tenant
from services.metrics.store.run_cache import Group
from services.metrics.verify.battery import parameters_of
from services.metrics.verify.recount import RecomputedContributions, stored_recount
from services.metrics.verify.report import VerifyStep
from services.metrics.verify.snapshots import long_snapshot
from shared.http import TENANT_HEADER

ATTEMPTS = 50
"""How often a different result is compared again, since data may change between the two."""

Values = dict[str, Any]
"""The compared fields of a row."""

Measured = dict[Group, dict[str, Histogram]]
"""The histograms of each group, by the full name of their measure."""

Rows = dict[tuple[Any, ...], Values]
"""Rows by their bucket (from, to) and group."""


@dataclass(frozen=True, slots=True)
class VerifiedTenant:
    """The tenant whose KPIs are verified."""

    id: int
    slug: str
    zone: ZoneInfo
    model: str
    own: tuple[str, ...] = ()
    """The names of its own dimensions, in the order in which contributions have their values."""


# --- comparison -----------------------------------------------------------------------------------------------------------
async def compare_served(
    http: httpx.AsyncClient,
    pool: asyncpg.Pool,
    tenant: VerifiedTenant,
    recount: RecomputedContributions,
    queries: Iterable[Query],
    now: datetime,
    step: VerifyStep,
) -> None:
    """Compare the results of `queries` at `now`. A different one is compared again while its data changes.

    Impacts of themes that metrics refuses because they are too many are left out.
    """
    results = rows = 0
    for query in queries:
        expected = expected_rows(query, recount, tenant, now)
        if query.kpi.whole is not None and len(expected) > MAX_IMPACTS:
            continue
        served, _ = await served_rows(http, tenant, query)
        if expected != served:
            expected, served = await compare_again(http, pool, tenant, query, now)
        results, rows = results + 1, rows + len(served)
        if expected != served:
            different = sum(expected.get(place) != served.get(place) for place in expected.keys() | served.keys())
            words = " ".join(f"{name}={value}" for name, value in parameters_of(query).items())
            step.differences.append(f"{tenant.slug} {query.kpi.id} {words}: {different} of {len(expected)} rows differ")
    step.compared = f"{results:,} answers with {rows:,} rows"


async def compare_again(
    http: httpx.AsyncClient, pool: asyncpg.Pool, tenant: VerifiedTenant, query: Query, now: datetime
) -> tuple[Rows, Rows]:
    """Expected and served rows, once both are of one revision or are equal."""
    for _ in range(ATTEMPTS):
        served, served_revision = await served_rows(http, tenant, query)
        async with long_snapshot(pool) as connection:
            current = await current_tenant(connection, tenant.slug, tenant.model)
            revision = (await freshness(connection, current, query.kpi, 0)).revision
            recount = await stored_recount(connection, tenant.id, selectors_of(query, current.model))
        expected = expected_rows(query, recount, replace(tenant, model=current.model, own=current.dimensions), now)
        if expected == served or revision == served_revision:
            break
        await asyncio.sleep(0.02)
    return expected, served


async def served_rows(http: httpx.AsyncClient, tenant: VerifiedTenant, query: Query) -> tuple[Rows, str]:
    """The rows that metrics serves, and their revision."""
    headers = {TENANT_HEADER: tenant.slug}
    response = await http.get(f"/v1/kpis/{query.kpi.id}", params=parameters_of(query), headers=headers)
    response.raise_for_status()
    rows = msgspec.json.decode(response.content)["rows"]
    by_place = {(row["from"], row["to"], *(row["dims"][name] for name in query.group_by)): compared_fields(row) for row in rows}
    return by_place, response.headers["x-earshot-revision"]


def compared_fields(row: Mapping[str, Any]) -> Values:
    """The compared fields of a row."""
    return {name: row[name] for name in ("value", "n", "numerator", "denominator", "interval", "distribution")}


# --- the expected result --------------------------------------------------------------------------------------------------
def expected_rows(query: Query, recount: RecomputedContributions, tenant: VerifiedTenant, now: datetime) -> Rows:
    """The rows that metrics should serve at `now`."""
    query = with_any_theme(query)
    names = recount.of(query.selectors(tenant.model))
    main = periods(query, tenant.zone, now)[0]
    zone = main.window.zone
    by_bucket: list[tuple[tuple[str, str], dict[Group, Estimate]]] = []
    kpi = query.kpi
    for bucket in main.buckets:
        start, end = BEGINNING if kpi.instant else bucket.start, min(bucket.end, now)
        groups = histograms(recount, names, start, end, query, tenant.own)
        if kpi.whole is not None:
            groups = beside_all_answers(groups, recount, start, end, query, tenant)
        ends = bucket.start.astimezone(zone).isoformat(), bucket.end.astimezone(zone).isoformat()
        by_bucket.append((ends, {group: kpi.estimate(measured, at=end) for group, measured in groups.items()}))
    with_sample = {group for _, estimates in by_bucket for group, estimate in estimates.items() if estimate.n > 0}
    groups_of_rows = with_sample if query.group_by else {()}
    empty = kpi.estimate({})
    return {(*ends, *group): values_of(by_group.get(group, empty)) for ends, by_group in by_bucket for group in groups_of_rows}


def histograms(
    recount: RecomputedContributions, names: Sequence[str], start: datetime, end: datetime, query: Query, own: Sequence[str]
) -> Measured:
    """Count [start, end) by group and measure."""
    pairs: defaultdict[Group, defaultdict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        for row in recount.between(name, start, end):
            if all(passes(row, condition, own) for condition in query.filters):
                for group in product(*(values_in(row, name, own) for name in query.group_by)):
                    pairs[group][name].append((row.bin, row.amount))
    return {group: {name: count(several) for name, several in measured.items()} for group, measured in pairs.items()}


def beside_all_answers(
    groups: Measured, recount: RecomputedContributions, start: datetime, end: datetime, query: Query, tenant: VerifiedTenant
) -> Measured:
    """The histograms of a query of impacts in [start, end), each group's beside those of all answers."""
    of_all = all_answers(query)
    whole = histograms(recount, recount.of(of_all.selectors(tenant.model)), start, end, of_all, tenant.own)
    part, everything = ({group: {0: measured} for group, measured in side.items()} for side in (groups, whole))
    return {group: dict(by_number[0]) for group, by_number in with_whole(part, everything, query.group_by).items()}


def selectors_of(query: Query, model: str) -> tuple[str, ...]:
    """The names of the measures that the expected rows of a query are computed from."""
    whole = all_answers(query).selectors(model) if query.kpi.whole is not None else ()
    return (*query.selectors(model), *whole)


def values_in(row: Contribution, dimension: str, own: Sequence[str]) -> Sequence[str | None]:
    """The groups of a dimension, common or of the tenant's `own`, that a contribution is in."""
    if dimension not in own:
        return row.values(dimension)
    return (row.own[own.index(dimension)] if row.own else None,)


def passes(row: Contribution, f: Filter, own: Sequence[str]) -> bool:
    """Whether a contribution is one of those that a filter selects."""
    values = set(values_in(row, f.dimension, own))
    return (not f.include or not values.isdisjoint(f.include)) and values.isdisjoint(f.exclude)


def values_of(estimate: Estimate) -> Values:
    """The compared fields of an estimate, as a row has them."""
    fields = asdict(estimate)
    if fields["distribution"] is not None:
        fields["distribution"] = {str(place): n for place, n in fields["distribution"].items()}
    return compared_fields(fields)

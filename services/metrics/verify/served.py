"""Contributions → served KPIs: a battery of questions, asked over HTTP and answered again in plain Python."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import msgspec

from services.metrics.domain.calendar import Grain
from services.metrics.domain.estimators import Estimate
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.kpis import KPIS, Kpi
from services.metrics.domain.windows import Window, buckets
from services.metrics.store.progress import freshness
from services.metrics.store.promotions import asker_of
from services.metrics.store.query import snapshot
from services.metrics.verify.recount import Recount, stored_recount
from services.metrics.verify.report import Step
from shared.http import TENANT_HEADER

LOOKS = 50
"""How often an answer that differs is asked for again, beside what has come meanwhile."""

WHOLE: tuple[tuple[timedelta, Grain | None], ...] = (
    (timedelta(hours=24), None),
    (timedelta(days=7), None),
    (timedelta(days=30), None),
    (timedelta(days=90), None),
    (timedelta(days=365), None),
    (timedelta(hours=36), "PT1H"),
    (timedelta(days=30), "P1D"),
    (timedelta(days=90), "P1M"),
)
GROUPED: tuple[tuple[timedelta, Grain | None], ...] = (
    (timedelta(days=7), None),
    (timedelta(days=90), None),
    (timedelta(days=30), "P1W"),
)
GROUPINGS: tuple[tuple[str, ...], ...] = (("team",), ("channel",), ("source",), ("team", "channel"))

Told = dict[str, Any]
Answer = dict[tuple[Any, ...], Told]
"""Rows by where they stand: from, to, and the group."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the battery: everything that the answer depends on but the data."""

    kpi: Kpi
    filed_by: str
    start: datetime
    end: datetime
    grain: Grain | None
    zone: ZoneInfo
    group_by: tuple[str, ...] = ()

    @property
    def params(self) -> dict[str, str]:
        given = {
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "tz": self.zone.key,
            "filed_by": self.filed_by,
            "grain": self.grain,
            "group_by": ",".join(self.group_by),
        }
        return {name: value for name, value in given.items() if value}

    def __str__(self) -> str:
        return f"{self.kpi.id} {' '.join(f'{name}={value}' for name, value in self.params.items())}"


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose KPIs are asked for."""

    id: int
    slug: str
    zone: ZoneInfo
    model: str


def battery(now: datetime, zone: ZoneInfo) -> Iterator[Question]:
    """Every KPI, by each of its times, over windows that end now: whole, as series, and by groups."""
    for kpi in KPIS.values():
        for filed_by in kpi.filed_by:
            for length, grain in WHOLE:
                yield Question(kpi, filed_by, now - length, now, grain, zone)
            for (length, grain), grouping in product(GROUPED, GROUPINGS):
                yield Question(kpi, filed_by, now - length, now, grain, zone, grouping)


async def compare_served(
    http: httpx.AsyncClient, pool: asyncpg.Pool, tenant: Tenant, recount: Recount, questions: Iterable[Question], step: Step
) -> None:
    """Ask `questions`. An answer that differs is looked at again as long as something else has come between."""
    asked = rows = 0
    for question in questions:
        wanted = answer(question, recount, tenant.model, question.end)
        have, _ = await ask(http, tenant, question)
        if wanted != have:
            wanted, have = await look_again(http, pool, tenant, question)
        asked, rows = asked + 1, rows + len(have)
        if wanted != have:
            places = sum(wanted.get(place) != have.get(place) for place in wanted.keys() | have.keys())
            step.differences.append(f"{tenant.slug} {question}: {places} of {len(wanted)} rows differ")
    step.compared = f"{asked:,} answers with {rows:,} rows"


async def look_again(http: httpx.AsyncClient, pool: asyncpg.Pool, tenant: Tenant, question: Question) -> tuple[Answer, Answer]:
    """Ask, and compute from the contributions, until both saw the same state or agree."""
    for _ in range(LOOKS):
        have, served_from = await ask(http, tenant, question)
        async with snapshot(pool) as connection:
            asked_by = await asker_of(connection, tenant.slug, tenant.model)
            seen = (await freshness(connection, asked_by, question.kpi, 0)).revision
            measures = question.kpi.selectors(question.filed_by, asked_by.model)
            wanted = answer(question, await stored_recount(connection, tenant.id, measures), asked_by.model, question.end)
        if wanted == have or seen == served_from:
            break
        await asyncio.sleep(0.02)
    return wanted, have


async def ask(http: httpx.AsyncClient, tenant: Tenant, question: Question) -> tuple[Answer, str]:
    """What is served, and the revision that it was made of."""
    answered = await http.get(f"/v1/kpis/{question.kpi.id}", params=question.params, headers={TENANT_HEADER: tenant.slug})
    answered.raise_for_status()
    rows = msgspec.json.decode(answered.content)["rows"]
    found = {(row["from"], row["to"], *(row["dims"][name] for name in question.group_by)): compared(row) for row in rows}
    return found, answered.headers["x-earshot-revision"]


def compared(row: Mapping[str, Any]) -> Told:
    return {name: row[name] for name in ("value", "n", "numerator", "denominator", "interval", "distribution")}


def answer(question: Question, recount: Recount, model: str, now: datetime) -> Answer:
    """What ought to be served when asked at `now`."""
    names = recount.of(question.kpi.selectors(question.filed_by, model))
    whole = Window(question.start, question.end, question.zone)
    found: list[tuple[tuple[str, str], dict[tuple[str | None, ...], Estimate]]] = []
    for bucket in buckets(whole, question.grain, now):
        start = datetime(1, 1, 1, tzinfo=UTC) if question.kpi.instant else bucket.start
        groups = histograms(recount, names, start, min(bucket.end, now), question.group_by)
        ends = bucket.start.astimezone(question.zone).isoformat(), bucket.end.astimezone(question.zone).isoformat()
        found.append((ends, {group: question.kpi.estimate(measured) for group, measured in groups.items()}))
    groups_with_any = {group for _, estimates in found for group, estimate in estimates.items() if estimate.n > 0}
    shown = groups_with_any if question.group_by else {()}
    nothing = question.kpi.estimate({})
    return {(*ends, *group): told(estimates.get(group, nothing)) for ends, estimates in found for group in shown}


def histograms(
    recount: Recount, names: Sequence[str], start: datetime, end: datetime, group_by: Sequence[str]
) -> dict[tuple[str | None, ...], dict[str, Histogram]]:
    """Count [start, end) by group and measure."""
    found: defaultdict[tuple[str | None, ...], defaultdict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        for row in recount.between(name, start, end):
            for group in product(*map(row.values, group_by)):
                found[group][name].append((row.bin, row.amount))
    return {group: {name: count(pairs) for name, pairs in measured.items()} for group, measured in found.items()}


def told(estimate: Estimate) -> Told:
    """An estimate as a row tells it."""
    shown = asdict(estimate)
    if shown["distribution"] is not None:
        shown["distribution"] = {str(place): n for place, n in shown["distribution"].items()}
    return compared(shown)

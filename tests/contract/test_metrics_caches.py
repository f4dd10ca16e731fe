"""Caches of sealed spans: answers with it are those without it, whatever is changed and sealed meanwhile."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.metrics.api.encoding import encode_result
from services.metrics.domain.calendar import Grain
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.query import Filter, Query
from services.metrics.evaluation.presets import evaluate
from services.metrics.evaluation.row_cache import Caches
from services.metrics.evaluation.source import Source
from services.metrics.store.names import change_names
from shared.fields import KPI_FIELDS
from tests.conftest import NewDatabase
from tests.service.metrics.database import MetricsDatabase, lists_of, open_metrics_db, score_of, survey_response
from tests.unit.metrics.build import MODEL, csat, nps, words

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
DAYS = 50
GRAINS: tuple[Grain | None, ...] = (None, "P1D", "P1W", "P1M")
QUERIES = [
    query
    for grain in GRAINS
    for query in (
        Query(kpi=KPIS["nps"], window="40d", grain=grain),
        Query(kpi=KPIS["nps"], window="40d", grain=grain, group_by=("team",)),
        Query(kpi=KPIS["nps"], window="40d", grain=grain, group_by=("channel",), filters=(Filter("team", ("billing", None)),)),
        Query(kpi=KPIS["csat"], window="40d", grain=grain, group_by=("team", "channel")),
        Query(kpi=KPIS["sentiment"], window="40d", grain=grain, group_by=("theme",)),
        Query(kpi=KPIS["theme_volume"], window="40d", grain=grain, filters=(Filter("theme", ("price",)),)),
    )
]


@pytest.fixture
async def metrics(database: NewDatabase) -> AsyncIterator[MetricsDatabase]:
    """A tenant in Berlin with scored answers of seven weeks, sealed. Spans with eight contributions or more hold all cuboids."""
    async with open_metrics_db(await database("metrics")) as metrics:
        await metrics.tenant()
        await change(metrics, random.Random(1), range(400), 1)
        assert await metrics.seal(NOW, fewest=8)
        yield metrics


async def change(metrics: MetricsDatabase, chance: random.Random, numbers: range | list[int], revision: int) -> None:
    """State these answers with other values, times, teams and scores than in the revisions before."""
    events = [
        survey_response(
            number,
            nps(chance.randint(0, 10)),
            csat(chance.randint(1, 5)),
            words(f"Comment {number}"),
            at=NOW - timedelta(days=chance.random() * DAYS),
            revision=revision,
            dimensions={
                "team": chance.choice(["billing", "sales", f"team-{revision}", None]),
                "channel": chance.choice(["email", "chat"]),
            },
        )
        for number in numbers
    ]
    scores = [score_of(one.subject, f"Comment {n}", 0.5, **lists_of(n)) for n, one in zip(numbers, events, strict=True)]
    await metrics.apply(*events, *scores)


async def answer(metrics: MetricsDatabase, query: Query, caches: Caches | None) -> bytes:
    result, sides = await evaluate(Source(metrics.pool, MODEL, caches=caches), "acme", query, NOW, KPI_FIELDS)
    return await encode_result(result, sides, KPI_FIELDS)


async def assert_alike(metrics: MetricsDatabase, caches: Caches) -> None:
    for query in QUERIES:
        assert await answer(metrics, query, caches) == await answer(metrics, query, None), query


async def test_cached_answers_are_those_of_the_database_while_the_past_changes(metrics: MetricsDatabase) -> None:
    caches, chance = Caches(), random.Random(2)
    await assert_alike(metrics, caches)
    for revision in range(2, 4):
        await change(metrics, chance, chance.sample(range(400), 5), revision)
        await assert_alike(metrics, caches)
        await metrics.pool.execute("UPDATE seals SET since = since - interval '1 day' WHERE state = 'open'")
        assert await metrics.seal(NOW, fewest=8)
        await assert_alike(metrics, caches)


async def test_names_zones_and_terms_are_those_of_the_moment(metrics: MetricsDatabase) -> None:
    caches = Caches()
    await assert_alike(metrics, caches)
    tenant = await metrics.pool.fetchval("SELECT id FROM tenants")
    await change_names(metrics.pool, tenant, {"team": {"billing": "Invoices"}})
    await assert_alike(metrics, caches)
    by_team = next(query for query in QUERIES if query.group_by == ("team",) and query.grain == "P1D")
    assert b"Invoices" in await answer(metrics, by_team, caches)
    await metrics.pool.execute("UPDATE tenants SET zone = 'America/New_York'")
    await assert_alike(metrics, caches)


async def test_a_second_answer_reads_no_sealed_counts_and_no_contributions_of_sealed_spans(metrics: MetricsDatabase) -> None:
    caches = Caches()
    before = [await answer(metrics, query, caches) for query in QUERIES]
    await metrics.pool.execute("UPDATE histograms SET counts[1] = counts[1] + 1000")
    await metrics.pool.execute("UPDATE contributions SET bin = 1, amount = 1 WHERE at BETWEEN $1 AND $2", *inside())
    assert [await answer(metrics, query, caches) for query in QUERIES] == before
    assert [await answer(metrics, query, None) for query in QUERIES] != before


def inside() -> tuple[datetime, datetime]:
    """Times of days that lie whole in the window of the queries."""
    return NOW - timedelta(days=38), NOW - timedelta(days=2)


async def test_a_seal_that_has_the_id_of_another_one_is_not_taken_for_it(metrics: MetricsDatabase) -> None:
    """After a restore, numbers are given once more."""
    caches = Caches()
    await assert_alike(metrics, caches)
    await metrics.pool.execute("UPDATE histograms SET counts[1] = counts[1] + 1000")
    await metrics.pool.execute("UPDATE seals SET since = since + interval '1 second'")
    await assert_alike(metrics, caches)

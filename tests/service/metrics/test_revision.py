"""The revision of a result changes with everything that may change the result of the tenant and KPI, and with nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from services.metrics.rebuild_in_place import rebuild_in_place
from services.metrics.store.progress import Change, Reached, advance
from services.metrics.store.writer import DecodedBatch, Writer
from shared.events import Event, Opened, ScoreEvent, Ticket
from tests.service.metrics.database import MetricsDatabase, batch, score_of, serving, statement, survey_response
from tests.unit.metrics.build import nps, words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
EVENTS_0 = ("feedback.events", 0)


def ticket(number: int, **fields: str) -> Event:
    return statement(f"c2/ticket/{number}", Ticket(facts=(Opened(at=NOW),)), at=NOW, seq=number, **fields)


async def revision(http: httpx.AsyncClient, kpi: str = "nps", tenant: str = "acme") -> str:
    answer = await http.get("/internal/revision", params={"kpi": kpi}, headers={"X-Earshot-Tenant": tenant})
    revision_of_kpi: str = answer.json()["revision"]
    return revision_of_kpi


async def test_another_tenants_events_leave_the_revision_as_it_is_and_ones_own_change_it(metrics_db: MetricsDatabase) -> None:
    await metrics_db.tenant("other")
    await metrics_db.apply(survey_response(1, nps(9), at=NOW))
    async with serving(metrics_db.url, NOW) as http:
        before = await revision(http)
        reached = {EVENTS_0: Reached(7, NOW)}
        await metrics_db.writer.apply(batch(survey_response(1, nps(0), at=NOW, tenant="other"), reached=reached))
        assert await revision(http) == before
        await metrics_db.apply(survey_response(2, nps(0), at=NOW))
        assert await revision(http) != before


@pytest.mark.parametrize(
    ("event", "changed", "same"),
    [
        (survey_response(2, nps(3), at=NOW), {"nps", "csat", "sentiment"}, {"backlog", "first_reply_time"}),
        (ticket(1), {"backlog", "csat", "sentiment"}, {"nps", "ces"}),
        (score_of("c1/response/1", "fine", 0.5), {"sentiment", "sentiment_coverage"}, {"nps", "backlog"}),
        (statement("c1/parcel/1", survey_response(1, nps(3), at=NOW).body, at=NOW), {"nps", "backlog"}, set()),
    ],
)
async def test_an_event_changes_the_revision_of_the_kpis_that_it_may_touch(
    metrics_db: MetricsDatabase, event: Event | ScoreEvent, changed: set[str], same: set[str]
) -> None:
    await metrics_db.apply(survey_response(1, words("fine"), at=NOW))
    async with serving(metrics_db.url, NOW) as http:
        before = {kpi: await revision(http, kpi) for kpi in changed | same}
        await metrics_db.apply(event)
        assert {kpi for kpi in before if await revision(http, kpi) != before[kpi]} == changed


async def test_a_late_batch_of_a_zombie_never_brings_an_old_revision_back(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        seen = []
        for number, offset in ((1, 7), (2, 3), (1, 7)):
            reached = {EVENTS_0: Reached(offset, NOW)}
            await metrics_db.writer.apply(batch(survey_response(number, nps(9), at=NOW), reached=reached))
            seen.append(await revision(http))
    assert len(set(seen)) == 3


async def test_a_batch_of_an_older_version_that_notes_no_tenant_changes_every_revision(metrics_db: MetricsDatabase) -> None:
    await metrics_db.tenant("other")
    async with serving(metrics_db.url, NOW) as http:
        before = [await revision(http, tenant=tenant) for tenant in ("acme", "other")]
        await metrics_db.pool.execute(
            "INSERT INTO progress (topic, partition, next_offset, received_at, batches) VALUES ('feedback.events', 3, 9, $1, 1)",
            NOW,
        )
        after = [await revision(http, tenant=tenant) for tenant in ("acme", "other")]
    assert before[0] != after[0]
    assert before[1] != after[1]


async def test_a_rebuild_in_place_changes_the_revision_of_the_tenants_whose_contributions_it_changed(
    metrics_db: MetricsDatabase,
) -> None:
    await metrics_db.tenant("other")
    await metrics_db.apply(survey_response(1, nps(9), at=NOW), survey_response(1, nps(9), at=NOW, tenant="other"))
    await metrics_db.pool.execute("DELETE FROM contributions WHERE tenant = (SELECT id FROM tenants WHERE slug = 'acme')")
    async with serving(metrics_db.url, NOW) as http:
        before, theirs = await revision(http), await revision(http, tenant="other")
        await rebuild_in_place(metrics_db.pool, metrics_db.writer)
        assert await revision(http) != before
        assert await revision(http, tenant="other") == theirs


async def test_consumers_of_different_partitions_never_wait_for_one_another(metrics_db: MetricsDatabase) -> None:
    """A transaction that holds the rows of partition 0 stays open while a batch of partition 1 is applied."""
    reached = {EVENTS_0: Reached(1, NOW)}
    async with metrics_db.pool.acquire() as connection, connection.transaction():
        number = await connection.fetchval("SELECT id FROM tenants WHERE slug = 'acme'")
        await advance(connection, reached, [Change("acme", *EVENTS_0, "response")], {"acme": number})
        other = DecodedBatch(
            [survey_response(1, nps(9), at=NOW)],
            reached={("feedback.events", 1): Reached(1, NOW)},
            changes=[Change("acme", "feedback.events", 1, "response")],
        )
        await asyncio.wait_for(Writer(metrics_db.pool).apply(other), 10)


async def test_the_revision_is_read_by_the_index_whatever_other_tenants_have(metrics_db: MetricsDatabase) -> None:
    await metrics_db.pool.execute(
        "INSERT INTO tenant_revisions (tenant, topic, partition, kind)"
        " SELECT tenant, 'feedback.events', partition, 'response'"
        " FROM generate_series(10, 2000) AS tenant, generate_series(0, 5) AS partition"
    )
    await metrics_db.pool.execute("ANALYZE tenant_revisions")
    plan = await metrics_db.pool.fetch(
        "EXPLAIN SELECT * FROM tenant_revisions WHERE tenant = 700 AND kind = ANY('{response,other}')"
    )
    assert any("tenant_revisions_pkey" in row[0] for row in plan)


async def test_a_watermark_is_in_the_header_as_in_the_body(metrics_db: MetricsDatabase) -> None:
    idle = {(topic, n): 0 for topic in ("feedback.events", "feedback.scores") for n in range(6)}
    async with metrics_db.pool.acquire() as connection:
        assert isinstance(connection, asyncpg.pool.PoolConnectionProxy)
        await advance(connection, {place: Reached(1, NOW - timedelta(minutes=place[1])) for place in idle}, [], {})
    async with serving(metrics_db.url, NOW) as http:
        answer = await http.get("/v1/kpis/nps")
    assert answer.headers["x-earshot-watermark"] == answer.json()["watermark"] == (NOW - timedelta(minutes=5)).isoformat()

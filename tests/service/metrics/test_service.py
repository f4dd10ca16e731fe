"""Tenants, revisions and outages of the metrics service."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from services.metrics.app import create_app
from services.metrics.settings import Settings
from services.metrics.store.progress import Reached, note_idle
from tests.service.metrics.database import TOKEN, MetricsDatabase, SilentProducer, batch, serving, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
WAITS_FOR_PURGES = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'purges'::regclass AND NOT granted)"
UNREACHABLE = "postgresql+asyncpg://nobody@127.0.0.1:9/metrics"


def reached(offset: int) -> dict[tuple[str, int], Reached]:
    return {("feedback.events", 0): Reached(offset, NOW)}


async def test_the_revision_changes_with_every_batch_and_is_on_every_response(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        seen = set()
        for offset in range(3):
            await metrics_db.writer.apply(batch(survey_response(offset, nps(9), at=NOW), reached=reached(offset)))
            revision = (await http.get("/internal/revision?kpi=nps")).json()["revision"]
            for path in ("/v1/kpis/nps", "/v1/kpis/nps/records"):
                assert (await http.get(path)).headers["x-earshot-revision"] == revision
            seen.add(revision)
    assert len(seen) == 3


async def test_a_stop_waits_for_no_statement_of_a_background_worker(metrics_db: MetricsDatabase) -> None:
    settings = Settings(database_url=SecretStr(metrics_db.url), internal_token=SecretStr(TOKEN), consume=False, seal=True)
    app = create_app(settings, sender=SilentProducer())
    async with asyncio.timeout(30), metrics_db.pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE purges IN ACCESS EXCLUSIVE MODE")
        async with app.router.lifespan_context(app):
            while not await metrics_db.pool.fetchval(WAITS_FOR_PURGES):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            began = time.monotonic()
        assert time.monotonic() - began < 3


async def test_offsets_that_start_again_make_a_new_revision(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        await metrics_db.writer.apply(batch(survey_response(1, nps(9), at=NOW), reached=reached(1)))
        before = (await http.get("/internal/revision")).json()["revision"]
        await metrics_db.writer.apply(batch(survey_response(2, nps(9), at=NOW), reached=reached(1)))
        assert (await http.get("/internal/revision")).json()["revision"] != before


async def test_the_watermark_is_the_earliest_of_all_partitions_once_each_was_read(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        await metrics_db.writer.apply(batch(survey_response(1, nps(9), at=NOW), reached=reached(1)))
        assert (await http.get("/v1/kpis/nps")).json()["watermark"] is None
        idle = {(topic, n): 0 for topic in ("feedback.events", "feedback.scores") for n in range(6)} | {("feedback.events", 0): 2}
        before = (await http.get("/internal/revision")).json()["revision"]
        await note_idle(metrics_db.pool, idle, NOW - timedelta(minutes=1))
        answer = await http.get("/v1/kpis/nps")
    assert datetime.fromisoformat(answer.json()["watermark"]) == NOW - timedelta(minutes=1)
    assert before


async def test_idle_partitions_move_the_watermark_but_not_the_revision(metrics_db: MetricsDatabase) -> None:
    idle = {(topic, n): 7 for topic in ("feedback.events", "feedback.scores") for n in range(6)}
    async with serving(metrics_db.url, NOW) as http:
        states = []
        for minute in range(2):
            await note_idle(metrics_db.pool, idle, NOW + timedelta(minutes=minute))
            states.append((await http.get("/internal/revision")).json())
    assert states[0]["revision"] == states[1]["revision"]
    assert states[0]["watermark"] < states[1]["watermark"]


async def test_a_tenant_can_be_stored_again(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        for zone in ("Asia/Tokyo", "Asia/Tokyo", "America/New_York"):
            assert (await http.put("/internal/tenants/acme", json={"name": "Acme", "zone": zone})).status_code == 204
            assert (await http.get("/v1/kpis/nps")).json()["window"]["tz"] == zone


async def test_a_changed_zone_drops_the_histograms_of_the_old_days(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(survey_response(1, nps(9), at=NOW - timedelta(days=1, hours=13)))
    assert await metrics_db.seal(NOW)
    async with serving(metrics_db.url, NOW) as http:
        await http.put("/internal/tenants/acme", json={"name": "Acme", "zone": "Asia/Tokyo"})
        assert await metrics_db.pool.fetchval("SELECT count(*) FROM seals") == 0
        assert await metrics_db.pool.fetchval("SELECT count(*) FROM histograms") == 0
        assert await metrics_db.seal(NOW)
        days = [row["n"] for row in (await http.get("/v1/kpis/nps?window=7d&grain=P1D")).json()["rows"]]
    assert sum(days) == 1
    assert set(await metrics_db.pool.fetch("SELECT DISTINCT zone FROM seals")) == {("Asia/Tokyo",)}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "Acme"}, 422),
        ({"name": "Acme", "zone": "Mars/Olympus"}, 422),
        ({"name": "", "zone": "UTC"}, 422),
        ({"name": "a\0", "zone": "UTC"}, 400),
        ({}, 422),
    ],
)
async def test_an_invalid_tenant_is_refused(metrics_db: MetricsDatabase, body: dict[str, str], status: int) -> None:
    async with serving(metrics_db.url, NOW) as http:
        assert (await http.put("/internal/tenants/acme", json=body)).status_code == status
        assert (await http.put("/internal/tenants/Not%20A%20Slug", json={"name": "A", "zone": "UTC"})).status_code == 422


async def test_internal_routes_require_the_token(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW) as http:
        http.headers["authorization"] = "Bearer guess"
        assert (await http.get("/internal/revision")).status_code == 401
        assert (await http.put("/internal/tenants/acme", json={"name": "A", "zone": "UTC"})).status_code == 401
        assert (await http.get("/v1/models")).status_code == 401
        assert (await http.get("/v1/models/linear-1/shadow")).status_code == 401
        assert (await http.post("/v1/models/linear-1:promote")).status_code == 401


@pytest.mark.parametrize("path", ["/v1/kpis/nps", "/v1/kpis/nps/records", "/internal/revision"])
async def test_without_the_database_the_response_is_503_with_retry_after(path: str) -> None:
    async with serving(UNREACHABLE, NOW) as http:
        answer = await http.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["type"] == "urn:earshot:problem:unavailable"


async def test_without_the_database_the_service_is_alive_and_not_ready() -> None:
    async with serving(UNREACHABLE, NOW) as http:
        assert (await http.get("/livez")).status_code == 200
        ready = await http.get("/readyz")
    assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])

"""The default model is pinned when a tenant is made: a later default changes new tenants only."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import asyncpg

from services.metrics.store.promotions import current_tenant, keep_pinning, pin_default, store_promotion
from tests.service.metrics.database import MetricsDatabase, score_of, serving, survey_response
from tests.unit.metrics.build import words

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
OLD, NEW = "vader-3.3.2", "e5-4"
BERLIN = {"name": "A tenant", "zone": "Europe/Berlin"}


async def test_a_changed_default_changes_new_tenants_only(metrics_db: MetricsDatabase) -> None:
    async with serving(metrics_db.url, NOW, "old", model=OLD) as http:
        assert (await http.put("/internal/tenants/old", json=BERLIN)).status_code == 204
    for tenant in ("old", "new"):
        text, at = f"words of {tenant}", NOW - timedelta(hours=1)
        await metrics_db.apply(
            survey_response(1, words(text), at=at, tenant=tenant), score_of("c1/response/1", text, 0.5, OLD, tenant=tenant)
        )
    await metrics_db.apply(score_of("c1/response/1", "words of new", -0.5, NEW, tenant="new"))
    async with serving(metrics_db.url, NOW, "old", model=NEW) as old, serving(metrics_db.url, NOW, "new", model=NEW) as new:
        for tenant in ("old", "new", "old"):
            assert (await new.put(f"/internal/tenants/{tenant}", json=BERLIN)).status_code == 204
        values = [(await http.get("/v1/kpis/sentiment?window=24h")).json()["rows"][0]["value"] for http in (old, new)]
        assert values == [0.5, -0.5]
        models = {model["name"]: model["promoted"] for model in (await old.get("/v1/models")).json()["models"]}
        assert models == {OLD: True}


async def test_existing_tenants_are_pinned_once_by_the_running_service(metrics_db: MetricsDatabase) -> None:
    await metrics_db.pool.execute("DELETE FROM promotions")
    await metrics_db.apply(survey_response(1, words("hello"), at=NOW, tenant="heard-of-by-events"))
    for model in (OLD, NEW):
        task = asyncio.create_task(keep_pinning(metrics_db.pool, model, lambda: NOW, every=0.01))
        await asyncio.sleep(0.2)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    rows = await metrics_db.pool.fetch("SELECT t.slug, p.model FROM promotions p JOIN tenants t ON t.id = p.tenant ORDER BY 1")
    assert rows == [("acme", OLD), ("heard-of-by-events", OLD)]


async def test_of_two_replicas_with_different_defaults_one_decides_for_good(metrics_db: MetricsDatabase) -> None:
    await metrics_db.pool.execute("DELETE FROM promotions")
    await asyncio.gather(*(pin_default(metrics_db.pool, model, NOW) for model in (OLD, NEW) * 4))
    assert await metrics_db.pool.fetchval("SELECT count(*) FROM promotions") == 1
    async with metrics_db.pool.acquire() as connection:
        assert (await current_tenant(connection, "acme", OLD)).model == (await current_tenant(connection, "acme", NEW)).model


async def test_an_explicit_promotion_outranks_the_pinned_default_whichever_was_stored_first(metrics_db: MetricsDatabase) -> None:
    await metrics_db.pool.execute("DELETE FROM promotions")
    async with metrics_db.pool.acquire() as connection:
        await store_promotion(connection, "acme", NEW, NOW)
        number = await connection.fetchval("SELECT id FROM tenants WHERE slug = 'acme'")
        await late_pin(connection, number)
        assert (await current_tenant(connection, "acme", OLD)).model == NEW
        assert await store_promotion(connection, "acme", NEW, NOW + timedelta(hours=1)) == NOW


async def late_pin(connection: asyncpg.pool.PoolConnectionProxy, tenant: int) -> None:
    """Pin the default as a replica does that looked for promotions just before a model was promoted."""
    await connection.execute(
        "INSERT INTO promotions (tenant, model, promoted_at, initial) VALUES ($1, $2, $3, true)", tenant, OLD, NOW
    )

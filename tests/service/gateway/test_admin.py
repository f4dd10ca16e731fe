"""Operator tasks: tenants, keys, connections, themes and models."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.gateway.admin import Admin, open_admin
from services.gateway.provisioning import run_provisioning
from services.gateway.settings import Settings
from shared.problems import Conflict, NotFound, Unavailable, Unprocessable
from tests.conftest import NewDatabase
from tests.service.gateway.fake_services import FakeServices
from tests.service.gateway.gateway_client import TOKEN


@pytest.fixture
async def admin(database: NewDatabase, services: FakeServices) -> AsyncIterator[Admin]:
    settings = Settings(database_url=await database("gateway"), internal_token=TOKEN)
    async with open_admin(settings, httpx.MockTransport(services)) as admin:
        yield admin


async def test_a_tenant_is_created_once_and_provisioned_at_ingest_and_metrics(admin: Admin, services: FakeServices) -> None:
    made = await admin.create_tenant("acme", "Europe/Berlin", "Acme")
    again = await admin.create_tenant("acme", "Europe/Berlin")
    assert made == again
    assert made.provisioned
    assert services.requests == [("PUT /internal/tenants/acme", {"name": "Acme", "zone": "Europe/Berlin"})] * 4
    assert [tenant.id for tenant in await admin.tenants.list_all()] == ["acme"]


async def test_creating_a_tenant_again_does_not_change_its_zone(admin: Admin, services: FakeServices) -> None:
    await admin.create_tenant("acme", "Europe/Berlin")
    services.requests.clear()
    with pytest.raises(Conflict):
        await admin.create_tenant("acme", "UTC")
    assert services.requests == []


async def test_an_invalid_tenant_is_refused_before_anything_is_written(admin: Admin) -> None:
    with pytest.raises(Unprocessable, match="zone"):
        await admin.create_tenant("acme", "Mars/Olympus")
    assert await admin.tenants.list_all() == []


async def test_provisioning_is_retried_while_a_service_is_unavailable(admin: Admin, services: FakeServices) -> None:
    services.failures = 2
    assert (await admin.create_tenant("acme", "UTC")).provisioned
    assert len(services.requests) == 2


async def test_a_tenant_created_during_an_outage_is_provisioned_later(admin: Admin, services: FakeServices) -> None:
    services.failures = 10**6
    with pytest.raises(Unavailable):
        await admin.create_tenant("acme", "UTC", retry_seconds=0.1)
    [waiting] = await admin.tenants.list_all(unprovisioned=True)
    assert waiting.id == "acme"
    telling = asyncio.create_task(run_provisioning(admin.tenants, (admin.ingest, admin.metrics), interval=0.02))
    await asyncio.sleep(0.1)
    services.failures = 0
    for _ in range(250):
        if not await admin.tenants.list_all(unprovisioned=True):
            break
        await asyncio.sleep(0.02)
    telling.cancel()
    assert len(services.requests) == 2


async def test_keys_connections_themes_and_models_require_an_existing_tenant(admin: Admin) -> None:
    for attempt in (
        admin.create_key("acme", ["admin"]),
        admin.create_connection("acme"),
        admin.connections("acme"),
        admin.taxonomy("acme"),
        admin.set_taxonomy("acme", b"{}"),
        admin.reset_taxonomy("acme"),
        admin.models("acme"),
        admin.shadow("acme", "linear-1", "30d"),
        admin.promote("acme", "linear-1"),
    ):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.parametrize("scopes", [[], ["everything"], ["admin", "root"]])
async def test_unknown_scopes_are_refused(admin: Admin, scopes: list[str]) -> None:
    await admin.create_tenant("acme", "UTC")
    with pytest.raises(Unprocessable):
        await admin.create_key("acme", scopes)


async def test_an_error_of_ingest_keeps_its_invalid_params(admin: Admin) -> None:
    await admin.create_tenant("acme", "UTC")
    with pytest.raises(Unprocessable) as refused:
        await admin.create_connection("acme", provider="unknown", name="x")
    assert refused.value.invalid_params == [{"name": "provider", "reason": "unknown"}]

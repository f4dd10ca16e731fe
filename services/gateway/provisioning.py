"""Provisioning: ingest and metrics learn each tenant's name and zone. Every call is idempotent, so a failed one is repeated."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from services.gateway.clients.upstream import Upstream
from services.gateway.domain.tenants import Tenant
from services.gateway.store.tenants import Tenants
from shared.problems import Problem, Unavailable

log = structlog.get_logger()


async def provision(tenant: Tenant, upstreams: Sequence[Upstream]) -> None:
    """PUT the tenant at each of `upstreams`. Raises Unavailable at the first that fails."""
    body = msgspec.json.encode({"name": tenant.name, "zone": tenant.zone})
    for upstream in upstreams:
        response = await upstream.call(
            "PUT",
            f"/internal/tenants/{tenant.id}",
            tenant=None,
            headers={"content-type": "application/json"},
            body=body,
        )
        if response.status_code >= 300:
            raise Unavailable(f"{upstream.name} refused the tenant with {response.status_code}")


async def run_provisioning(tenants: Tenants, upstreams: Sequence[Upstream], interval: float = 5.0) -> None:
    """Provision tenants that were created while a service was unavailable, every `interval` seconds, until cancelled."""
    while True:
        try:
            for tenant in await tenants.list_all(unprovisioned=True):
                await provision(tenant, upstreams)
                await tenants.mark_provisioned(tenant.id)
                log.info("tenant.provisioned", tenant=tenant.id)
        except Problem as problem:
            log.warning("tenant.provisioning_failed", reason=str(problem))
        await asyncio.sleep(interval)

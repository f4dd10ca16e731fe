"""Going on telling ingest and metrics of tenants that were made while one of them was away."""

import asyncio
from collections.abc import Sequence

import structlog

from services.gateway.clients.provision import provision
from services.gateway.clients.upstream import Upstream
from services.gateway.store.tenants import Tenants
from shared.problems import Problem

log = structlog.get_logger()


async def keep_provisioning(tenants: Tenants, upstreams: Sequence[Upstream], rest: float = 5.0) -> None:
    """Look every `rest` seconds for tenants that weren't told everywhere, and tell them. Ends only by cancellation."""
    while True:
        try:
            for tenant in await tenants.all(unprovisioned=True):
                await provision(tenant, upstreams)
                await tenants.mark_provisioned(tenant.id)
                log.info("tenant.provisioned", tenant=tenant.id)
        except Problem as problem:
            log.warning("tenant.provisioning_failed", reason=str(problem))
        await asyncio.sleep(rest)

"""Telling ingest and metrics of a tenant. Both PUTs are idempotent, so what failed is simply done again."""

from collections.abc import Sequence

import msgspec

from services.gateway.clients.upstream import Upstream
from services.gateway.domain.tenants import Tenant
from shared.problems import Unavailable


async def provision(tenant: Tenant, upstreams: Sequence[Upstream]) -> None:
    """PUT the tenant at each of `upstreams`; raises Unavailable at the first that didn't take it."""
    body = msgspec.json.encode({"name": tenant.name, "zone": tenant.zone})
    for upstream in upstreams:
        answer = await upstream.call(
            "PUT",
            f"/internal/tenants/{tenant.id}",
            tenant=None,
            headers={"content-type": "application/json"},
            body=body,
        )
        if answer.status_code >= 300:
            raise Unavailable(f"{upstream.name} refused the tenant with {answer.status_code}")

"""What the operator does, without HTTP: tenants, keys, connections, themes, models. The `earshot` command and the local stack use
it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from services.gateway.clients.provision import provision
from services.gateway.clients.upstream import Upstream, open_http
from services.gateway.domain.keys import SCOPES, SECRET_BYTES, Key, digest, secret_of, visible
from services.gateway.domain.tenants import Tenant, faults
from services.gateway.settings import Settings
from services.gateway.store.keys import Keys
from services.gateway.store.tenants import Tenants
from shared.database import open_engine
from shared.problems import Conflict, NotFound, Unavailable, Unprocessable

JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Admin:
    """Everything here speaks for the operator and checks no key."""

    tenants: Tenants
    keys: Keys
    ingest: Upstream
    metrics: Upstream

    async def create_tenant(self, tenant_id: str, zone: str, name: str | None = None, patience: float = 30.0) -> Tenant:
        """Make the tenant, or find it as it is, and tell ingest and metrics, trying for `patience` seconds.

        Raises Conflict when the id is taken by a tenant of another zone or name, Unavailable when the others stayed away (the
        tenant then stands, and the running gateway goes on telling them).
        """
        wanted = Tenant(tenant_id, name or tenant_id, zone)
        if found := faults(wanted):
            raise Unprocessable("; ".join(found))
        tenant = await self.tenants.add(wanted)
        if tenant.zone != zone or (name and tenant.name != name):
            raise Conflict(f"tenant {tenant_id} exists with zone {tenant.zone} and name {tenant.name!r}")
        await persistently(lambda: provision(tenant, (self.ingest, self.metrics)), patience)
        await self.tenants.mark_provisioned(tenant.id)
        return Tenant(tenant.id, tenant.name, tenant.zone, provisioned=True)

    async def create_key(self, tenant: str, scopes: Collection[str], name: str = "") -> tuple[Key, str]:
        """A new key and its secret, which is nowhere else and can't be had again."""
        await self._must_exist(tenant)
        if not scopes or not set(scopes) <= set(SCOPES):
            raise Unprocessable(f"scopes are one or more of {' '.join(SCOPES)}")
        return await new_key(self.keys, tenant, scopes, name)

    async def revoke_key(self, tenant: str, key_id: str) -> None:
        if not await self.keys.revoke(tenant, key_id, datetime.now(UTC)):
            raise NotFound("the tenant has no such key")

    async def create_connection(self, tenant: str, **fields: Any) -> dict[str, Any]:
        """POST /v1/connections at ingest in the tenant's name; the answer holds the secret, this once."""
        await self._must_exist(tenant)
        body = msgspec.json.encode(fields)
        return _content(await self.ingest.call("POST", "/v1/connections", tenant=tenant, headers=JSON, body=body))

    async def connections(self, tenant: str) -> dict[str, Any]:
        await self._must_exist(tenant)
        return _content(await self.ingest.call("GET", "/v1/connections", tenant=tenant))

    async def taxonomy(self, tenant: str) -> dict[str, Any]:
        """GET /v1/taxonomy at ingest: `revision`, and `themes`, None where those that ship are in force."""
        await self._must_exist(tenant)
        return _content(await self.ingest.call("GET", "/v1/taxonomy", tenant=tenant))

    async def set_taxonomy(self, tenant: str, body: bytes) -> dict[str, Any]:
        """PUT /v1/taxonomy at ingest with `body`, JSON as `taxonomy` tells it; what is in force then. Null themes are a reset."""
        await self._must_exist(tenant)
        if shipped := shipped_in(body):
            return await self.reset_taxonomy(tenant, shipped.revision)
        return _content(await self.ingest.call("PUT", "/v1/taxonomy", tenant=tenant, headers=JSON, body=body))

    async def reset_taxonomy(self, tenant: str, based_on: int | None = None) -> dict[str, Any]:
        """DELETE /v1/taxonomy at ingest; what is in force then. Raises Conflict where another revision than `based_on` is."""
        await self._must_exist(tenant)
        query = urlencode({"revision": based_on}) if based_on is not None else ""
        return _content(await self.ingest.call("DELETE", "/v1/taxonomy", tenant=tenant, query=query))

    async def models(self, tenant: str) -> dict[str, Any]:
        """The models that have scored comments of the tenant."""
        await self._must_exist(tenant)
        return _content(await self.metrics.call("GET", "/v1/models", tenant=tenant))

    async def shadow(self, tenant: str, model: str, window: str) -> dict[str, Any]:
        """What would change if `model` were promoted, by the comments of a window such as `30d`."""
        await self._must_exist(tenant)
        path = f"/v1/models/{quote(model, safe='')}/shadow"
        return _content(await self.metrics.call("GET", path, tenant=tenant, query=urlencode({"window": window})))

    async def promote(self, tenant: str, model: str) -> dict[str, Any]:
        """Let the tenant's KPIs read the scores of `model`. Raises Conflict while comments lack one."""
        await self._must_exist(tenant)
        return _content(await self.metrics.call("POST", f"/v1/models/{quote(model, safe='')}:promote", tenant=tenant))

    async def _must_exist(self, tenant: str) -> None:
        if await self.tenants.find(tenant) is None:
            raise NotFound(f"there is no tenant {tenant}")


class Shipped(msgspec.Struct, forbid_unknown_fields=True):
    """What `Admin.taxonomy` tells of a tenant with the themes that ship."""

    themes: None
    revision: int | None = None


def shipped_in(body: bytes) -> Shipped | None:
    """`body` if it names the themes that ship. Whatever else is wrong with it, ingest says."""
    try:
        return msgspec.json.decode(body, type=Shipped)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def new_key(keys: Keys, tenant: str, scopes: Collection[str], name: str = "", **options: Any) -> tuple[Key, str]:
    """Make a secret, keep its hash; returns the key and the secret. `options` are those of `Keys.add`."""
    secret = secret_of(secrets.token_bytes(SECRET_BYTES))
    key = await keys.add(
        f"key_{secrets.token_hex(8)}",
        tenant,
        name=name,
        prefix=visible(secret),
        digest=digest(secret),
        scopes=scopes,
        **options,
    )
    return key, secret


async def persistently(attempt: Callable[[], Awaitable[None]], patience: float, rest: float = 0.25) -> None:
    """Do `attempt` until it succeeds; after `patience` seconds its Unavailable is the answer."""
    end = asyncio.get_running_loop().time() + patience
    while True:
        try:
            return await attempt()
        except Unavailable:
            if asyncio.get_running_loop().time() + rest >= end:
                raise
        await asyncio.sleep(rest)


def _content(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code >= 400:
        problem = msgspec.json.decode(answer.content)
        raise {404: NotFound, 409: Conflict}.get(answer.status_code, Unprocessable)(
            problem.get("detail", ""), invalid_params=problem.get("invalid_params", ())
        )
    content: dict[str, Any] = msgspec.json.decode(answer.content)
    return content


@asynccontextmanager
async def open_admin(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Admin]:
    """An Admin over the database and the internal addresses of `settings`."""
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        http = await stack.enter_async_context(open_http(transport))
        yield Admin(
            Tenants(engine),
            Keys(engine),
            Upstream("ingest", http, settings.ingest_url, settings.internal_token),
            Upstream("metrics", http, settings.metrics_url, settings.internal_token),
        )

"""Operator tasks: tenants, keys, connections, themes and models. The `earshot` command and the local stack use them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from services.gateway.clients.upstream import Upstream, open_http
from services.gateway.domain.keys import SCOPES, SECRET_BYTES, Key, digest, format_secret, public_prefix
from services.gateway.domain.tenants import Tenant, validate
from services.gateway.domain.ticket_table import TicketPage, decode_page
from services.gateway.provisioning import provision
from services.gateway.settings import Settings
from services.gateway.store.keys import Keys
from services.gateway.store.tenants import Tenants
from shared.database import open_engine
from shared.problems import Conflict, NotFound, Unavailable, Unprocessable

JSON = {"content-type": "application/json"}

TICKETS_AT_ONCE = 2_000
"""Tickets on a page of the export: the most that metrics allows."""


@dataclass(frozen=True, slots=True)
class Admin:
    """Acts for the operator: checks no API key."""

    tenants: Tenants
    keys: Keys
    ingest: Upstream
    metrics: Upstream

    async def create_tenant(self, tenant_id: str, zone: str, name: str | None = None, retry_seconds: float = 30.0) -> Tenant:
        """Create the tenant unless it exists, and provision it at ingest and metrics, retrying for `retry_seconds`.

        Raises Unprocessable if the tenant is invalid, Conflict if the id belongs to a tenant with another zone or name,
        Unavailable if provisioning failed: the tenant exists then, and the running gateway goes on provisioning it.
        """
        new = Tenant(tenant_id, name or tenant_id, zone)
        if errors := validate(new):
            raise Unprocessable("; ".join(errors))
        tenant = await self.tenants.add(new)
        if tenant.zone != zone or (name and tenant.name != name):
            raise Conflict(f"tenant {tenant_id} exists with zone {tenant.zone} and name {tenant.name!r}")
        await retry(lambda: provision(tenant, (self.ingest, self.metrics)), retry_seconds)
        await self.tenants.mark_provisioned(tenant.id)
        return Tenant(tenant.id, tenant.name, tenant.zone, provisioned=True)

    async def create_key(self, tenant: str, scopes: Collection[str], name: str = "") -> tuple[Key, str]:
        """Create a key; returns it and its secret, which is not stored. Raises NotFound, Unprocessable."""
        await self._check_exists(tenant)
        if not scopes or not set(scopes) <= set(SCOPES):
            raise Unprocessable(f"scopes: one or more of {' '.join(SCOPES)}")
        return await issue_key(self.keys, tenant, scopes, name)

    async def revoke_key(self, tenant: str, key_id: str) -> None:
        """Revoke a key at once. Raises NotFound if the tenant has no such key."""
        if not await self.keys.revoke(tenant, key_id, datetime.now(UTC)):
            raise NotFound(f"the tenant has no key {key_id}")

    async def create_connection(self, tenant: str, **fields: Any) -> dict[str, Any]:
        """POST /v1/connections at ingest. Only this response holds the secret."""
        await self._check_exists(tenant)
        body = msgspec.json.encode(fields)
        return _content(await self.ingest.call("POST", "/v1/connections", tenant=tenant, headers=JSON, body=body))

    async def connections(self, tenant: str) -> dict[str, Any]:
        """GET /v1/connections at ingest. Raises NotFound if the tenant does not exist."""
        await self._check_exists(tenant)
        return _content(await self.ingest.call("GET", "/v1/connections", tenant=tenant))

    async def connection(self, tenant: str, connection: str) -> dict[str, Any]:
        """GET /v1/connections/{id} at ingest."""
        return await self._read(tenant, f"/v1/connections/{quote(connection, safe='')}", {})

    async def set_credentials(self, tenant: str, connection: str, credentials: Mapping[str, Any] | None) -> dict[str, Any]:
        """PATCH /v1/connections/{id} at ingest with the credentials of the tool's API; None removes them."""
        await self._check_exists(tenant)
        path, body = f"/v1/connections/{quote(connection, safe='')}", msgspec.json.encode({"credentials": credentials})
        return _content(await self.ingest.call("PATCH", path, tenant=tenant, headers=JSON, body=body))

    async def job(self, tenant: str, job: str, *, cancel: bool = False) -> dict[str, Any]:
        """GET /v1/jobs/{id} at ingest, or DELETE, which cancels it."""
        await self._check_exists(tenant)
        path = f"/v1/jobs/{quote(job, safe='')}"
        return _content(await self.ingest.call("DELETE" if cancel else "GET", path, tenant=tenant))

    async def back_fill(self, tenant: str, connection: str, since: str, surveys: Sequence[str]) -> dict[str, Any]:
        """POST /v1/connections/{id}:backfill at ingest; returns the job."""
        await self._check_exists(tenant)
        path, body = f"/v1/connections/{quote(connection, safe='')}:backfill", {"since": since, "surveys": list(surveys)}
        return _content(await self.ingest.call("POST", path, tenant=tenant, headers=JSON, body=msgspec.json.encode(body)))

    async def list_quarantined(self, tenant: str, query: Mapping[str, str]) -> dict[str, Any]:
        """GET /v1/quarantine at ingest."""
        return await self._read(tenant, "/v1/quarantine", query)

    async def count_quarantined(self, tenant: str, query: Mapping[str, str]) -> dict[str, Any]:
        """GET /v1/quarantine:count at ingest."""
        return await self._read(tenant, "/v1/quarantine:count", query)

    async def jobs(self, tenant: str) -> dict[str, Any]:
        """GET /v1/jobs at ingest."""
        return await self._read(tenant, "/v1/jobs", {})

    async def work_through_quarantine(
        self, action: str, tenant: str, delivery: str | None, filters: Mapping[str, str]
    ) -> dict[str, Any]:
        """Retry or discard the delivery at ingest, or add the job for all that match `filters`, and return it."""
        await self._check_exists(tenant)
        path = f"/v1/quarantine/{quote(delivery, safe='')}:{action}" if delivery else f"/v1/quarantine:{action}"
        body = b"" if delivery else msgspec.json.encode(filters)
        return _content(await self.ingest.call("POST", path, tenant=tenant, headers=JSON, body=body))

    async def customers(self, action: str, tenant: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """POST /v1/customers:find, :export or :erase at ingest."""
        await self._check_exists(tenant)
        body = msgspec.json.encode(query)
        return _content(await self.ingest.call("POST", f"/v1/customers:{action}", tenant=tenant, headers=JSON, body=body))

    async def retention(self, tenant: str) -> dict[str, Any]:
        """GET /v1/retention at ingest."""
        return await self._read(tenant, "/v1/retention", {})

    async def set_retention(self, tenant: str, body_days: int | None, quarantine_days: int | None) -> dict[str, Any]:
        """PUT /v1/retention at ingest."""
        await self._check_exists(tenant)
        body = msgspec.json.encode({"body_days": body_days, "quarantine_days": quarantine_days})
        return _content(await self.ingest.call("PUT", "/v1/retention", tenant=tenant, headers=JSON, body=body))

    async def _read(self, tenant: str, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        await self._check_exists(tenant)
        return _content(await self.ingest.call("GET", path, tenant=tenant, query=urlencode(query)))

    async def call_ingest(
        self, tenant: str, method: str, path: str, *, query: str = "", headers: Mapping[str, str] = JSON, body: bytes = b""
    ) -> dict[str, Any]:
        """The JSON that ingest answers for the tenant. Raises NotFound if the tenant does not exist."""
        await self._check_exists(tenant)
        return _content(await self.ingest.call(method, path, tenant=tenant, query=query, headers=headers, body=body))

    async def providers(self) -> dict[str, Any]:
        """GET /v1/providers at ingest: the kinds of tools that can be connected."""
        return _content(await self.ingest.call("GET", "/v1/providers", tenant=None))

    async def taxonomy(self, tenant: str) -> dict[str, Any]:
        """GET /v1/taxonomy at ingest: `revision`, and `themes`, which is None for the default themes."""
        await self._check_exists(tenant)
        return _content(await self.ingest.call("GET", "/v1/taxonomy", tenant=tenant))

    async def set_taxonomy(self, tenant: str, body: bytes) -> dict[str, Any]:
        """PUT /v1/taxonomy at ingest with `body`, JSON as `taxonomy` returns it; null themes reset to the default.

        Returns the new taxonomy.
        """
        await self._check_exists(tenant)
        if default := parse_default_themes(body):
            return await self.reset_taxonomy(tenant, default.revision)
        return _content(await self.ingest.call("PUT", "/v1/taxonomy", tenant=tenant, headers=JSON, body=body))

    async def reset_taxonomy(self, tenant: str, based_on: int | None = None) -> dict[str, Any]:
        """DELETE /v1/taxonomy at ingest; returns the new taxonomy.

        Raises Conflict if `based_on` is not the current revision.
        """
        await self._check_exists(tenant)
        query = urlencode({"revision": based_on}) if based_on is not None else ""
        return _content(await self.ingest.call("DELETE", "/v1/taxonomy", tenant=tenant, query=query))

    async def explain(self, tenant: str, kpi: str, query: Mapping[str, str]) -> dict[str, Any]:
        """GET /v1/kpis/{kpi}/explain at metrics. Raises Unprocessable for a query that metrics refuses."""
        return await self._call_metrics(tenant, "GET", f"/v1/kpis/{quote(kpi, safe='')}/explain", query=urlencode(query))

    async def kpi(self, tenant: str, kpi: str, query: Mapping[str, str]) -> dict[str, Any]:
        """GET /v1/kpis/{kpi} at metrics. Raises Unprocessable for a query that metrics refuses."""
        return await self._call_metrics(tenant, "GET", f"/v1/kpis/{quote(kpi, safe='')}", query=urlencode(query))

    async def freezing(self, tenant: str) -> dict[str, Any]:
        """GET /v1/freezing at metrics."""
        return await self._call_metrics(tenant, "GET", "/v1/freezing")

    async def set_freezing(self, tenant: str, after_months: int | None) -> dict[str, Any]:
        """PUT /v1/freezing at metrics."""
        return await self._call_metrics(tenant, "PUT", "/v1/freezing", body=msgspec.json.encode({"after_months": after_months}))

    async def _call_metrics(self, tenant: str, method: str, path: str, *, query: str = "", body: bytes = b"") -> dict[str, Any]:
        await self._check_exists(tenant)
        return _content(await self.metrics.call(method, path, tenant=tenant, query=query, headers=JSON, body=body))

    async def ticket_pages(self, tenant: str, query: Mapping[str, str]) -> AsyncIterator[TicketPage]:
        """GET /v1/tickets at metrics, page by page. Raises Unprocessable for a query that metrics refuses."""
        await self._check_exists(tenant)
        cursor: dict[str, str] = {}
        while True:
            parameters = urlencode({"limit": str(TICKETS_AT_ONCE), **query, **cursor})
            answer = await self.metrics.call("GET", "/v1/tickets", tenant=tenant, query=parameters)
            page = decode_page(_accepted(answer).content)
            yield page
            if page.next is None:
                return
            cursor = {"cursor": page.next}

    async def models(self, tenant: str) -> dict[str, Any]:
        """The models that have scored the tenant's comments."""
        return await self._call_metrics(tenant, "GET", "/v1/models")

    async def shadow(self, tenant: str, model: str, window: str) -> dict[str, Any]:
        """The shadow report of `model` over a window such as `30d`: what its promotion would change."""
        path = f"/v1/models/{quote(model, safe='')}/shadow"
        return await self._call_metrics(tenant, "GET", path, query=urlencode({"window": window}))

    async def promote(self, tenant: str, model: str) -> dict[str, Any]:
        """Let the tenant's KPIs use the scores of `model`. Raises Conflict while comments lack one."""
        return await self._call_metrics(tenant, "POST", f"/v1/models/{quote(model, safe='')}:promote")

    async def _check_exists(self, tenant: str) -> None:
        if await self.tenants.find(tenant) is None:
            raise NotFound(f"there is no tenant {tenant}")


class DefaultThemes(msgspec.Struct, forbid_unknown_fields=True):
    """The taxonomy of a tenant with the default themes, as `Admin.taxonomy` returns it."""

    themes: None
    revision: int | None = None


def parse_default_themes(body: bytes) -> DefaultThemes | None:
    """`body`, if it holds null themes. Ingest validates any other body."""
    try:
        return msgspec.json.decode(body, type=DefaultThemes)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


async def issue_key(keys: Keys, tenant: str, scopes: Collection[str], name: str = "", **options: Any) -> tuple[Key, str]:
    """Make a secret and store its hash; returns the key and the secret. `options` are those of `Keys.add`."""
    secret = format_secret(secrets.token_bytes(SECRET_BYTES))
    key = await keys.add(
        f"key_{secrets.token_hex(8)}",
        tenant,
        name=name,
        prefix=public_prefix(secret),
        digest=digest(secret),
        scopes=scopes,
        **options,
    )
    return key, secret


async def retry(attempt: Callable[[], Awaitable[None]], seconds: float, pause: float = 0.25) -> None:
    """Call `attempt` until it succeeds. Raises its Unavailable after `seconds`."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await attempt()
        except Unavailable:
            if asyncio.get_running_loop().time() + pause >= end:
                raise
        await asyncio.sleep(pause)


def _content(answer: httpx.Response) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.json.decode(_accepted(answer).content or b"{}")
    return content


def _accepted(answer: httpx.Response) -> httpx.Response:
    """The answer of a service. Raises its problem if it is an error."""
    if answer.status_code >= 400:
        problem = msgspec.json.decode(answer.content)
        raise {404: NotFound, 409: Conflict}.get(answer.status_code, Unprocessable)(
            problem.get("detail", ""), invalid_params=problem.get("invalid_params", ())
        )
    return answer


@asynccontextmanager
async def open_admin(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Admin]:
    """An Admin over the database and the internal addresses of `settings`."""
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.database)
        stack.push_async_callback(engine.dispose)
        http = await stack.enter_async_context(open_http(transport))
        yield Admin(
            Tenants(engine),
            Keys(engine),
            Upstream("ingest", http, settings.ingest_url, settings.internal_token),
            Upstream("metrics", http, settings.metrics_url, settings.internal_token),
        )

"""The demo's tenant, API keys and connections, created once as an operator and a customer would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.local.files import read_json, replace_json
from deploy.local.processes import StartFailed
from deploy.local.settings import Settings
from shared.problems import Problem

ID = "demo"
DIMENSIONS = ("plan",)
"""The tenant's own dimensions."""
CREATED = ("api_key", "admin_key", "connections")
"""Entries of the secrets file that belong to the tenant."""

CONNECTIONS: Mapping[str, Mapping[str, Any]] = {
    "standard": {"name": "In-app surveys"},
    "typeform": {
        "name": "Surveys by e-mail",
        "mapping": {
            "questions": {"recommend": {"kind": "nps"}, "satisfied": {"kind": "csat", "scale": [1, 5], "positive_from": 4}},
            "dimensions": {name: name for name in ("product", "region", "language", "segment")},
        },
    },
    "zendesk": {
        "name": "Help desk",
        "mapping": {"dimensions": {"brand_id": "product", "organization_id": "segment", "form_id": "region"}},
    },
}
"""Provider → the body of the request that creates its connection."""


@dataclass(frozen=True)
class DemoTenant:
    """URLs, keys and connections of the demo's tenant. A connection has id, provider, hook_url and secret."""

    gateway_url: str
    api_key: str
    admin_key: str
    connections: tuple[Mapping[str, str], ...]
    id: str = ID

    def connection(self, provider: str) -> Mapping[str, str]:
        """The connection of `provider`."""
        return next(c for c in self.connections if c["provider"] == provider)

    def description(self) -> dict[str, Any]:
        """Its part of demo.json."""
        return {"api_key": self.api_key, "admin_key": self.admin_key, "connections": [dict(c) for c in self.connections]}


async def ensure_tenant(settings: Settings, http: httpx.AsyncClient) -> DemoTenant:
    """The tenant, from the secrets file; creates what is missing."""
    try:
        if not await is_known(settings, http):
            from deploy.local.demo.operator import create_tenant

            forget(settings)
            await create_tenant(settings, ID)
        keys = read_json(settings.secrets_file)
        connections = [await ensure_connection(settings, http, keys["admin_key"], provider) for provider in CONNECTIONS]
        await declare_dimensions(settings.url("gateway"), http, keys["admin_key"])
    except (Problem, httpx.HTTPError) as error:
        raise StartFailed(f"the demo's tenant could not be created: {error}") from error
    return DemoTenant(settings.url("gateway"), keys["api_key"], keys["admin_key"], tuple(connections))


async def is_known(settings: Settings, http: httpx.AsyncClient) -> bool:
    """Whether the gateway accepts the keys in the secrets file."""
    keys = [read_json(settings.secrets_file).get(name) for name in ("api_key", "admin_key")]
    for key in keys:
        url = f"{settings.url('gateway')}/v1/kpis"
        if not key or (await http.get(url, headers={"authorization": f"Bearer {key}"})).status_code == httpx.codes.UNAUTHORIZED:
            return False
    return True


def forget(settings: Settings) -> None:
    """Remove the keys, connections and history marker of a database that no longer exists."""
    content = read_json(settings.secrets_file)
    replace_json(settings.secrets_file, {name: content[name] for name in content if name not in CREATED})
    settings.history_file.unlink(missing_ok=True)


async def ensure_connection(settings: Settings, http: httpx.AsyncClient, admin_key: str, provider: str) -> dict[str, str]:
    """The connection of `provider`, created if it is missing. Its hook URL uses the current ports."""
    content = read_json(settings.secrets_file)
    connections = content.setdefault("connections", {})
    if provider not in connections:
        connections[provider] = await create_connection(settings.url("gateway"), http, admin_key, provider)
        replace_json(settings.secrets_file, content)
    hook_url = f"{settings.url('ingest')}/v1/hooks/{connections[provider]['id']}"
    return {
        "id": connections[provider]["id"],
        "provider": provider,
        "hook_url": hook_url,
        "secret": connections[provider]["secret"],
    }


async def declare_dimensions(gateway_url: str, http: httpx.AsyncClient, admin_key: str) -> None:
    """Declare DIMENSIONS. Declared again they change nothing."""
    answer = await http.put(
        f"{gateway_url}/v1/dimensions",
        json=[{"name": name} for name in DIMENSIONS],
        headers={"authorization": f"Bearer {admin_key}"},
    )
    if answer.status_code != httpx.codes.OK:
        raise StartFailed(f"the demo's dimensions could not be declared: {answer.status_code} {answer.text}")


async def create_connection(gateway_url: str, http: httpx.AsyncClient, admin_key: str, provider: str) -> dict[str, str]:
    """Create a connection through the gateway. Returns its id and secret."""
    answer = await http.post(
        f"{gateway_url}/v1/connections",
        json={"provider": provider, **CONNECTIONS[provider]},
        headers={"authorization": f"Bearer {admin_key}"},
    )
    if answer.status_code != httpx.codes.CREATED:
        raise StartFailed(f"the {provider} connection could not be created: {answer.status_code} {answer.text}")
    return {name: answer.json()[name] for name in ("id", "secret")}

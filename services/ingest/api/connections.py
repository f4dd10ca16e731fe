"""`/v1/connections`: the tools that a tenant has connected. A secret is shown once, when it is made or given."""

import secrets
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field, ValidationError

from services.ingest.api.hooks import hook_url
from services.ingest.api.requests import Tenant, known_query, read_model
from services.ingest.api.state import Ingest, ingest_of
from services.ingest.domain.connection import Connection, Dimension, ProviderSettings
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.fields import Model, Name
from services.ingest.domain.preview import redacted
from services.ingest.domain.providers import PROVIDERS, Headers, NotVerified, read_settings
from services.ingest.domain.providers import Request as ToolRequest
from services.ingest.domain.receive import parse_records, receive
from services.ingest.store.connections import BUILT_IN, Rotation
from shared.database import outage_is_503
from shared.problems import NotFound, Unprocessable, refused

routes = APIRouter()

SECRET_BYTES = 32

Fixed = Annotated[dict[Dimension, Name], Field(max_length=20)]
"""Dimensions that every record of a connection has."""


class NewConnection(Model):
    provider: Name
    name: Name
    secret: str | None = None
    mapping: dict[str, Any] = Field(default_factory=dict)
    dimensions: Fixed = Field(default_factory=dict)


class Change(Model):
    """Fields that are left out stay as they are. All changes of one request take effect together or not at all.

    `secret` begins a rotation (null: a secret is made): the former one stays valid until `retire_secret` or the next rotation.
    """

    name: Name | None = None
    secret: str | None = None
    retire_secret: Literal[True] | None = None
    mapping: dict[str, Any] | None = None
    dimensions: Fixed | None = None
    paused: bool | None = None


class Try(Model):
    """A delivery to try; header names in any case. `query` is the hook URL's, which some tools sign."""

    headers: dict[str, str] = Field(default_factory=dict)
    query: str = ""
    body: str


@routes.get("/v1/connections")
async def list_all(request: Request, tenant: Tenant) -> dict[str, Any]:
    known_query(request, set())
    ingest = ingest_of(request)
    async with outage_is_503():
        listed = await ingest.connections.list_of(tenant)
        held = await ingest.deliveries.count_held([one.connection.id for one in listed])
    return {
        "connections": [
            shown(ingest, one.connection, held.get(one.connection.id, 0)) | {"created_at": one.created_at} for one in listed
        ]
    }


@routes.post("/v1/connections", status_code=201)
async def create(request: Request, tenant: Tenant) -> dict[str, Any]:
    known_query(request, set())
    ingest, new = ingest_of(request), await read_model(request, NewConnection)
    if new.provider not in PROVIDERS:
        raise Unprocessable(invalid_params=[{"name": "provider", "reason": f"one of {', '.join(sorted(PROVIDERS))}"}])
    secret, mapping = usable(new.provider, new.secret), settings_of(new.provider, new.mapping)
    async with outage_is_503():
        dimensions = {str(name): value for name, value in new.dimensions.items()}
        connection = await ingest.connections.add(tenant, new.provider, new.name, secret, mapping, dimensions)
    if connection is None:
        raise NotFound("no such tenant")
    return shown(ingest, connection, 0) | {"secret": secret}


@routes.post("/v1/connections/{connection}:test")
async def test(request: Request, tenant: Tenant, connection: str) -> dict[str, Any]:
    """What a delivery would become, redacted as it would be stored; of a paused connection, once it is active. Stores nothing."""
    known_query(request, set())
    ingest, tried = ingest_of(request), await read_model(request, Try)
    found = await own(ingest, tenant, connection)
    if found.provider not in PROVIDERS:
        raise Unprocessable("the built-in connection has no hook")
    url = hook_url(ingest, found) + (f"?{tried.query}" if tried.query else "")
    delivered, now = ToolRequest("POST", url, Headers(tried.headers), tried.body.encode()), ingest.now()
    try:
        PROVIDERS[found.provider].verify(delivered, found.secrets, now)
        refusal = None
    except NotVerified as error:
        refusal = str(error)

    def read() -> tuple[Delivery, list[Any]]:
        delivery = receive(replace(found, state="active"), delivered, now)
        records = parse_records(found, delivery) if delivery.verdict == "accepted" else []
        return delivery, [redacted(one, found.key) for one in records]

    delivery, records = await ingest.threads.read(tenant, len(delivered.body), read)
    return {"verified": refusal is None, "status": delivery.verdict, "reason": delivery.reason or refusal, "records": records}


@routes.get("/v1/connections/{connection}")
async def show(request: Request, tenant: Tenant, connection: str) -> dict[str, Any]:
    known_query(request, set())
    ingest = ingest_of(request)
    return await shown_with_held(ingest, await own(ingest, tenant, connection))


@routes.patch("/v1/connections/{connection}")
async def change(request: Request, tenant: Tenant, connection: str) -> dict[str, Any]:
    known_query(request, set())
    ingest, asked = ingest_of(request), await read_model(request, Change)
    found = await own(ingest, tenant, connection)
    if found.provider == BUILT_IN:
        raise Unprocessable("the built-in connection can't be changed")
    values = {name: getattr(asked, name) for name in ("name", "dimensions") if getattr(asked, name) is not None}
    if asked.mapping is not None:
        values["mapping"] = settings_of(found.provider, asked.mapping)
    if asked.paused is not None:
        values["state"] = "paused" if asked.paused else "active"
    made = usable(found.provider, asked.secret) if "secret" in asked.model_fields_set else None
    rotation = Rotation(made, keeps_former=not (made and asked.retire_secret)) if made or asked.retire_secret else None
    async with outage_is_503():
        known = await ingest.connections.change(tenant, connection, values, rotation)
    ingest.cache.invalidate(connection)
    if not known:
        raise NotFound("no such connection")
    ingest.releaser.wake()
    return await shown_with_held(ingest, await own(ingest, tenant, connection)) | ({"secret": made} if made else {})


@routes.delete("/v1/connections/{connection}", status_code=204)
async def delete(request: Request, tenant: Tenant, connection: str) -> Response:
    known_query(request, set())
    ingest = ingest_of(request)
    async with outage_is_503():
        if not await ingest.connections.delete(tenant, connection):
            raise NotFound("no such connection")
    ingest.cache.invalidate(connection)
    ingest.releaser.wake()
    return Response(status_code=204)


async def own(ingest: Ingest, tenant: str, connection: str) -> Connection:
    """The tenant's connection as it is in the database. NotFound: it has none of that id."""
    async with outage_is_503():
        found = await ingest.connections.find(connection)
    if found is None or found.tenant != tenant or found.state == "deleted":
        raise NotFound("no such connection")
    return found


def settings_of(provider: str, mapping: dict[str, Any]) -> ProviderSettings:
    """`mapping` as the provider's settings. Raises Unprocessable with the places that do not fit."""
    try:
        return read_settings(provider, mapping)
    except ValidationError as error:
        problem = refused(Unprocessable, error)
        params = [{**param, "name": f"mapping.{param['name']}"} for param in problem.invalid_params]
        raise Unprocessable(problem.detail, invalid_params=params, more_invalid_params=problem.more_invalid_params) from None


def usable(provider: str, secret: str | None) -> str:
    """The secret as given, or a new one. Unprocessable: it is no usable secret, or not one of this tool."""
    if secret is None:
        return PROVIDERS[provider].new_secret(secrets.token_bytes(SECRET_BYTES))
    if refusal := refuse_characters(secret) or PROVIDERS[provider].refuse_secret(secret):
        raise Unprocessable(invalid_params=[{"name": "secret", "reason": refusal}])
    return secret


def refuse_characters(secret: str) -> str | None:
    """Why no tool has this secret; None if one may. Such a secret comes of a slip in copying, and every delivery would be 401.

    It is not trimmed: the tool signs with the secret that it has.
    """
    if not secret.strip():
        return "blank"
    if secret != secret.strip() or not secret.isprintable():
        return "begins or ends with white space, or holds a character that can't be printed: copy it again"
    return None


async def shown_with_held(ingest: Ingest, connection: Connection) -> dict[str, Any]:
    async with outage_is_503():
        held = await ingest.deliveries.count_held([connection.id])
    return shown(ingest, connection, held.get(connection.id, 0))


def shown(ingest: Ingest, connection: Connection, held: int) -> dict[str, Any]:
    """`held`: deliveries that wait unread because the connection is paused, or was until a moment ago."""
    hooked = connection.provider in PROVIDERS
    return {
        "id": connection.id,
        "provider": connection.provider,
        "name": connection.name,
        "state": connection.state,
        "held": held,
        "hook_url": hook_url(ingest, connection) if hooked else None,
        "mapping": connection.mapping.model_dump(mode="json", exclude_none=True),
        "dimensions": connection.dimensions,
        "revision": connection.revision,
        "secrets": len(connection.secrets),
    }

"""`/v1/connections`: the connected tools of a tenant. A secret is returned once, when it is created."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Response

from services.ingest.api.connection_health import UnmappedQuestion, as_own_dimensions, load_health, unused_by
from services.ingest.api.connection_inputs import credentials_of, settings_of, usable_secret
from services.ingest.api.connection_schemas import (
    ConnectionChange,
    ConnectionList,
    ConnectionView,
    ConnectionWithSecret,
    ListedConnectionView,
    NewConnection,
    TrialDelivery,
    TrialResult,
)
from services.ingest.api.dependencies import Ingest, IngestState
from services.ingest.api.hooks import hook_url
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.health import presentable
from services.ingest.domain.mapping_use import merged
from services.ingest.domain.own_dimensions import names_in_records
from services.ingest.domain.preview import redacted
from services.ingest.domain.providers import PROVIDERS, Headers, NotVerified
from services.ingest.domain.providers import Request as ToolRequest
from services.ingest.domain.receive import parse_records, receive_all
from services.ingest.store.connections import BUILT_IN
from services.ingest.store.rotation import NoRotation, Rotation, RotationOpen
from shared.bodies import MIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import (
    BadRequest,
    Conflict,
    NotAuthenticated,
    NotFound,
    Unprocessable,
    responses,
)
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute
from shared.suggestions import refusal

routes = APIRouter(route_class=TypedRoute, tags=["connections"])

MAX_BYTES = 2 * MIB
MAX_VALUES = 10_000
"""Values of a request's body. A mapping of 1,000 questions has 7,000."""

NO_CONNECTION = "the connection does not exist"


@routes.get(
    "/v1/connections",
    operation_id="list_connections",
    summary="List the connected tools",
    responses=responses(BadRequest, NotAuthenticated),
)
async def list_connections(ingest: IngestState, tenant: TenantName) -> ConnectionList:
    """All connections of the tenant that are not deleted, the oldest first."""
    async with outage_is_503():
        listed = await ingest.connections.list_of(tenant)
    views = await as_views(ingest, tenant, [item.connection for item in listed])
    return ConnectionList(
        connections=[ListedConnectionView(**views[item.connection.id], created_at=item.created_at) for item in listed]
    )


@routes.post(
    "/v1/connections",
    status_code=201,
    operation_id="create_connection",
    summary="Connect a tool",
    responses=responses(NotAuthenticated, NotFound, Conflict, *BODY_PROBLEMS),
)
async def create_connection(
    ingest: IngestState,
    tenant: TenantName,
    new: Annotated[NewConnection, JsonBody(NewConnection, max_bytes=MAX_BYTES, max_values=MAX_VALUES)],
) -> ConnectionWithSecret:
    """Point the tool's webhook at `hook_url`. The secret is returned this once."""
    if new.provider not in PROVIDERS:
        raise Unprocessable(
            invalid_params=[{"name": "provider", "reason": refusal("is not allowed", new.provider, sorted(PROVIDERS))}]
        )
    secret, mapping = usable_secret(new.provider, new.secret), settings_of(new.provider, new.mapping)
    credentials = credentials_of(new.provider, new.credentials)
    async with outage_is_503():
        connection = await ingest.connections.add(tenant, new.provider, new.name, secret, mapping, new.dimensions, credentials)
    if connection is None:
        raise NotFound("the tenant does not exist")
    views = await as_views(ingest, tenant, [connection])
    return ConnectionWithSecret(**views[connection.id], secret=secret)


@routes.post(
    "/v1/connections/{connection}:test",
    operation_id="test_connection",
    summary="Try a delivery without storing it",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS),
)
async def try_delivery(
    ingest: IngestState,
    tenant: TenantName,
    connection: str,
    delivery: Annotated[TrialDelivery, JsonBody(TrialDelivery, max_bytes=MAX_BYTES)],
) -> TrialResult:
    """Returns the verdict and the records that this delivery would have, also if its signature is invalid. A paused connection is
    treated as active. For a batch it returns the records of all events, and the first verdict that is not `accepted`. `unmapped`
    names the answers that the mapping leaves out, `unused_mapping` the keys of the mapping that do not occur, `own_dimensions`
    dimensions that queries can use only once they are declared. Check all three: an accepted delivery may lack what you
    expect."""
    tool = await load_connection(ingest, tenant, connection)
    if tool.provider not in PROVIDERS:
        raise Unprocessable("the built-in connection has no hook")
    url = hook_url(ingest, tool) + (f"?{delivery.query}" if delivery.query else "")
    sent, now = ToolRequest("POST", url, Headers(delivery.headers), delivery.body.encode()), ingest.now()
    try:
        PROVIDERS[tool.provider].verify(sent, tool.secrets, now)
        refusal = None
    except NotVerified as error:
        refusal = str(error)

    def read() -> tuple[list[Delivery], list[dict[str, Any]]]:
        deliveries = receive_all(replace(tool, state="active"), sent, now)
        records = [
            record for delivery in deliveries if delivery.verdict == "accepted" for record in parse_records(tool, delivery)
        ]
        return deliveries, [redacted(record, tool.key) for record in records]

    deliveries, records = await ingest.threads.read(tenant, len(sent.body), read)
    result = next((delivery for delivery in deliveries if delivery.verdict != "accepted"), deliveries[0])
    accepted = [delivery.use for delivery in deliveries if delivery.verdict == "accepted"]
    return TrialResult(
        verified=refusal is None,
        status=result.verdict,
        reason=result.reason or refusal,
        records=records,
        unmapped=[
            UnmappedQuestion(**asdict(presentable(question))) for delivery in deliveries for question in delivery.use.unmapped
        ],
        unused_mapping=unused_by(tool, merged(accepted) if accepted else None),
        own_dimensions=as_own_dimensions({name for delivery in deliveries for name in names_in_records(delivery)}),
    )


@routes.get(
    "/v1/connections/{connection}",
    operation_id="get_connection",
    summary="Get one connected tool",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def get_connection(ingest: IngestState, tenant: TenantName, connection: str) -> ConnectionView:
    """The connection as it is stored, without its secrets."""
    return ConnectionView(**await load_view(ingest, tenant, connection))


@routes.patch(
    "/v1/connections/{connection}",
    operation_id="change_connection",
    summary="Change a connection: rename, pause, map, rotate its secret",
    responses=responses(NotAuthenticated, NotFound, RotationOpen, NoRotation, *BODY_PROBLEMS),
)
async def change_connection(
    ingest: IngestState,
    tenant: TenantName,
    connection: str,
    change: Annotated[ConnectionChange, JsonBody(ConnectionChange, max_bytes=MAX_BYTES, max_values=MAX_VALUES)],
) -> ConnectionWithSecret | ConnectionView:
    """Fields that are left out stay as they are. The answer has `secret` if the change created or set one.

    A rotation: `{"secret": null}` creates a second secret, and both are valid; store the new one at the tool; then
    `{"retire_secret": true}` makes the former one invalid. While a rotation is open, a further `secret` alone is 409 (type
    `urn:earshot:problem:rotation-open`), since it would make the former one invalid without notice.
    """
    tool = await load_connection(ingest, tenant, connection)
    if tool.provider == BUILT_IN:
        raise Unprocessable("the built-in connection can't be changed")
    values: dict[str, Any] = change.model_dump(include={"name", "dimensions"}, exclude_none=True)
    if change.mapping is not None:
        values["mapping"] = settings_of(tool.provider, change.mapping)
    if change.paused is not None:
        values["state"] = "paused" if change.paused else "active"
    if "credentials" in change.model_fields_set:
        values["credentials"] = credentials_of(tool.provider, change.credentials)
    secret = usable_secret(tool.provider, change.secret) if "secret" in change.model_fields_set else None
    rotation = Rotation(secret, retires=bool(change.retire_secret), cancels=bool(change.cancel_rotation))
    async with outage_is_503():
        changed = await ingest.connections.change(tenant, connection, values, rotation if rotation != Rotation() else None)
        if values.keys() & {"state", "credentials"}:
            await ingest.back_filler.wake(connection)
    after_change(ingest, connection)
    if not changed:
        raise NotFound(NO_CONNECTION)
    view = await load_view(ingest, tenant, connection)
    return ConnectionWithSecret(**view, secret=secret) if secret else ConnectionView(**view)


@routes.delete(
    "/v1/connections/{connection}",
    status_code=204,
    operation_id="delete_connection",
    summary="Disconnect a tool",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def delete_connection(ingest: IngestState, tenant: TenantName, connection: str) -> Response:
    """Its secrets are deleted. Its hook answers 202 and ignores what it receives. Held deliveries are dropped."""
    async with outage_is_503():
        deleted = await ingest.connections.delete(tenant, connection)
    after_change(ingest, connection)
    if not deleted:
        raise NotFound(NO_CONNECTION)
    return Response(status_code=204)


def after_change(ingest: Ingest, connection: str) -> None:
    """Drop the connection from the cache, and let workers look for its held and pending deliveries."""
    ingest.cache.invalidate(connection)
    ingest.releaser.wake()
    ingest.enricher.wake()


async def load_connection(ingest: Ingest, tenant: str, connection: str) -> Connection:
    """The tenant's connection from the database. Raises NotFound if the tenant has none with this id."""
    async with outage_is_503():
        tool = await ingest.connections.find(connection)
    if tool is None or tool.tenant != tenant or tool.state == "deleted":
        raise NotFound(NO_CONNECTION)
    return tool


async def load_view(ingest: Ingest, tenant: str, connection: str) -> dict[str, Any]:
    """The fields of ConnectionView, from the database. Raises NotFound if the tenant has no connection with this id."""
    tool = await load_connection(ingest, tenant, connection)
    return (await as_views(ingest, tenant, [tool]))[connection]


async def as_views(ingest: Ingest, tenant: str, connections: Sequence[Connection]) -> dict[str, dict[str, Any]]:
    """The fields of ConnectionView of each of the tenant's connections, by id."""
    async with outage_is_503():
        held = await ingest.deliveries.count_held([connection.id for connection in connections])
    health = await load_health(ingest, tenant, connections)
    return {
        connection.id: as_view(ingest, connection, held.get(connection.id, 0)) | {"health": health[connection.id]}
        for connection in connections
    }


def as_view(ingest: Ingest, connection: Connection, held: int) -> dict[str, Any]:
    """The fields of ConnectionView except its health."""
    has_hook = connection.provider in PROVIDERS
    return {
        "id": connection.id,
        "provider": connection.provider,
        "name": connection.name,
        "state": connection.state,
        "held": held,
        "hook_url": hook_url(ingest, connection) if has_hook else None,
        "mapping": connection.mapping.model_dump(mode="json", exclude_none=True),
        "dimensions": connection.dimensions,
        "revision": connection.revision,
        "secrets": len(connection.secrets),
        "has_credentials": connection.has_credentials,
    }

"""The names of a tenant's teams, agents and surveys: `/v1/names`. Ingest adds those that tools state by an internal call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from services.metrics.api.dependencies import Metrics, MetricsState, UnknownTenant, find_tenant, tenant_number
from services.metrics.store.names import (
    MAX_NAMES,
    ToolName,
    TooManyNames,
    add_tool_names,
    change_names,
    read_names,
    replace_names,
)
from shared.bodies import MIB
from shared.database import outage_is_503
from shared.events import NAMED_DIMENSIONS
from shared.http import InternalOnly, TenantName
from shared.problems import BadRequest, NotAuthenticated, TooLarge, Unprocessable, UnsupportedMedia, responses
from shared.routes import JsonBody, TypedRoute
from shared.text import nfc

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["names"])
internal_routes = APIRouter(route_class=TypedRoute, prefix="/internal", tags=["internal"], dependencies=[InternalOnly])

MAX_CHARACTERS = 200
MAX_BYTES, MAX_VALUES = 2 * MIB, 3 * MAX_NAMES
"""The limits of a body."""
MOST_TOOL_NAMES = 1_000
"""The most names in one internal call."""

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(nfc)
]
"""An id or a name: one line, stored in Unicode NFC, as the values of dimensions are."""

EXAMPLE: JsonDict = {"team": {"360001": "Billing"}, "agent": {"8447388090494": "Ada"}}


class Names(BaseModel):
    """The names of teams, agents and surveys, by their ids: the values of the dimensions `team`, `agent` and `survey`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    team: dict[Text, Text] = Field({}, description="The name of each team", examples=[{"360001": "Billing"}])
    agent: dict[Text, Text] = Field({}, description="The name of each agent", examples=[{"8447388090494": "Ada"}])
    survey: dict[Text, Text] = Field({}, description="The name of each survey", examples=[{"Fq3xW1": "How are we doing?"}])


class NameChanges(BaseModel):
    """Names to set, by their ids; null removes the name that was set. Names of other ids stay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"team": {"360001": "Billing", "360002": None}}]})

    team: dict[Text, Text | None] = Field({}, description="Names of teams", examples=[{"360001": "Billing", "360002": None}])
    agent: dict[Text, Text | None] = Field({}, description="Names of agents", examples=[{"8447388090494": "Ada"}])
    survey: dict[Text, Text | None] = Field({}, description="Names of surveys", examples=[{"Fq3xW1": "How are we doing?"}])


class StatedName(BaseModel):
    """A name that a tool states."""

    model_config = ConfigDict(extra="forbid")

    dimension: Literal["team", "agent", "survey"] = Field(description="The dimension of the value")
    value: Text = Field(description="The value that has the name", examples=["360001"])
    name: Text = Field(description="The name", examples=["Billing"])
    stated_at: AwareDatetime = Field(description="When the tool stated it: of two names of a value the later one counts")


class StatedNames(BaseModel):
    """Names that tools state, one for each value."""

    model_config = ConfigDict(extra="forbid")

    names: list[StatedName] = Field(max_length=MOST_TOOL_NAMES, description="The names")


@routes.get(
    "/names",
    operation_id="get_names",
    summary="Get the names of teams, agents and surveys",
    description="Those that were set, and for all other ids those that the connected tools state.",
    responses=responses(NotAuthenticated, BadRequest),
)
async def get_names(tenant: TenantName, state: MetricsState) -> Names:
    """The directory of the caller's tenant."""
    async with outage_is_503(), state.source.pool.acquire() as connection:
        number = await find_tenant(connection, tenant)
        return Names() if number is None else await read_directory(connection, number)


@routes.put(
    "/names",
    operation_id="put_names",
    summary="Set the names of teams, agents and surveys",
    description="They replace those set before, and win over those that the connected tools state. Results, records and live "
    "streams then have the names beside the ids, and filters match either. No number changes. The answer is the whole directory.",
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def put_names(
    tenant: TenantName,
    state: MetricsState,
    body: Annotated[Names, JsonBody(Names, max_bytes=MAX_BYTES, max_values=MAX_VALUES)],
) -> Names:
    """Store the names and return the directory."""
    async with names_transaction(state, tenant) as (connection, number):
        await replace_names(connection, number, body.model_dump())
        return await read_directory(connection, number)


@routes.patch(
    "/names",
    operation_id="change_names",
    summary="Set or remove some names of teams, agents and surveys",
    description="Names of ids that the body does not have stay as they are. `null` removes a name that was set: the id then has "
    "the name that a connected tool states for it, if any. The answer is the whole directory.",
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def patch_names(
    tenant: TenantName,
    state: MetricsState,
    body: Annotated[NameChanges, JsonBody(NameChanges, max_bytes=MAX_BYTES, max_values=MAX_VALUES)],
) -> Names:
    """Store the changes and return the directory."""
    async with names_transaction(state, tenant) as (connection, number):
        await change_names(connection, number, body.model_dump())
        return await read_directory(connection, number)


@internal_routes.post(
    "/tenants/{tenant}/names",
    operation_id="add_tool_names",
    summary="Add names that a tenant's tools state",
    description="A name that the tenant has set wins over them.",
    status_code=204,
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def post_tool_names(
    state: MetricsState,
    tenant: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$", description="The slug of the tenant")],
    body: Annotated[StatedNames, JsonBody(StatedNames, max_bytes=MAX_BYTES, max_values=MAX_VALUES)],
) -> None:
    """Store the names. Of two of one value the later one counts."""
    latest = {(name.dimension, name.value): name for name in sorted(body.names, key=lambda name: name.stated_at)}
    if latest:
        async with names_transaction(state, tenant) as (connection, number):
            await add_tool_names(connection, number, [ToolName(**name.model_dump()) for name in latest.values()])


@asynccontextmanager
async def names_transaction(state: Metrics, tenant: str) -> AsyncIterator[tuple[asyncpg.pool.PoolConnectionProxy, int]]:
    """A transaction that changes a tenant's names, and the tenant's number. Raises UnknownTenant.

    TooManyNames within it becomes Unprocessable.
    """
    try:
        async with outage_is_503(), state.source.pool.acquire() as connection, connection.transaction():
            yield connection, await tenant_number(connection, tenant)
    except TooManyNames as error:
        raise Unprocessable(invalid_params=[{"name": "", "reason": str(error)}]) from None


async def read_directory(connection: asyncpg.pool.PoolConnectionProxy, number: int) -> Names:
    """All names of a tenant."""
    return Names.model_validate(await read_names(connection, number, NAMED_DIMENSIONS))

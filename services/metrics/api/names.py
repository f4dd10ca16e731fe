"""The names of a tenant's teams, agents and surveys: `PUT /v1/names`, `GET /v1/names`."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.metrics.api.dependencies import Service, UnknownTenant, tenant_number
from services.metrics.store.names import Directory, read_names, replace_names
from shared.bodies import MIB
from shared.database import outage_is_503
from shared.events import NAMED_DIMENSIONS
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, TooLarge, Unprocessable, UnsupportedMedia, responses
from shared.routes import JsonBody, TypedRoute
from shared.text import nfc

routes = APIRouter(route_class=TypedRoute, prefix="/v1", tags=["names"])

MAX_NAMES = 10_000
"""Names of a tenant, of all dimensions together."""
MAX_CHARACTERS = 200

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(nfc)
]
"""An id or a name: one line, stored in Unicode NFC, as the values of dimensions are."""


class Names(BaseModel):
    """The names of teams, agents and surveys, by their ids: the values of the dimensions `team`, `agent` and `survey`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"team": {"360001": "Billing"}, "agent": {"8447388090494": "Ada"}}]}
    )

    team: dict[Text, Text] = Field({}, description="The name of each team", examples=[{"360001": "Billing"}])
    agent: dict[Text, Text] = Field({}, description="The name of each agent", examples=[{"8447388090494": "Ada"}])

    survey: dict[Text, Text] = Field({}, description="The name of each survey", examples=[{"Fq3xW1": "How are we doing?"}])

    @model_validator(mode="after")
    def few(self) -> "Names":
        """Raise ValueError for more than MAX_NAMES."""
        number = sum(len(names) for names in self.by_dimension.values())
        if number > MAX_NAMES:
            raise ValueError(f"has {number} names; at most {MAX_NAMES} are allowed")
        return self

    @property
    def by_dimension(self) -> Directory:
        """The names of each dimension."""
        return {dimension: getattr(self, dimension) for dimension in NAMED_DIMENSIONS}


@routes.get(
    "/names",
    operation_id="get_names",
    summary="Get the names of teams, agents and surveys",
    responses=responses(NotAuthenticated, BadRequest),
)
async def get_names(tenant: TenantName, state: Service) -> Names:
    """The directory of the caller's tenant."""
    async with outage_is_503(), state.source.pool.acquire() as connection:
        number = await connection.fetchval("SELECT id FROM tenants WHERE slug = $1", tenant)
        return Names.model_validate({} if number is None else await read_names(connection, number, NAMED_DIMENSIONS))


@routes.put(
    "/names",
    operation_id="put_names",
    summary="Set the names of teams, agents and surveys",
    description="They replace those set before. Results, records and live streams then have the names beside the ids, and "
    "filters match either. No number changes.",
    responses=responses(NotAuthenticated, UnknownTenant, BadRequest, UnsupportedMedia, TooLarge, Unprocessable),
)
async def put_names(
    tenant: TenantName,
    state: Service,
    body: Annotated[Names, JsonBody(Names, max_bytes=2 * MIB, max_values=3 * MAX_NAMES)],
) -> Names:
    """Store the directory and return it."""
    async with outage_is_503(), state.source.pool.acquire() as connection, connection.transaction():
        number = await tenant_number(connection, tenant)
        await replace_names(connection, number, body.by_dimension)
    return body

"""`/v1/providers`: the kinds of tools that can be connected."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.provider import BodyType, Content
from shared.problems import BadRequest, NotAuthenticated, responses
from shared.routes import TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["connections"])


class ProviderView(BaseModel):
    """A kind of tool."""

    id: str = Field(description="`provider` of a connection", examples=["zendesk"])
    title: str = Field(description="The name of the tool", examples=["Zendesk"])
    content: list[Content] = Field(
        description="The types of records and the facts of tickets that its deliveries can state; `names`: of teams, agents or "
        "surveys",
        examples=[["ticket.opened", "ticket.message", "names"]],
    )
    body_types: list[BodyType] = Field(description="The content types that its hook reads", examples=[["json"]])
    backfill: bool = Field(
        description="Whether its history can be fetched (`POST /v1/connections/{id}:backfill`)", examples=[False]
    )


class ProviderList(BaseModel):
    """All kinds of tools, in the order of their ids."""

    providers: list[ProviderView]


@routes.get(
    "/v1/providers",
    operation_id="list_providers",
    summary="List the kinds of tools that can be connected",
    responses=responses(BadRequest, NotAuthenticated),
)
async def list_providers() -> ProviderList:
    """The values of `provider` of a new connection, and the content that each tool's deliveries can state.
    They are the same for every tenant."""
    return ProviderList(
        providers=[
            ProviderView(
                id=name,
                title=provider.title,
                content=list(provider.content),
                body_types=list(provider.body_types),
                backfill=provider.history is not None,
            )
            for name, provider in sorted(PROVIDERS.items())
        ]
    )

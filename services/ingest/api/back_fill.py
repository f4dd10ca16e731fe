"""`/v1/connections/{id}:backfill`: fetch what happened at the tool before its webhook was set up."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BeforeValidator, Field, WithJsonSchema

from services.ingest.api.connections import load_connection
from services.ingest.api.dependencies import IngestState, Requester
from services.ingest.api.jobs import JobView, as_view
from services.ingest.domain.connection import Connection
from services.ingest.domain.fields import Model, Name, Time
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.tool_api import is_path_id
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import Conflict, NotAuthenticated, NotFound, Unprocessable, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["connections"])

DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOST_SURVEYS = 50


def _with_time(value: Any) -> Any:
    """A plain date as its midnight in UTC."""
    return f"{value}T00:00:00Z" if isinstance(value, str) and DATE.fullmatch(value) else value


Since = Annotated[Time, BeforeValidator(_with_time), WithJsonSchema({"type": "string", "examples": ["2025-01-01"]})]
"""A time, or a date, which is its midnight in UTC."""


class BackFillRequest(Model):
    """The part of the tool's history to fetch."""

    since: Since = Field(description="Fetch what happened at or after this time; a plain date begins at midnight in UTC")
    surveys: list[Name] = Field(
        default_factory=list,
        max_length=MOST_SURVEYS,
        description="The forms or surveys by their ids in the tool; needed for `typeform` and `surveymonkey`",
        examples=[["lT4Z3j"]],
    )


@routes.post(
    "/v1/connections/{connection}:backfill",
    status_code=202,
    operation_id="backfill_connection",
    summary="Fetch the history of a connected tool",
    responses=responses(NotAuthenticated, NotFound, Conflict, *BODY_PROBLEMS),
)
async def backfill_connection(
    ingest: IngestState,
    response: Response,
    tenant: TenantName,
    requester: Requester,
    connection: str,
    back_fill: Annotated[BackFillRequest, JsonBody(BackFillRequest)],
) -> JobView:
    """Adds a job that pages through the tool's list API and stores each record like a delivery of its webhook, under the present
    mapping. A record that equals the latest one of its subject is a `duplicate`, so a back-fill may be repeated, and a record
    that the webhook has already delivered is not counted twice. `GET /v1/jobs/{id}` and `health.backfill` of the connection
    return the progress.

    The job continues after a restart. It waits while the connection is paused, while the tool's rate limit requires it, and, if
    the tool refuses the credentials, until new ones are set. 409: a back-fill of the connection is in progress, or the tenant has
    ten jobs.
    """
    tool = await load_connection(ingest, tenant, connection)
    refuse_unusable(tool, back_fill)
    if back_fill.since > ingest.now():
        raise Unprocessable(invalid_params=[{"name": "since", "reason": "is in the future"}])
    async with outage_is_503():
        job = await ingest.back_filler.add(tool, back_fill.since, back_fill.surveys, requester)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return as_view(job)


def refuse_unusable(tool: Connection, back_fill: BackFillRequest) -> None:
    """Raise Unprocessable if the history of this tool can't be fetched, or not with this request."""
    history = PROVIDERS[tool.provider].history if tool.provider in PROVIDERS else None
    if history is None:
        able = ", ".join(sorted(name for name, provider in PROVIDERS.items() if provider.history))
        raise Unprocessable(f"the history of {tool.provider} can't be fetched; that of {able} can")
    if history.needs_surveys != bool(back_fill.surveys):
        reason = "name at least one" if history.needs_surveys else f"must be left out for {tool.provider}"
        raise Unprocessable(invalid_params=[{"name": "surveys", "reason": reason}])
    if not tool.has_credentials:
        raise Unprocessable("the connection has no credentials of the tool's API: set `credentials` first")
    for place, survey in enumerate(back_fill.surveys):
        if not is_path_id(survey):
            reason = "must be up to 64 letters, digits, - and _"
            raise Unprocessable(invalid_params=[{"name": f"surveys.{place}", "reason": reason}])

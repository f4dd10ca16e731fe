"""`GET /v1/feedback/{subject}`: all that is stored about one response, review or ticket, and what each statement changed."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from services.metrics.api.dependencies import MetricsState, turn
from services.metrics.api.encoding import local, names_in
from services.metrics.api.schemas import Instant, TermsRevision, ValueNames
from services.metrics.domain.contributions import Contribution
from services.metrics.domain.measures import measure_of
from services.metrics.evaluation.history import History, HistoryStep, TooManyStatements, UnknownSubject, read_history
from services.metrics.evaluation.scans import TooSlow
from shared.database import outage_is_503
from shared.disconnects import ClientMessages
from shared.events import DIMENSIONS, Body
from shared.http import TenantName
from shared.problems import NotAuthenticated, responses
from shared.routes import TypedRoute

routes = APIRouter(route_class=TypedRoute, prefix="/v1/feedback", tags=["kpis"])

HIDDEN = "text_digest"
"""A field of facts that is only for comparisons: a keyed digest of a text."""

SubjectName = Annotated[
    str,
    Path(
        description="The response, review or ticket, as records name it: connection, type and id, with the slashes",
        examples=["c1/ticket/T-9"],
    ),
]


class HistoryContribution(BaseModel):
    """A row that a KPI counts."""

    measure: str = Field(description="The measure that it counts in", examples=["first_reply:replied", "csat:1..5+4"])
    at: Instant = Field(description="The time that files it")
    value: float = Field(description="The rating, the duration in seconds, the score, or ±1")
    dims: dict[str, str | None] = Field(description="The value of each dimension; null is no value")
    names: ValueNames
    themes: list[str] = Field(description="The themes, of a row of a scored comment")
    urgency: list[str] = Field(description="The reasons for urgency, of a row of a scored comment")


class HistoryStatement(BaseModel):
    """A statement about the subject: the facts of one delivery."""

    statement: str = Field(description="Identifies the statement among those of the subject")
    at: Instant = Field(description="The time of the statement, which orders statements: the tool's, else that of the receipt")
    received_at: Instant = Field(description="When the delivery was received")
    source: str = Field(description="The provider", examples=["zendesk"])
    dimensions: dict[str, str | None] = Field(description="The dimensions that it states; null removes a value")
    body: dict[str, Any] = Field(
        description="The answers, the review, the facts of the ticket, a human's judgement, or a tombstone; times in UTC",
        examples=[{"type": "ticket", "facts": [{"fact": "opened", "at": "2026-11-20T08:00:00Z"}]}],
    )
    added: list[HistoryContribution] = Field(description="The contributions that this statement added to the subject")
    removed: list[HistoryContribution] = Field(description="The contributions that this statement removed")


class FeedbackHistory(BaseModel):
    """A subject with its statements, in the order in which they count."""

    subject: str = Field(description="The response, review or ticket", examples=["c1/ticket/T-9"])
    erased: bool = Field(description="Whether it was erased: then only the tombstone is left")
    dims: dict[str, str | None] = Field(description="The latest value of each dimension; null is no value")
    names: ValueNames
    terms: TermsRevision = Field(description="The terms of the tenant that the contributions are computed under")
    model: str = Field(description="The sentiment model whose scores count", examples=["e5-7"])
    statements: list[HistoryStatement] = Field(description="The statements, in the order in which they count")
    contributions: list[HistoryContribution] = Field(description="The contributions of the subject now, by time")


@routes.get(
    "/{subject:path}",
    operation_id="get_feedback",
    summary="Get the history of a response, review or ticket, and what each statement changed in the KPIs",
    description="Contributions are those under the present terms, definitions and scores. So the last statement leads to the"
    " contributions that KPIs count now.",
    response_class=Response,
    responses={**responses(NotAuthenticated, UnknownSubject, TooManyStatements, TooSlow), 200: {"model": FeedbackHistory}},
)
async def get_feedback(tenant: TenantName, client: ClientMessages, state: MetricsState, subject: SubjectName) -> Response:
    """Read the history and encode it as JSON."""
    async with turn(client, state, tenant), outage_is_503():
        history = await read_history(state.source, tenant, subject)
    return Response(msgspec.json.encode(history_of(history)), media_type="application/json")


def history_of(history: History) -> dict[str, Any]:
    """A history as JSON."""
    dims = dict(zip(DIMENSIONS, history.current.dims, strict=True)) | {
        name: history.current.own_dims.get(name) for name in history.terms.dimensions
    }
    return {
        "subject": history.subject,
        "erased": history.current.erased,
        "dims": dims,
        "names": names_in(dims, history.names),
        "terms": {"revision": history.terms.revision},
        "model": history.model,
        "statements": [statement_of(step, history) for step in history.steps],
        "contributions": [contribution_of(row, history) for row in history.rows],
    }


def statement_of(step: HistoryStep, history: History) -> dict[str, Any]:
    """A statement as JSON."""
    event = step.event
    return {
        "statement": event.statement,
        "at": local(event.at, history.zone),
        "received_at": local(event.received_at, history.zone),
        "source": event.source,
        "dimensions": event.dimensions,
        "body": body_of(event.body),
        "added": [contribution_of(row, history) for row in step.added],
        "removed": [contribution_of(row, history) for row in step.removed],
    }


def body_of(body: Body) -> dict[str, Any]:
    """The body of a statement as JSON, without HIDDEN."""
    content: dict[str, Any] = msgspec.to_builtins(body)
    for fact in content.get("facts", ()):
        fact.pop(HIDDEN, None)
    return content


def contribution_of(row: Contribution, history: History) -> dict[str, Any]:
    """A contribution as JSON."""
    own = dict(zip(history.terms.dimensions, row.own or (None,) * len(history.terms.dimensions), strict=True))
    dims = dict(zip(DIMENSIONS, row.dims, strict=True)) | own
    return {
        "measure": row.measure,
        "at": local(row.at, history.zone),
        "value": row.amount / measure_of(row.measure).per_unit,
        "dims": dims,
        "names": names_in(dims, history.names),
        "themes": row.themes,
        "urgency": row.urgency,
    }

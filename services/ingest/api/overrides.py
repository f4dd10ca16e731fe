"""`/v1/overrides`: a human's judgement of one comment, taken in as a statement like any other."""

from typing import Annotated
from uuid import uuid4

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from services.ingest.api.body import headers_of
from services.ingest.api.feedback import idempotency_key, open_connection, store
from services.ingest.api.requests import Tenant, known_query, read_model
from services.ingest.api.state import Ingest, ingest_of
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.fields import Model, Name
from services.ingest.domain.receive import receive_record
from services.ingest.domain.record import Comment, Subject
from shared.database import outage_is_503
from shared.events import Label
from shared.problems import NotFound

routes = APIRouter()


class Judgement(Model):
    """`label` must be said: null, without themes, takes back what was judged before."""

    subject: Subject
    comment: Comment
    label: Label | None
    themes: Annotated[list[Name], Field(default_factory=list, max_length=50)]


@routes.post("/v1/overrides", status_code=202)
async def override(request: Request, tenant: Tenant) -> JSONResponse:
    """Of two judgements of one comment the one with the later `at`, here the receipt, stands.

    A comment that the tenant's subject never made is 404.
    """
    known_query(request, set())
    ingest, judgement = ingest_of(request), await read_model(request, Judgement)
    async with outage_is_503():
        connection = await open_connection(ingest, tenant)
        if connection is None or not await ingest.event_log.has_comment(tenant, judgement.subject, judgement.comment):
            raise NotFound("no such comment")
    delivery = stated(ingest, connection, judgement, idempotency_key(headers_of(request.scope)))
    return JSONResponse({"status": await store(ingest, delivery)}, 202)


def stated(ingest: Ingest, connection: Connection, judgement: Judgement, key: str | None) -> Delivery:
    """The delivery of the judgement, made now. Its body is the judgement alone, so that a retry has the same.

    A key at this route and the same key at `/v1/feedback` are two keys.
    """
    now, said = ingest.now(), judgement.model_dump()
    record = {"type": "override", "id": uuid4().hex, "at": now.isoformat(), **said}
    return receive_record(connection, record, f"override:{key}" if key else None, msgspec.json.encode(said), now)

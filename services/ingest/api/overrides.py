"""`POST /v1/overrides`: a human's judgement of one comment, stored as a statement about its subject."""

from typing import Annotated
from uuid import uuid4

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.ingest.api.dependencies import Ingest, IngestState
from services.ingest.api.feedback import IdempotencyKey, KeyReused, find_open_connection, store
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.fields import Model, Name
from services.ingest.domain.receive import receive_record
from services.ingest.domain.record_models import Comment, Subject
from shared.database import outage_is_503
from shared.events import Label
from shared.http import TenantName
from shared.problems import NotAuthenticated, NotFound, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["feedback"])


class Judgement(Model):
    """A human's judgement of one comment."""

    subject: Subject = Field(
        description="As `/v1/kpis/sentiment/records` returns it",
        examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4/response/r-1042"],
    )
    comment: Comment = Field(description="The `text_hash` of the record", examples=["6c1e1f4c4cf1de1d3b2d7e1a90b3f2aa"])
    label: Label | None = Field(description="null: keep the label of the model", examples=["negative"])
    themes: Annotated[list[Name], Field(max_length=50)] = Field(
        default_factory=list, description="Empty or left out: keep the themes of the model", examples=[["delivery"]]
    )


class StoredJudgement(BaseModel):
    """The outcome of a judgement, which is on disk."""

    status: Outcome = Field(description="`duplicate`: it was stored before", examples=["accepted"])


@routes.post(
    "/v1/overrides",
    status_code=202,
    operation_id="override_comment",
    summary="Judge a comment",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS, KeyReused),
)
async def override_comment(
    ingest: IngestState, tenant: TenantName, key: IdempotencyKey, judgement: Annotated[Judgement, JsonBody(Judgement)]
) -> StoredJudgement:
    """It overrides the label and the themes of every model. Of two judgements of a comment the later one is effective. `"label":
    null` without themes withdraws the former judgement. 404: the tenant has no such subject, or the subject never had this
    comment. With an `Idempotency-Key` a retry is the same judgement, and another one under the same key is 422.
    """
    async with outage_is_503():
        connection = await find_open_connection(ingest, tenant)
        if connection is None or not await ingest.event_log.has_comment(tenant, judgement.subject, judgement.comment):
            raise NotFound("the comment does not exist")
    delivery = delivery_of(ingest, connection, judgement, key)
    return StoredJudgement(status=await store(ingest, connection, delivery))


def delivery_of(ingest: Ingest, connection: Connection, judgement: Judgement, key: str | None) -> Delivery:
    """The delivery of a judgement that is made now. Its body is the judgement alone, so a retry has the same body.

    A key of this route and the same key of `/v1/feedback` are different keys.
    """
    now, content = ingest.now(), judgement.model_dump()
    record = {"type": "override", "id": uuid4().hex, "at": now.isoformat(), **content}
    return receive_record(connection, record, f"override:{key}" if key else None, msgspec.json.encode(content), now)

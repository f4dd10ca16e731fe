"""`POST /v1/feedback`: one canonical record of a tenant's own app."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from services.ingest.api.cloudevents import explain_cloudevent, refuse_cloudevents
from services.ingest.api.dependencies import Ingest, IngestState
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.idempotency import is_repeat, with_erasure_digest
from services.ingest.domain.normalise import TooLong
from services.ingest.domain.receive import receive_record
from services.ingest.domain.record import Invalid
from services.ingest.domain.record_models import Record as AnyRecord
from shared import strict_json
from shared.bodies import declared_length, headers_of, read_content, require_json
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, NotFound, Problem, Unprocessable, responses
from shared.routes import BODY_PROBLEMS, QueryChecked, TypedRoute, documented_body

routes = APIRouter(route_class=TypedRoute, tags=["feedback"])

MAX_KEY_LENGTH = 255


class KeyReused(Problem):
    """An Idempotency-Key was used before with another content: 422, as draft-ietf-httpapi-idempotency-key-header says."""

    status, title = 422, "Idempotency key reused"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used before with another content; nothing was stored: send it under a new key")


class StoredRecord(BaseModel):
    """The outcome of one record, which is on disk."""

    id: str = Field(description="The record's `id`", examples=["r-1042"])
    status: Outcome = Field(description="`duplicate`: it was stored before", examples=["accepted"])


async def find_target(
    request: Request,
    ingest: IngestState,
    tenant: TenantName,
    checked: QueryChecked,
    connection: Annotated[
        str | None, Query(description="The connection to post to; by default the tenant's built-in one, `api`")
    ] = None,
) -> AsyncIterator[Connection]:
    """The connection that records are posted to. A refusal of the request is counted and logged.

    Raises NotFound if the tenant has no such connection.
    """
    target: Connection | None = None
    try:
        async with outage_is_503():
            target = await find_open_connection(ingest, tenant, connection)
        if target is None:
            raise NotFound("the connection does not exist")
        yield target
    except Problem as problem:
        ingest.observer.refused(problem, target, tenant=tenant, size=declared_length(request.headers))
        raise


async def find_open_connection(ingest: Ingest, tenant: str, name: str | None = None) -> Connection | None:
    """The tenant's connection `name`, by default its built-in one. None if it does not exist or is deleted."""
    connection = await (ingest.cache.find(name) if name else ingest.cache.built_in(tenant))
    return connection if connection and connection.tenant == tenant and connection.state != "deleted" else None


Target = Annotated[Connection, Depends(find_target)]
"""A parameter of a route: the connection that records are posted to."""


async def idempotency_key(
    key: Annotated[
        str | SkipJsonSchema[None],
        Header(
            alias="Idempotency-Key",
            description=f"1 to {MAX_KEY_LENGTH} printable ASCII characters, the same for every retry of this request",
            json_schema_extra={"maxLength": MAX_KEY_LENGTH},
        ),
    ] = None,
) -> str | None:
    """The delivery id of the header Idempotency-Key, or None without one. No tool's delivery id equals it.

    Raises BadRequest if the key is blank, too long, or has other than printable ASCII characters.
    """
    if key is None:
        return None
    if not (key.strip() and len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        reason = f"1 to {MAX_KEY_LENGTH} printable ASCII characters, not all of them blank"
        raise BadRequest(invalid_params=[{"name": "Idempotency-Key", "reason": reason}])
    return f"key:{key.strip()}"


IdempotencyKey = Annotated[str | None, Depends(idempotency_key)]
"""A parameter of a route: the delivery id of its header Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class RecordBody:
    """The body of one record, and the request's headers, with names in lower case."""

    raw: bytes
    headers: Mapping[str, str]


async def read_record_body(
    request: Request, ingest: IngestState, target: Target, key: IdempotencyKey
) -> AsyncIterator[RecordBody]:
    """Read the body. Its memory stays reserved until the request is answered."""
    headers = headers_of(request.scope)
    refuse_cloudevents(headers)
    require_json(headers)
    with ingest.body_memory.reserve(target.tenant) as reservation:
        yield RecordBody(await read_content(headers, request.receive, reservation), headers)


@routes.post(
    "/v1/feedback",
    status_code=202,
    operation_id="post_feedback",
    summary="Post one canonical record",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS, KeyReused),
)
async def post_feedback(
    ingest: IngestState,
    target: Target,
    key: IdempotencyKey,
    body: Annotated[RecordBody, documented_body(read_record_body, AnyRecord)],
) -> StoredRecord:
    """Answers 202 once the record is on disk. With an `Idempotency-Key` a retry is `duplicate`; another content under a used key
    is 422 with the type `urn:earshot:problem:idempotency-key-reused`, and is not stored. CloudEvents are refused with 415 or 422:
    post them to the hook of a `cloudevents` connection, or their `data` alone, which must be a record.
    """
    record_id, delivery = await ingest.threads.read(
        target.tenant, len(body.raw), lambda: parse_delivery(target, body, key, ingest.now())
    )
    return StoredRecord(id=record_id, status=await store(ingest, target, delivery))


def parse_delivery(connection: Connection, body: RecordBody, key: str | None, now: datetime) -> tuple[str, Delivery]:
    """(record id, delivery) of a body. Raises BadRequest if it is not JSON, Unprocessable if it is not a valid record."""
    try:
        value = strict_json.parse(body.raw)
    except strict_json.Malformed as error:
        raise BadRequest(str(error)) from None
    try:
        delivery = receive_record(connection, value, key, body.raw, now)
    except (Invalid, TooLong) as error:
        raise explain_cloudevent(problem_of_record(error), value, body.headers) from None
    return value["id"], with_erasure_digest(delivery)


def problem_of_record(error: Invalid | TooLong) -> Unprocessable:
    """The problem with a record that can't be used."""
    if isinstance(error, TooLong):
        return Unprocessable(str(error))
    return Unprocessable("the record can't be used", invalid_params=error.places, more_invalid_params=error.more)


async def store(ingest: Ingest, connection: Connection, delivery: Delivery) -> Outcome:
    """Store one delivery of the connection. Raises KeyReused if its key was used with another content."""
    outcome = await ingest.committer.commit(delivery)
    if outcome == "duplicate" and delivery.id in await reused_keys(ingest, [delivery]):
        raise KeyReused
    ingest.observer.stored(connection, delivery, outcome)
    return outcome


async def reused_keys(ingest: Ingest, duplicates: Sequence[Delivery]) -> set[str]:
    """Those ids of these deliveries, all of one connection, under which another content is stored."""
    by_id = {delivery.id: delivery for delivery in duplicates if delivery.id is not None}
    if not by_id:
        return set()
    async with outage_is_503():
        stored = await ingest.deliveries.find_requests(
            duplicates[0].connection, {name: len(delivery.raw) for name, delivery in by_id.items()}
        )
    return {name for name, request in stored.items() if not is_repeat(request, by_id[name])}

"""`POST /v1/feedback`: one canonical record of a tenant's own app."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from services.ingest.api.state import Ingest, ingest_of
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.idempotency import is_repeat, with_erasure_digest
from services.ingest.domain.normalise import TooLong
from services.ingest.domain.receive import receive_record
from services.ingest.domain.record import Invalid, Record
from shared import strict_json
from shared.bodies import headers_of, read_body, require_json
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, NotFound, Problem, Unprocessable, responses
from shared.routes import BODY_PROBLEMS, QueryChecked, TypedRoute, documented_body

routes = APIRouter(route_class=TypedRoute, tags=["feedback"])

MAX_KEY_LENGTH = 255
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": f"1 to {MAX_KEY_LENGTH} printable ASCII characters, the same for every retry of this request",
    "schema": {"type": "string", "maxLength": MAX_KEY_LENGTH},
}
"""The header in the OpenAPI document; `idempotency_key` reads it."""


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
    tenant: TenantName,
    checked: QueryChecked,
    connection: Annotated[
        str | None, Query(description="The connection to post to; by default the tenant's built-in one, `api`")
    ] = None,
) -> Connection:
    """The connection that records are posted to. Raises NotFound if the tenant has no such connection."""
    async with outage_is_503():
        target = await find_open_connection(ingest_of(request), tenant, connection)
    if target is None:
        raise NotFound("the connection does not exist")
    return target


async def find_open_connection(ingest: Ingest, tenant: str, name: str | None = None) -> Connection | None:
    """The tenant's connection `name`, by default its built-in one. None if it does not exist or is deleted."""
    connection = await (ingest.cache.find(name) if name else ingest.cache.built_in(tenant))
    return connection if connection and connection.tenant == tenant and connection.state != "deleted" else None


AnyRecord = Annotated[Record, Field(discriminator="type")]
"""A record of any type, for the OpenAPI document."""

Target = Annotated[Connection, Depends(find_target)]


def idempotency_key(headers: Mapping[str, str]) -> str | None:
    """The delivery id of the header Idempotency-Key, or None without one. No tool's delivery id equals it.

    Raises BadRequest if the key is blank, too long, or has other than printable ASCII characters.
    """
    key = headers.get("idempotency-key")
    if key is None:
        return None
    if not (key.strip() and len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        reason = f"1 to {MAX_KEY_LENGTH} printable ASCII characters, not all of them blank"
        raise BadRequest(invalid_params=[{"name": "Idempotency-Key", "reason": reason}])
    return f"key:{key.strip()}"


async def read_record_body(request: Request, target: Target) -> AsyncIterator[bytes]:
    """The body of one record. Its memory stays reserved until the request is answered."""
    headers = headers_of(request.scope)
    require_json(headers)
    idempotency_key(headers)
    with ingest_of(request).body_memory.reserve(target.tenant) as reservation:
        yield await read_body(headers, request.receive, reservation)


@routes.post(
    "/v1/feedback",
    status_code=202,
    operation_id="post_feedback",
    summary="Post one canonical record",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS, KeyReused),
    openapi_extra={"parameters": [KEY_HEADER]},
)
async def post_feedback(
    request: Request, target: Target, raw: Annotated[bytes, documented_body(read_record_body, AnyRecord)]
) -> StoredRecord:
    """Answers 202 once the record is on disk. With an `Idempotency-Key` a retry is `duplicate`; another content under a used key
    is 422 with the type `urn:earshot:problem:idempotency-key-reused`, and is not stored.
    """
    ingest, key = ingest_of(request), idempotency_key(request.headers)
    record_id, delivery = await ingest.threads.read(
        target.tenant, len(raw), lambda: parse_delivery(target, raw, key, ingest.now())
    )
    return StoredRecord(id=record_id, status=await store(ingest, delivery))


def parse_delivery(connection: Connection, raw: bytes, key: str | None, now: datetime) -> tuple[str, Delivery]:
    """(record id, delivery) of a body. Raises BadRequest if it is not JSON, Unprocessable if it is not a valid record."""
    try:
        value = strict_json.parse(raw)
        delivery = receive_record(connection, value, key, raw, now)
    except strict_json.Malformed as error:
        raise BadRequest(str(error)) from None
    except (Invalid, TooLong) as error:
        raise unusable(error) from None
    return value["id"], with_erasure_digest(delivery)


def unusable(error: Invalid | TooLong) -> Unprocessable:
    """The problem with a record that can't be used."""
    if isinstance(error, TooLong):
        return Unprocessable(str(error))
    return Unprocessable("the record can't be used", invalid_params=error.places, more_invalid_params=error.more)


async def store(ingest: Ingest, delivery: Delivery) -> Outcome:
    """Store one delivery. Raises KeyReused if its key was used with another content."""
    outcome = await ingest.committer.commit(delivery)
    if outcome == "duplicate" and delivery.id in await reused_keys(ingest, [delivery]):
        raise KeyReused
    return outcome


async def reused_keys(ingest: Ingest, duplicates: Sequence[Delivery]) -> set[str]:
    """The ids among these deliveries of one connection under which another content is stored."""
    by_id = {delivery.id: delivery for delivery in duplicates if delivery.id is not None}
    if not by_id:
        return set()
    async with outage_is_503():
        stored = await ingest.deliveries.find_requests(duplicates[0].connection, list(by_id))
    return {name for name, request in stored.items() if not is_repeat(request, by_id[name])}

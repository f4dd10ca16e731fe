"""`POST /v1/feedback`: one canonical record of a tenant's own app."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.ingest.api.body import expect_json, headers_of, read_body
from services.ingest.api.requests import Tenant, known_query
from services.ingest.api.state import Ingest, ingest_of
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.idempotency import is_repeat, with_erasure_digest
from services.ingest.domain.normalise import TooLong
from services.ingest.domain.receive import receive_record
from services.ingest.domain.record import Invalid
from shared import strict_json as json
from shared.database import outage_is_503
from shared.problems import BadRequest, NotFound, Problem, Unprocessable

routes = APIRouter()

LONGEST_KEY = 255


async def target(request: Request, tenant: Tenant) -> Connection:
    """The connection that `?connection=` names, by default the tenant's built-in one."""
    known_query(request, {"connection"})
    async with outage_is_503():
        connection = await open_connection(ingest_of(request), tenant, request.query_params.get("connection"))
    if connection is None:
        raise NotFound("no such connection")
    return connection


async def open_connection(ingest: Ingest, tenant: str, named: str | None = None) -> Connection | None:
    """The tenant's connection `named`, by default its built-in one, if records may be posted to it."""
    connection = await (ingest.cache.find(named) if named else ingest.cache.built_in(tenant))
    return connection if connection and connection.tenant == tenant and connection.state != "deleted" else None


class KeyReused(Problem):
    """As draft-ietf-httpapi-idempotency-key-header says: the same key with another content is 422."""

    status, title = 422, "Idempotency key reused"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used before with another content; nothing was stored: send it under a new key")


Target = Annotated[Connection, Depends(target)]


@routes.post("/v1/feedback", status_code=202)
async def post_one(request: Request, connection: Target) -> JSONResponse:
    ingest, headers = ingest_of(request), headers_of(request.scope)
    expect_json(headers)
    key = idempotency_key(headers)
    with ingest.bodies.share(connection.tenant) as share:
        raw = await read_body(headers, request.receive, share)
        record, delivery = await ingest.threads.read(
            connection.tenant, len(raw), lambda: read_one(connection, raw, key, ingest.now())
        )
        return JSONResponse({"id": record, "status": await store(ingest, delivery)}, 202)


def read_one(connection: Connection, raw: bytes, key: str | None, now: datetime) -> tuple[str, Delivery]:
    """The record's id, and its delivery. BadRequest: the body is no JSON. Unprocessable: it is no record."""
    try:
        value = json.parse(raw)
        delivery = receive_record(connection, value, key, raw, now)
    except json.Malformed as error:
        raise BadRequest(str(error)) from None
    except Invalid as error:
        raise Unprocessable("the record can't be used", invalid_params=error.places, more_invalid_params=error.more) from None
    except TooLong as error:
        raise Unprocessable(str(error)) from None
    return value["id"], with_erasure_digest(delivery)


async def store(ingest: Ingest, delivery: Delivery) -> Outcome:
    """The outcome of one delivery, which is then on disk. KeyReused: its key was used with another body."""
    outcome = await ingest.committer.commit(delivery)
    if outcome == "duplicate" and delivery.id in await reused(ingest, [delivery]):
        raise KeyReused
    return outcome


async def reused(ingest: Ingest, duplicates: Sequence[Delivery]) -> set[str]:
    """The ids of these deliveries of one connection under which another content is stored."""
    named = {delivery.id: delivery for delivery in duplicates if delivery.id is not None}
    if not named:
        return set()
    async with outage_is_503():
        stored = await ingest.deliveries.find_requests(duplicates[0].connection, list(named))
    return {name for name, request in stored.items() if not is_repeat(request, named[name])}


def idempotency_key(headers: dict[str, str]) -> str | None:
    """The delivery's id by the header Idempotency-Key, if there is one; no tool's id of a delivery equals it.

    BadRequest: the key is blank, too long, or not of printable ASCII characters.
    """
    key = headers.get("idempotency-key")
    if key is None:
        return None
    if not (key.strip() and len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        reason = f"1 to {LONGEST_KEY} printable ASCII characters, not all of them blank"
        raise BadRequest(invalid_params=[{"name": "Idempotency-Key", "reason": reason}])
    return f"key:{key.strip()}"

"""`/v1/feedback`: canonical records from one's own apps, one or many at a time."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.ingest.api.body import MIB, expect_json, headers_of, read_body
from services.ingest.api.requests import Tenant, known_query
from services.ingest.api.state import Ingest, ingest_of
from services.ingest.domain import json
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.normalise import TooLong
from services.ingest.domain.receive import posted
from services.ingest.domain.record import Invalid
from shared.database import outage_is_503
from shared.problems import BadRequest, NotFound, Problem, Unprocessable

routes = APIRouter()

MOST_RECORDS = 5_000
MOST_BYTES = 8 * MIB
CHUNK = 250
"""Records read at a stretch; between two, others get their turn."""

Result = dict[str, Any]


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
    connection = await (ingest.directory.find(named) if named else ingest.directory.built_in(tenant))
    return connection if connection and connection.tenant == tenant and connection.state != "deleted" else None


Target = Annotated[Connection, Depends(target)]


@routes.post("/v1/feedback", status_code=202)
async def post_one(request: Request, connection: Target) -> JSONResponse:
    ingest, headers = ingest_of(request), headers_of(request.scope)
    expect_json(headers)
    raw = await read_body(headers, request.receive)
    try:
        value = json.parse(raw)
        delivery = posted(connection, value, idempotency_key(headers), raw, ingest.now())
    except json.Malformed as error:
        raise BadRequest(str(error)) from None
    except Invalid as error:
        raise Unprocessable("the record can't be used", invalid_params=error.places) from None
    except TooLong as error:
        raise Unprocessable(str(error)) from None
    return JSONResponse({"id": value["id"], "status": await ingest.committer.take(delivery)}, 202)


@routes.post("/v1/feedback:batch")
async def post_many(request: Request, connection: Target) -> JSONResponse:
    ingest, headers = ingest_of(request), headers_of(request.scope)
    expect_json(headers)
    raw = await read_body(headers, request.receive, MOST_BYTES)
    values = await asyncio.to_thread(read_lines if is_ndjson(headers, raw) else read_array, raw)
    if len(values) > MOST_RECORDS:
        raise BadRequest(f"more than {MOST_RECORDS} records")
    key = idempotency_key(headers)
    results: list[Result] = []
    for start in range(0, len(values), CHUNK):
        results += await take(ingest, connection, values[start : start + CHUNK], start, key)
    return JSONResponse({"results": results})


async def take(ingest: Ingest, connection: Connection, values: Sequence[Any], start: int, key: str | None) -> list[Result]:
    """The verdict on each of `values`, the good ones being on disk."""
    now = ingest.now()
    read = [_read(connection, value, f"{key}:{start + i}" if key else None, now) for i, value in enumerate(values)]
    outcomes = await ingest.committer.take_all([delivery for delivery in read if isinstance(delivery, Delivery)])
    told = iter(outcomes)
    return [
        {"index": start + i, "id": _id(values[i]), **verdict(next(told) if isinstance(one, Delivery) else one)}
        for i, one in enumerate(read)
    ]


def _read(connection: Connection, value: Any, delivery: str | None, now: Any) -> Delivery | Problem:
    try:
        if isinstance(value, json.Malformed):
            raise value
        return posted(connection, value, delivery, msgspec.json.encode(value), now)
    except Invalid as error:
        return Unprocessable("the record can't be used", invalid_params=error.places)
    except (TooLong, json.Malformed) as error:
        return Unprocessable(str(error))


def verdict(told: str | Problem) -> Result:
    """A record's part of the answer. A fault of ours ends the whole call: what isn't told to be in must be sent again."""
    if isinstance(told, str):
        return {"status": told}
    if told.status >= 500:
        raise told
    problem = {"title": told.title, "detail": told.detail, "invalid_params": told.invalid_params}
    return {"status": "rejected", "problem": {name: value for name, value in problem.items() if value}}


def _id(value: Any) -> str | None:
    found = value.get("id") if isinstance(value, dict) else None
    return found[:200] if isinstance(found, str) else None


def idempotency_key(headers: dict[str, str]) -> str | None:
    """The delivery's id, kept apart from what tools call their deliveries."""
    key = headers.get("idempotency-key", "").strip()
    return f"key:{key}" if key else None


def is_ndjson(headers: dict[str, str], raw: bytes) -> bool:
    """By its type where it has one of these, else by its first byte."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {"application/x-ndjson", "application/ndjson", "application/jsonl"}:
        return True
    return kind != "application/json" and not raw.lstrip().startswith(b"[")


def read_array(raw: bytes) -> list[Any]:
    try:
        values = json.parse(raw)
    except json.Malformed as error:
        raise BadRequest(str(error)) from None
    if not isinstance(values, list):
        raise BadRequest("an array of records, or one record a line as application/x-ndjson, is expected")
    return values


def read_lines(raw: bytes) -> list[Any]:
    return list(_lines(raw))


def _lines(raw: bytes) -> Iterator[Any]:
    for line in raw.split(b"\n"):
        if line.strip():
            try:
                yield json.parse(line)
            except json.Malformed as error:
                yield error

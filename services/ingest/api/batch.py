"""`POST /v1/feedback:batch`: up to 5,000 canonical records, each with a result of its own. The valid ones are stored.

A batch is split into records without parsing them. Its records are parsed a few milliseconds at a time in a thread, so the batch
takes little more memory than its bytes and delays no other tenant.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.ingest.api.cloudevents import explain_cloudevent, refuse_cloudevents
from services.ingest.api.dependencies import Ingest, IngestState
from services.ingest.api.feedback import IdempotencyKey, KeyReused, Target, problem_of_record, reused_keys
from services.ingest.domain.batch import TooMany, is_array, split_array, split_lines
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.idempotency import with_erasure_digest
from services.ingest.domain.normalise import TooLong
from services.ingest.domain.receive import receive_record
from services.ingest.domain.record import Invalid
from services.ingest.domain.record_models import Record as AnyRecord
from shared import strict_json
from shared.bodies import MIB, headers_of, read_content, require_json
from shared.problems import (
    BadRequest,
    InvalidParam,
    NotAuthenticated,
    NotFound,
    Problem,
    TooLarge,
    Unprocessable,
    UnsupportedMedia,
    responses,
)
from shared.routes import TypedRoute, documented_body

routes = APIRouter(route_class=TypedRoute, tags=["feedback"])

MAX_RECORDS = 5_000
MAX_BYTES = 8 * MIB
MAX_RECORD_BYTES = MIB
"""The same limit as for a record that is posted alone."""

COMMIT_RECORDS = 250
COMMIT_BYTES = MIB
"""Records that are committed together: whichever is reached first."""

SLICE_SECONDS = 0.01
"""Time for which records are parsed without a pause. Then the threads serve the next tenant."""
CPU_SECONDS = 15.0
"""Processor time of one batch. 5,000 comments of 1,500 characters need one or two. Records that are left then are rejected."""

MAX_PLACES = 1_000
"""Invalid places that one answer lists, for all of its records. 20 for each of 5,000 records would make an answer of 12 MB."""

NDJSON = "application/x-ndjson"
NDJSON_TYPES = {NDJSON, "application/ndjson", "application/jsonl"}


class TooCostly(TooLarge):
    title = "Batch too costly"

    def __init__(self) -> None:
        super().__init__(f"the batch used up its {CPU_SECONDS:g} s of processing time; send this record again in a smaller batch")


class RecordProblem(BaseModel):
    """Why a record was rejected."""

    title: str = Field(examples=["Unprocessable"])
    detail: str | None = Field(None, examples=["the record can't be used"])
    invalid_params: list[InvalidParam] | None = Field(None, description=f"Up to {MAX_PLACES} places in the whole answer")
    more_invalid_params: int | None = Field(None, description="Number of invalid places that are not listed")


class RecordResult(BaseModel):
    """The result of one record of a batch."""

    index: int = Field(description="Its position in the batch, from 0", examples=[0])
    id: str | None = Field(description="The record's `id`, if it has one", examples=["r-1042"])
    status: Literal["accepted", "duplicate", "ignored", "rejected"] = Field(
        description="`ignored`: its subject is erased", examples=["accepted"]
    )
    problem: RecordProblem | None = Field(None, description="Of a rejected record")


class BatchResults(BaseModel):
    """The results of a batch, in the order of its records."""

    results: list[RecordResult]


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """One record: its delivery, or the problem with it."""

    index: int
    id: str | None
    outcome: Delivery | Problem


class PlaceBudget:
    """The number of invalid places that an answer may still list."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def describe(self, problem: Problem) -> dict[str, Any]:
        """The fields of RecordProblem. Places beyond the limit are counted."""
        places = problem.invalid_params[: self._left]
        self._left -= len(places)
        more = problem.more_invalid_params + len(problem.invalid_params) - len(places)
        members = {"title": problem.title, "detail": problem.detail, "invalid_params": places, "more_invalid_params": more}
        return {name: value for name, value in members.items() if value}


class BatchParser:
    """Parses the records of one request in parts."""

    def __init__(self, ingest: Ingest, connection: Connection, key: str | None, records: deque[bytes]) -> None:
        """`records` are removed as they are parsed, which frees their memory."""
        self._ingest = ingest
        self._connection = connection
        self._key = key
        self._left = records
        self._indexes = count()
        self._cpu_left = CPU_SECONDS

    @property
    def is_done(self) -> bool:
        """Whether every record is parsed."""
        return not self._left

    async def next_part(self) -> list[ParsedRecord]:
        """The next records, as many as are committed together."""
        part: list[ParsedRecord] = []
        size = 0
        while self._left and len(part) < COMMIT_RECORDS and size < COMMIT_BYTES:
            part += await self._ingest.threads.run(self._connection.tenant, self._parse_slice)
            size = sum(len(record.outcome.raw) for record in part if isinstance(record.outcome, Delivery))
        return part

    def _parse_slice(self) -> list[ParsedRecord]:
        """The records that can be parsed in SLICE_SECONDS, at least one and at most COMMIT_RECORDS."""
        began, cpu_began = time.perf_counter(), time.thread_time()
        parsed: list[ParsedRecord] = []
        while self._left and len(parsed) < COMMIT_RECORDS:
            parsed.append(self._parse(next(self._indexes), self._left.popleft()))
            if time.perf_counter() - began > SLICE_SECONDS:
                break
        self._cpu_left -= time.thread_time() - cpu_began
        return parsed

    def _parse(self, index: int, raw: bytes) -> ParsedRecord:
        if self._cpu_left <= 0:
            return ParsedRecord(index, None, TooCostly())
        if len(raw) > MAX_RECORD_BYTES:
            return ParsedRecord(index, None, TooLarge(f"the record has more than {MAX_RECORD_BYTES} bytes"))
        value = None
        outcome: Delivery | Problem
        try:
            value = strict_json.parse(raw)
            delivery_id = f"{self._key}:{index}" if self._key else None
            outcome = with_erasure_digest(receive_record(self._connection, value, delivery_id, raw, self._ingest.now()))
        except (Invalid, TooLong) as error:
            outcome = explain_cloudevent(problem_of_record(error), value, {})
        except strict_json.Malformed as error:
            outcome = Unprocessable(str(error))
        return ParsedRecord(index, id_of(value), outcome)


async def read_records(request: Request, ingest: IngestState, target: Target, key: IdempotencyKey) -> AsyncIterator[deque[bytes]]:
    """The records of the body as bytes. Their memory stays reserved until the request is answered; the body itself is dropped."""
    headers = headers_of(request.scope)
    refuse_cloudevents(headers)
    require_json(headers)
    with ingest.body_memory.reserve(target.tenant) as reservation:
        raw = await read_content(headers, request.receive, reservation, MAX_BYTES)
        yield await split_body(ingest, target.tenant, headers, raw)


async def split_body(ingest: Ingest, tenant: str, headers: Mapping[str, str], raw: bytes) -> deque[bytes]:
    """The records of a body, split in a thread if it is large."""
    return await ingest.threads.read(tenant, len(raw), lambda: split(headers, raw))


@routes.post(
    "/v1/feedback:batch",
    operation_id="post_feedback_batch",
    summary="Post up to 5,000 canonical records",
    responses={
        200: {"model": BatchResults, "description": "A result for each record"},
        **responses(BadRequest, NotAuthenticated, NotFound, TooLarge, UnsupportedMedia),
    },
)
async def post_batch(
    ingest: IngestState,
    target: Target,
    key: IdempotencyKey,
    records: Annotated[deque[bytes], documented_body(read_records, list[AnyRecord], NDJSON)],
) -> Response:
    """A JSON array, or one record a line as `application/x-ndjson`. Each record has a result of its own: `accepted`, `duplicate`,
    or `rejected` with the problem; the valid ones are stored. With an `Idempotency-Key` each record has the key of the request
    and its index: another content at the same index is `rejected`. 503: the tenant has too many large bodies in progress.
    """
    parser = BatchParser(ingest, target, key, records)
    budget = PlaceBudget(MAX_PLACES)
    results: list[bytes] = []
    while not parser.is_done:
        results.append(msgspec.json.encode(await store_part(ingest, target, await parser.next_part(), budget))[1:-1])
    return Response(b'{"results":[%b]}' % b",".join(results), media_type="application/json")


def split(headers: Mapping[str, str], raw: bytes) -> deque[bytes]:
    """The records as bytes. Raises BadRequest if the body is neither an array nor lines, or has too many records."""
    try:
        return deque((split_lines if is_ndjson(headers, raw) else split_array)(raw, MAX_RECORDS))
    except (strict_json.Malformed, TooMany) as error:
        raise BadRequest(str(error)) from None


def is_ndjson(headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether the body is NDJSON: by its media type if that is specific, else by its first byte."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type in NDJSON_TYPES or (media_type != "application/json" and not is_array(raw))


async def store_part(
    ingest: Ingest, target: Connection, part: Sequence[ParsedRecord], budget: PlaceBudget
) -> list[dict[str, Any]]:
    """Store the valid records of `part`. Returns the RecordResult of each record as JSON.

    Raises Unavailable if a record could not be stored: the client must send the batch again.
    """
    valid = [record.outcome for record in part if isinstance(record.outcome, Delivery)]
    outcomes = await ingest.committer.commit_all(valid)
    duplicates = [delivery for delivery, outcome in zip(valid, outcomes, strict=True) if outcome == "duplicate"]
    reused = await reused_keys(ingest, duplicates)
    stored = iter(KeyReused() if d.id in reused and o == "duplicate" else o for d, o in zip(valid, outcomes, strict=True))
    results = [(record, next(stored) if isinstance(record.outcome, Delivery) else record.outcome) for record in part]
    observe(ingest, target, results)
    return [record_result(record, outcome, budget) for record, outcome in results]


def observe(ingest: Ingest, target: Connection, results: Sequence[tuple[ParsedRecord, Outcome | Problem]]) -> None:
    """Count the outcomes of records, and log rejected ones together, with the problem of the first."""
    rejected = []
    for record, outcome in results:
        if isinstance(outcome, Problem):
            rejected.append((record, outcome))
        elif isinstance(record.outcome, Delivery):
            ingest.observer.stored(target, record.outcome, outcome)
    if rejected:
        ingest.observer.refused(rejected[0][1], target, count=len(rejected))


def record_result(record: ParsedRecord, outcome: Outcome | Problem, budget: PlaceBudget) -> dict[str, Any]:
    """The RecordResult as JSON. Raises a problem that is our fault."""
    result: dict[str, Any] = {"index": record.index, "id": record.id}
    if isinstance(outcome, str):
        return result | {"status": outcome}
    if outcome.status >= 500:
        raise outcome
    return result | {"status": "rejected", "problem": budget.describe(outcome)}


def id_of(value: object) -> str | None:
    """The record's id, shortened to 200 characters, if it is a text."""
    name = value.get("id") if isinstance(value, dict) else None
    return name[:200] if isinstance(name, str) else None

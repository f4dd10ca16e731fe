"""`POST /v1/feedback:batch`: up to 5,000 canonical records, each with a result of its own; the good ones are stored.

A batch is split into records without parsing them, and its records are read a few milliseconds at a time in a thread, so that it
takes little more memory than its bytes, and no other tenant waits for it.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from services.ingest.api.body import MIB, Share, expect_json, headers_of, read_body
from services.ingest.api.feedback import KeyReused, Target, idempotency_key, reused
from services.ingest.api.state import Ingest, ingest_of
from services.ingest.domain.batch import TooMany, is_array, split_array, split_lines
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.idempotency import with_erasure_digest
from services.ingest.domain.normalise import TooLong
from services.ingest.domain.receive import receive_record
from services.ingest.domain.record import Invalid
from shared import strict_json as json
from shared.problems import BadRequest, Problem, TooLarge, Unprocessable

routes = APIRouter()

MOST_RECORDS = 5_000
MOST_BYTES = 8 * MIB
LONGEST_RECORD = MIB
"""Bytes, as of a record that is posted alone."""

COMMIT_RECORDS = 250
COMMIT_BYTES = MIB
"""Records that are given to the committer together: whichever is reached first."""

SLICE_SECONDS = 0.01
"""Records are read for so long at a stretch; then the threads serve the next tenant."""
CPU_SECONDS = 15.0
"""Of the processor for one batch; 5,000 comments of 1,500 characters need one or two. Records that are left then are rejected."""

PLACES_LISTED = 1_000
"""Wrong places that one answer lists, of all its records; 20 of each of 5,000 records would make an answer of 12 MB."""

NDJSON = {"application/x-ndjson", "application/ndjson", "application/jsonl"}


class TooCostly(TooLarge):
    title = "Batch too costly"

    def __init__(self) -> None:
        super().__init__(f"the batch used up its {CPU_SECONDS:g} s of processing time; send this record again in a smaller batch")


@dataclass(frozen=True, slots=True)
class Read:
    """One record: the delivery that it is, or the problem with it."""

    index: int
    id: str | None
    found: Delivery | Problem


class Places:
    """How many wrong places an answer may still list."""

    def __init__(self, most: int) -> None:
        self._left = most

    def listed(self, problem: Problem) -> dict[str, Any]:
        """The members of `problem` that a record's result has; places that can't be listed are counted."""
        places = problem.invalid_params[: self._left]
        self._left -= len(places)
        more = problem.more_invalid_params + len(problem.invalid_params) - len(places)
        members = {"title": problem.title, "detail": problem.detail, "invalid_params": places, "more_invalid_params": more}
        return {name: value for name, value in members.items() if value}


class Batch:
    """The records of one call that are still to be read, the next one first."""

    def __init__(self, ingest: Ingest, connection: Connection, key: str | None, records: Sequence[bytes]) -> None:
        self._ingest = ingest
        self._connection = connection
        self._key = key
        self._left = deque(enumerate(records))
        self._cpu_left = CPU_SECONDS

    @property
    def is_read(self) -> bool:
        return not self._left

    async def next_part(self) -> list[Read]:
        """The next records, read: as many as are to be committed together."""
        part: list[Read] = []
        size = 0
        while self._left and len(part) < COMMIT_RECORDS and size < COMMIT_BYTES:
            part += await self._ingest.threads.run(self._connection.tenant, self._read_slice)
            size = sum(len(read.found.raw) for read in part if isinstance(read.found, Delivery))
        return part

    def _read_slice(self) -> list[Read]:
        """The records that can be read in SLICE_SECONDS, at least one and at most COMMIT_RECORDS."""
        began, cpu_began = time.perf_counter(), time.thread_time()
        done: list[Read] = []
        while self._left and len(done) < COMMIT_RECORDS:
            index, raw = self._left.popleft()
            done.append(self._read(index, raw))
            if time.perf_counter() - began > SLICE_SECONDS:
                break
        self._cpu_left -= time.thread_time() - cpu_began
        return done

    def _read(self, index: int, raw: bytes) -> Read:
        if self._cpu_left <= 0:
            return Read(index, None, TooCostly())
        if len(raw) > LONGEST_RECORD:
            return Read(index, None, TooLarge(f"the record has more than {LONGEST_RECORD} bytes"))
        value = None
        try:
            value = json.parse(raw)
            name = f"{self._key}:{index}" if self._key else None
            found: Delivery | Problem = with_erasure_digest(
                receive_record(self._connection, value, name, raw, self._ingest.now())
            )
        except Invalid as error:
            found = Unprocessable("the record can't be used", invalid_params=error.places, more_invalid_params=error.more)
        except (TooLong, json.Malformed) as error:
            found = Unprocessable(str(error))
        return Read(index, id_of(value), found)


@routes.post("/v1/feedback:batch")
async def post_many(request: Request, connection: Target) -> Response:
    ingest, headers = ingest_of(request), headers_of(request.scope)
    expect_json(headers)
    key = idempotency_key(headers)
    with ingest.bodies.share(connection.tenant) as share:
        batch = Batch(ingest, connection, key, await read_records(request, connection.tenant, headers, share))
        results: list[bytes] = []
        places = Places(PLACES_LISTED)
        while not batch.is_read:
            results.append(msgspec.json.encode(await store(ingest, await batch.next_part(), places))[1:-1])
    return Response(b'{"results":[%b]}' % b",".join(results), media_type="application/json")


async def read_records(request: Request, tenant: str, headers: dict[str, str], share: Share) -> list[bytes]:
    """The records of the body; the body itself is not kept in memory beside them."""
    raw = await read_body(headers, request.receive, share, MOST_BYTES)
    return await ingest_of(request).threads.read(tenant, len(raw), lambda: split(headers, raw))


def split(headers: dict[str, str], raw: bytes) -> list[bytes]:
    """The records as their bytes. BadRequest: the body is neither an array nor lines, or has too many records."""
    try:
        return (split_lines if is_ndjson(headers, raw) else split_array)(raw, MOST_RECORDS)
    except (json.Malformed, TooMany) as error:
        raise BadRequest(str(error)) from None


def is_ndjson(headers: dict[str, str], raw: bytes) -> bool:
    """By the media type where it says so, else by the first byte."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in NDJSON or (kind != "application/json" and not is_array(raw))


async def store(ingest: Ingest, part: Sequence[Read], places: Places) -> list[dict[str, Any]]:
    """The result of each record of `part`; the good ones are on disk.

    Raises a fault of ours, which ends the call: then the client must send the batch again.
    """
    good = [read.found for read in part if isinstance(read.found, Delivery)]
    outcomes = await ingest.committer.commit_all(good)
    duplicates = [delivery for delivery, outcome in zip(good, outcomes, strict=True) if outcome == "duplicate"]
    wrong = await reused(ingest, duplicates)
    told = iter(KeyReused() if d.id in wrong and o == "duplicate" else o for d, o in zip(good, outcomes, strict=True))
    return [result(read, next(told) if isinstance(read.found, Delivery) else read.found, places) for read in part]


def result(read: Read, outcome: str | Problem, places: Places) -> dict[str, Any]:
    entry: dict[str, Any] = {"index": read.index, "id": read.id}
    if isinstance(outcome, str):
        return entry | {"status": outcome}
    if outcome.status >= 500:
        raise outcome
    return entry | {"status": "rejected", "problem": places.listed(outcome)}


def id_of(value: object) -> str | None:
    """The record's id as its sender wrote it, if it has a usable one."""
    found = value.get("id") if isinstance(value, dict) else None
    return found[:200] if isinstance(found, str) else None

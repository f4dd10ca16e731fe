"""Searches stored bodies for erased customers and deletes those that name one.

The erasure itself deletes what was said of the customer's subjects. Bodies that were never read, or that mention the customer
elsewhere, name them only in their text, so every body of the tenant up to the erasure is searched, in small steps. The database
alone says what is left to do: after a crash or an outage any replica continues.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg
import structlog

from services.ingest.domain.connection import Connection
from services.ingest.domain.customer_search import parse_stored, pseudonyms_in, shared_addresses, subjects_of
from services.ingest.inbox import erasures
from services.ingest.inbox.erasures import Body, Job
from shared.database import OUTAGE, RETRYABLE

log = structlog.get_logger()

POLL_SECONDS = 1.0
STEP_BODIES = 200
STEP_BYTES = 1024 * 1024
WRITERS_SECONDS = 15.0
"""Longer than a transaction of the inbox may take."""

LONGEST_PAUSE = 2.0
"""Seconds. Between two steps the worker pauses for as long as the search took, so that it uses at most half of a processor."""


class FindsConnections(Protocol):
    """What the eraser needs of the store: a connection by id, deleted ones included, and the tenant's built-in one."""

    async def find(self, connection: str) -> Connection | None: ...

    async def built_in(self, tenant: str) -> Connection | None: ...


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found of a body: whether it names an erased customer, and the subjects that it is about if it was not read yet."""

    seq: int
    named: bool
    subjects: frozenset[str]


class Eraser:
    """`run` is the worker. Start one per process; any number of processes may run it over one database."""

    def __init__(self, pool: asyncpg.Pool, connections: FindsConnections) -> None:
        self._pool = pool
        self._connections = connections

    async def run(self) -> None:
        while True:
            pause = POLL_SECONDS
            try:
                begun = time.monotonic()
                if await self.step():
                    pause = min(time.monotonic() - begun, LONGEST_PAUSE)
            except (*OUTAGE, *RETRYABLE) as error:
                log.warning("eraser.away", error=type(error).__name__)
            except asyncpg.PostgresError as error:
                log.error("eraser.refused", error=type(error).__name__)
            await asyncio.sleep(pause)

    async def step(self) -> bool:
        """Take the jobs whose turn it is one step further. Returns whether there were any."""
        jobs = await erasures.claim(self._pool)
        if not jobs:
            return False
        if jobs[0].reached == erasures.UNSETTLED:
            await self._settle(jobs)
        else:
            await self._search(jobs)
        return True

    async def _settle(self, jobs: Sequence[Job]) -> None:
        """Wait for transactions that may have missed the tombstones, and delete what they stored."""
        if not await erasures.wait_for_writers(self._pool, WRITERS_SECONDS):
            log.warning("eraser.writers_do_not_end", jobs=len(jobs))
            return
        late = await erasures.forget_late_statements(self._pool, [job.seq for job in jobs])
        await erasures.advance(self._pool, jobs, 0)
        log.info("eraser.begun", jobs=len(jobs), late_statements=late)

    async def _search(self, jobs: Sequence[Job]) -> None:
        tenant, after, upto = jobs[0].tenant, jobs[0].reached, jobs[-1].seq
        bodies = await erasures.next_bodies(self._pool, tenant, after, upto, STEP_BODIES, STEP_BYTES)
        connections = await self._connections_of(bodies)
        own = await self._connections.built_in(tenant)
        if own is None:
            log.error("eraser.unknown_tenant", jobs=len(jobs))
            return
        searched = await asyncio.to_thread(search, bodies, jobs, own.key, connections)
        about = {subject for one in searched for subject in one.subjects}
        erased = await erasures.erased_subjects(self._pool, tenant, about)
        found = [one.seq for one in searched if one.named or one.subjects & erased]
        await erasures.blank(self._pool, found)
        reached = bodies[-1].seq if bodies else upto
        await erasures.advance(self._pool, jobs, reached)
        if found or reached >= jobs[0].seq:
            finished = sum(job.seq <= reached for job in jobs)
            log.info("eraser.searched", jobs=len(jobs), bodies=len(bodies), deleted=len(found), finished=finished)

    async def _connections_of(self, bodies: Sequence[Body]) -> dict[str, Connection]:
        names = {body.connection for body in bodies}
        return {name: connection for name in names if (connection := await self._connections.find(name))}


def search(bodies: Sequence[Body], jobs: Sequence[Job], key: bytes, connections: Mapping[str, Connection]) -> list[Searched]:
    """Look into each body for the customers of the jobs that are later than it. Long enough to be kept off the event loop."""
    found = []
    for body in bodies:
        later = [job for job in jobs if job.seq > body.seq]
        try:
            found.append(search_one(body, later, key, connections.get(body.connection)))
        except Exception as error:  # a fault of ours: the body stays, and keeps no other from being searched
            log.error("eraser.unreadable", seq=body.seq, error=type(error).__name__)
    return found


def search_one(body: Body, jobs: Sequence[Job], key: bytes, connection: Connection | None) -> Searched:
    names = frozenset().union(*(job.names for job in jobs))
    requested = frozenset().union(*(job.requested for job in jobs))
    named = names.intersection(pseudonyms_in(body.raw, key))
    if connection is None or (body.read and not named):
        return Searched(body.seq, bool(named), frozenset())
    parsed = parse_stored(connection, body.headers, body.raw)
    named -= shared_addresses(parsed, key, names) - requested
    return Searched(body.seq, bool(named), frozenset(() if body.read else subjects_of(connection, parsed)))

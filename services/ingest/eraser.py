"""Searches stored bodies for erased customers and deletes those that name one.

The erasure itself deletes the statements about the customer's subjects. Bodies that were never read, or that mention the
customer elsewhere, name them only in their text, so every body of the tenant up to the erasure is searched, in small steps. The
progress is in the database: after a crash or an outage any replica continues.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import structlog

from services.ingest.domain.connection import Connection
from services.ingest.domain.customer_search import (
    customers_in,
    parse_stored,
    pseudonyms_in,
    shared_addresses,
    short_pseudonyms_in,
    subjects_of,
)
from services.ingest.inbox import erasure_jobs
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher
from services.ingest.inbox.erasure import erase_next
from services.ingest.inbox.erasure_jobs import Body, ErasureJob
from services.ingest.store.connections import ConnectionSource
from shared.database import OUTAGE, RETRYABLE
from shared.problems import Unavailable

log = structlog.get_logger()

POLL_SECONDS = 1.0
STEP_BODIES = 200
STEP_BYTES = 1024 * 1024
WRITERS_SECONDS = 15.0
"""Longer than a transaction of the inbox may take."""

MAX_PAUSE = 2.0
"""Seconds. Between two steps the worker pauses for as long as the search took, so it uses at most half of a processor."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Of one body: whether it names an erased customer, and its subjects if its statements are not stored."""

    seq: int
    names_customer: bool
    subjects: frozenset[str]


class Eraser:
    """`run` is the worker. Start one per process; any number of processes may run it over one database."""

    def __init__(self, pool: asyncpg.Pool, connections: ConnectionSource, cipher: BodyCipher = PLAIN) -> None:
        self._pool = pool
        self._connections = connections
        self._cipher = cipher

    async def run(self) -> None:
        """Do the steps of all jobs until cancelled."""
        while True:
            pause = POLL_SECONDS
            try:
                begun = time.monotonic()
                if await self.step():
                    pause = min(time.monotonic() - begun, MAX_PAUSE)
            except (Unavailable, *OUTAGE, *RETRYABLE) as error:
                log.warning("eraser.unavailable", error=type(error).__name__)
            except asyncpg.PostgresError as error:
                log.error("eraser.refused", error=type(error).__name__)
            await asyncio.sleep(pause)

    async def step(self) -> bool:
        """Do the next step of the jobs that are due. False if there are none."""
        jobs = await erasure_jobs.claim_jobs(self._pool)
        if not jobs:
            return False
        if large := next((job for job in jobs if job.has_remaining), None):
            await self._erase_next(large, jobs)
        elif jobs[0].reached == erasure_jobs.UNSETTLED:
            await self._settle(jobs)
        else:
            await self._search(jobs)
        return True

    async def _erase_next(self, job: ErasureJob, claimed: Sequence[ErasureJob]) -> None:
        """Erase the next statements of a customer with very many, and release the claims."""
        statements = await erase_next(self._pool, job)
        await erasure_jobs.advance_jobs(self._pool, claimed, erasure_jobs.UNSETTLED)
        log.info("eraser.statements_erased", erasure=job.seq, tenant=job.tenant, statements=statements)

    async def _settle(self, jobs: Sequence[ErasureJob]) -> None:
        """Wait for transactions that may have missed the tombstones, and delete the statements that they stored."""
        if not await erasure_jobs.wait_for_writers(self._pool, WRITERS_SECONDS):
            log.warning("eraser.writers_do_not_end", jobs=len(jobs))
            return
        late = await erasure_jobs.delete_late_statements(self._pool, [seq for job in jobs for seq in (job.seq, *job.batches)])
        await erasure_jobs.advance_jobs(self._pool, jobs, 0)
        log.info("eraser.begun", jobs=len(jobs), late_statements=late)

    async def _search(self, jobs: Sequence[ErasureJob]) -> None:
        tenant, after, upto = jobs[0].tenant, jobs[0].reached, jobs[-1].seq
        bodies = await erasure_jobs.next_bodies(self._pool, tenant, after, upto, STEP_BODIES, STEP_BYTES, self._cipher)
        connections = await self._load_connections(bodies)
        built_in = await self._connections.built_in(tenant)
        if built_in is None:
            log.error("eraser.unknown_tenant", jobs=len(jobs))
            return
        results = await asyncio.to_thread(search, bodies, jobs, built_in.key, connections)
        subjects = {subject for result in results for subject in result.subjects}
        erased = await erasure_jobs.erased_subjects(self._pool, tenant, subjects)
        to_delete = [result.seq for result in results if result.names_customer or result.subjects & erased]
        await erasure_jobs.erase_bodies(self._pool, to_delete)
        reached = bodies[-1].seq if bodies else upto
        await erasure_jobs.advance_jobs(self._pool, jobs, reached)
        if to_delete or reached >= jobs[0].seq:
            finished = sum(job.seq <= reached for job in jobs)
            log.info("eraser.searched", jobs=len(jobs), bodies=len(bodies), deleted=len(to_delete), finished=finished)

    async def _load_connections(self, bodies: Sequence[Body]) -> dict[str, Connection]:
        ids = {body.connection for body in bodies}
        return {name: connection for name in ids if (connection := await self._connections.find(name))}


def search(
    bodies: Sequence[Body], jobs: Sequence[ErasureJob], key: bytes, connections: Mapping[str, Connection]
) -> list[SearchResult]:
    """Search each body for the customers of the jobs with a higher sequence number. Slow: keep it off the event loop."""
    results = []
    for body in bodies:
        later = [job for job in jobs if job.seq > body.seq]
        try:
            results.append(search_body(body, later, key, connections.get(body.connection)))
        except Exception as error:  # a bug of ours: the body stays, and the others are searched
            log.error("eraser.unreadable", seq=body.seq, error=type(error).__name__)
    return results


def search_body(body: Body, jobs: Sequence[ErasureJob], key: bytes, connection: Connection | None) -> SearchResult:
    """Search one body for the customers of these jobs. `key` makes the tenant's pseudonyms."""
    names = frozenset().union(*(job.names for job in jobs))
    requested = frozenset().union(*(job.requested for job in jobs))
    named = names.intersection(pseudonyms_in(body.raw, key, connection.provider if connection else None))
    if connection is None or (body.read and not named):
        return SearchResult(body.seq, bool(named), frozenset())
    parsed = parse_stored(connection, body.headers, body.raw)
    customers = customers_in(parsed, key)
    if customers is not None:
        named -= short_pseudonyms_in(body.raw, key, connection.provider) - customers
    named -= shared_addresses(parsed, key, names) - requested
    return SearchResult(body.seq, bool(named), frozenset(() if body.read else subjects_of(connection, parsed)))

"""Back-fills: fetches the history of a tool by its list API, a page at a time, and stores it like deliveries of its webhook.

`inbox/back_fills.py` holds their progress, so any replica continues after a crash or an outage. WORKERS tasks of a process fetch
pages of different connections; tenants take turns, a page each. No webhook waits: live events are published first.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from services.ingest.domain.api_outcome import MOST_ATTEMPTS, Failure, block_after, pause_after
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.provider import ToolHistory
from services.ingest.domain.providers.tool_api import Documents, Fetch
from services.ingest.domain.providers.tool_history import HistoryPage
from services.ingest.inbox import back_fills, jobs
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher
from services.ingest.inbox.job_faults import note_fault
from services.ingest.inbox.jobs import Job
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.selection import Selection
from services.ingest.page_writer import PageWriter
from services.ingest.polling import Poller
from services.ingest.store.connections import Connections, StoredCredentials
from services.ingest.store.tool_apis import ToolApis
from services.ingest.threads import FairThreads
from services.ingest.tool_calls import ToolCalls
from shared.database import OUTAGE
from shared.problems import Conflict, Unavailable
from shared.request_context import bound

log = structlog.get_logger()

WORKERS = 3
"""Pages that a process fetches at the same time."""
PAGE_SECONDS = 40.0
"""Longest time for all calls of a page. Shorter than the lease of the job."""
WAIT_SECONDS = 60.0
"""Pause of a back-fill whose connection is paused, or whose API may not be called."""

NO_CREDENTIALS = "the connection has no credentials of the tool's API"
PAUSED = "the connection is paused"
DELETED = "the connection was deleted"
NOT_FOUND = "the tool has no such survey, or the credentials do not permit to read it"


class BackFiller:
    """`add` adds a back-fill. `run` is a worker; start WORKERS of them. Any number of processes may share one database."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connections: Connections,
        apis: ToolApis,
        calls: ToolCalls,
        threads: FairThreads,
        now: Callable[[], datetime],
        observe: Callable[[Connection, Delivery], None],
        cipher: BodyCipher = PLAIN,
    ) -> None:
        """`observe` is called for each delivery that is accepted."""
        self._pool = pool
        self._connections = connections
        self._apis = apis
        self._calls = calls
        self._threads = threads
        self._now = now
        self._pages = PageWriter(pool, threads, now, observe, cipher)
        self._poller = Poller("backfill", self.step)

    async def add(self, connection: Connection, since: datetime, surveys: Sequence[str], requested_by: str | None) -> Job:
        """Add a back-fill of the connection, whose provider has a history.

        Raises Conflict if one is in progress, or if the tenant has too many jobs.
        """
        history = history_of(connection)
        cursor = history.begin(since, surveys)
        if history.until_first_webhook:
            until = await back_fills.first_webhook(self._pool, connection.id) or self._now()
            cursor = {**cursor, "until": until.isoformat()}
        selection = Selection(connection.tenant, connection.id, since=since)
        job = await back_fills.add(self._pool, selection, cursor, requested_by)
        if job is None:
            raise Conflict(
                f"a back-fill of this connection is in progress, or {jobs.MOST_JOBS} jobs of the tenant; retry when one is done"
            )
        self._poller.wake()
        return job

    async def latest(self, connections: Sequence[str]) -> Mapping[str, Job]:
        """The latest back-fill of each of these connections that had one."""
        return await back_fills.latest(self._pool, connections)

    async def wake(self, connection: str) -> None:
        """Continue the back-fill of a connection whose state or credentials have changed."""
        await back_fills.wake(self._pool, connection)
        self._poller.wake()

    async def run(self) -> None:
        """Fetch pages until cancelled."""
        await self._poller.run()

    async def step(self) -> bool:
        """Fetch and store one page of the next back-fill. False if none is due."""
        job = await jobs.claim_job(self._pool, jobs.FETCHING_KINDS)
        if job is None:
            return False
        with bound(job.context):
            try:
                await self._turn(job)
            except LeaseLost:
                log.info("job.lease_lost", job=job.id, kind=job.kind)
            except (Unavailable, *OUTAGE):
                raise
            except Exception as error:
                await note_fault(self._pool, job, error)
        return True

    async def _turn(self, job: Job) -> None:
        if job.cursor is None:
            await self._finish(job)
            return
        connection = await self._connections.find(job.selection.connection or "")
        if connection is None or connection.state == "deleted":
            await self._fail(job, DELETED)
            return
        credentials = await self._connections.load_credentials(connection.id)
        waiting = await self._waits(connection, credentials)
        if credentials is None or waiting:
            await back_fills.postpone(self._pool, job, *(waiting or (WAIT_SECONDS, NO_CREDENTIALS)))
            return
        history = history_of(connection)
        try:
            page = await self._fetch(history, connection, credentials, job)
        except Failure as failure:
            await self._handle(failure, history, job, connection, credentials)
        except Unusable as error:
            await self._fail(job, str(error))
        else:
            await self._apis.succeeded(connection.id)
            began = time.monotonic()
            job = await self._pages.store(job, connection, page, history.pause)
            if job.cursor is None:
                await self._finish(job)
            else:
                await asyncio.sleep(max(0.0, history.pause - (time.monotonic() - began)))

    async def _waits(self, connection: Connection, credentials: StoredCredentials | None) -> tuple[float, str] | None:
        """For how many seconds the API may not be called, and why. None: it may be called."""
        if connection.state == "paused":
            return WAIT_SECONDS, PAUSED
        if credentials is None:
            return WAIT_SECONDS, NO_CREDENTIALS
        state = (await self._apis.load([connection.id]))[connection.id]
        if state.stopped:
            return WAIT_SECONDS, state.stopped
        left = (state.blocked_until - datetime.now(UTC)).total_seconds() if state.blocked_until else 0.0
        return (left, state.last_error or "the tool's API is not called for a while") if left > 0 else None

    async def _fetch(
        self, history: ToolHistory[Any], connection: Connection, credentials: StoredCredentials, job: Job
    ) -> HistoryPage:
        """The page at the job's cursor. Raises Failure or Unusable if the tool does not give it."""
        cursor = job.cursor or {}

        def missing(documents: Documents) -> Sequence[Fetch]:
            return history.fetches(cursor, documents, connection.mapping)

        try:
            async with asyncio.timeout(PAGE_SECONDS):
                documents = await self._calls.documents(connection, credentials, history, missing, history.most_calls)
        except TimeoutError:
            raise Failure("retry", "timeout", "the tool's API did not answer in time") from None
        return await self._threads.run(connection.tenant, lambda: history.read(cursor, documents, connection.mapping))

    async def _handle(
        self, failure: Failure, history: ToolHistory[Any], job: Job, connection: Connection, credentials: StoredCredentials
    ) -> None:
        """Decide what follows a failure: a retry, a wait for new credentials, a smaller page, or the end of the back-fill."""
        log.info("backfill.failed", job=job.id, connection=connection.id, action=failure.action, outcome=failure.label)
        if failure.action == "stop":
            await self._apis.stop(connection.id, credentials.encrypted, failure.reason)
            await back_fills.postpone(self._pool, job, WAIT_SECONDS, failure.reason)
        elif failure.action == "wait":
            seconds = failure.retry_after or 0.0
            await self._apis.failed(connection.id, failure.reason, counts=True)
            await self._apis.block(connection.id, seconds)
            await back_fills.postpone(self._pool, job, seconds, failure.reason)
        elif failure.label == "too_large" and (smaller := history.shrink(job.cursor or {})):
            await back_fills.postpone(self._pool, job, 0.0, failure.reason, cursor=smaller)
        elif failure.action == "retry" and job.attempts + 1 < MOST_ATTEMPTS:
            failures = await self._apis.failed(connection.id, failure.reason, counts=True)
            if block := max(block_after(failures), failure.retry_after or 0.0):
                await self._apis.block(connection.id, block)
            pause = max(pause_after(job.attempts + 1, random.random()), failure.retry_after or 0.0)
            await back_fills.postpone(self._pool, job, pause, failure.reason, counts=True)
        else:
            await self._apis.failed(connection.id, failure.reason, counts=False)
            await self._fail(job, NOT_FOUND if failure.label == "not_found" else failure.reason)

    async def _fail(self, job: Job, problem: str) -> None:
        await jobs.fail(self._pool, job, problem)
        log.warning("backfill.ended", job=job.id, tenant=job.selection.tenant, problem=problem)

    async def _finish(self, job: Job) -> None:
        await jobs.finish(self._pool, job)
        log.info("job.finished", job=job.id, kind=job.kind, tenant=job.selection.tenant, results=dict(job.results))


def history_of(connection: Connection) -> ToolHistory[Any]:
    """The list API of the connection's tool. Raises Unusable if Earshot has none for it."""
    provider = PROVIDERS.get(connection.provider)
    if provider is None or provider.history is None:
        raise Unusable("the history of this provider can't be fetched")
    return provider.history

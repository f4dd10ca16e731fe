"""Completes thin events: calls the tool's API for each pending delivery, and stores the answer as the delivery's content.

The queue is in the database (`inbox/fetch_queue.py`), so any replica continues after a crash or an outage. Calls run
concurrently: at most CONCURRENCY in a process and PER_CONNECTION for one connection, each connection in turn, so a slow or
failing tool delays nobody else. A failing API is called less and less often, and not at all until its Retry-After ends.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import asyncpg
import structlog

from services.ingest.domain.api_outcome import (
    MOST_FAULTS,
    Failure,
    block_after,
    describe_fault,
    gives_up,
    pause_after,
    reason_code_of,
)
from services.ingest.domain.connection import Connection
from services.ingest.domain.customer_search import pseudonyms_in
from services.ingest.domain.delivery import Delivery, Outcome, StoredDelivery
from services.ingest.domain.providers import PROVIDERS, Request
from services.ingest.domain.providers.payload import NotYet, Unusable
from services.ingest.domain.providers.tool_api import MOST_FETCHES, Documents, Fetch
from services.ingest.domain.receive import receive_again, receive_fetched, unfetched
from services.ingest.inbox import fetch_queue
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher
from services.ingest.inbox.committer import Publish
from services.ingest.inbox.fetch_queue import ClaimedFetch
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.transactions import run_transaction
from services.ingest.instruments import FETCHED
from services.ingest.polling import Poller
from services.ingest.store.connections import Connections, StoredCredentials
from services.ingest.store.tool_apis import ToolApis
from services.ingest.threads import FairThreads
from services.ingest.tool_calls import ToolCalls
from shared.database import OUTAGE
from shared.problems import Unavailable
from shared.request_context import bound

log = structlog.get_logger()

CONCURRENCY = 32
PER_CONNECTION = 2
FETCH_SECONDS = 120.0
"""Longest time for all calls of one fetch. Much shorter than the lease."""
EXPIRY_SECONDS = 60.0

FAULT = "an unexpected fault of ours while fetching it"


class Enricher:
    """`run` is the worker. Start one per process; any number of processes may run it over one database."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connections: Connections,
        apis: ToolApis,
        calls: ToolCalls,
        publish: Publish,
        threads: FairThreads,
        now: Callable[[], datetime],
        observe: Callable[[Connection, Delivery, Outcome], None],
        cipher: BodyCipher = PLAIN,
    ) -> None:
        """`observe` is called for each delivery that is completed."""
        self._pool = pool
        self._connections = connections
        self._apis = apis
        self._calls = calls
        self._publish = publish
        self._threads = threads
        self._now = now
        self._observe = observe
        self._cipher = cipher
        self._poller = Poller("enricher", self.start_fetches)
        self._running: dict[asyncio.Task[None], str] = {}
        """The connection of each fetch that runs."""
        self._expires_at = 0.0

    def wake(self) -> None:
        """Poll now. Call it when a pending delivery was stored, credentials were set or a connection became active."""
        self._poller.wake()

    async def run(self) -> None:
        """Start fetches until cancelled; then the running ones are cancelled too, and their leases end."""
        try:
            await self._poller.run()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def start_fetches(self) -> int:
        """Claim due rows, one of each connection that may be called, and fetch them in the background. Returns their number."""
        if time.monotonic() >= self._expires_at:
            self._expires_at = time.monotonic() + EXPIRY_SECONDS
            if ended := await fetch_queue.expire(self._pool):
                log.warning("enricher.expired", deliveries=ended)
        free = CONCURRENCY - len(self._running)
        if not free:
            return 0
        busy = [connection for connection, running in Counter(self._running.values()).items() if running >= PER_CONNECTION]
        claimed = await fetch_queue.claim(self._pool, free, busy)
        for fetch in claimed:
            task = asyncio.create_task(self._run(fetch), name=f"fetch-{fetch.seq}")
            self._running[task] = fetch.connection
            task.add_done_callback(self._ended)
        return len(claimed)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self.wake()

    async def _run(self, fetch: ClaimedFetch) -> None:
        """Do one fetch. Whatever happens, the row is due again at the latest when its lease ends."""
        with bound(fetch.context):
            try:
                await self._fetch(fetch)
            except LeaseLost:
                log.info("enricher.lease_lost", connection=fetch.connection, seq=fetch.seq)
            except (Unavailable, *OUTAGE) as error:
                log.warning("enricher.unavailable", seq=fetch.seq, error=type(error).__name__)
            except Exception as error:
                log.error("enricher.fault", seq=fetch.seq, attempts=fetch.attempts, error=type(error).__name__, exc_info=error)
                await self._note_fault(fetch, error)

    async def _note_fault(self, fetch: ClaimedFetch, error: Exception) -> None:
        """Fetch again later after an unexpected error; at the last attempt quarantine the delivery."""
        try:
            stored = await fetch_queue.load_delivery(self._pool, fetch, self._cipher)
            connection = await self._connections.find(fetch.connection)
            if fetch.attempts >= MOST_FAULTS and stored and connection:
                reason = f"{describe_fault(error)}, {fetch.attempts} times"
                await self._complete(fetch, connection, unfetched(connection, stored, reason, "internal_fault"), "quarantined")
            else:
                await fetch_queue.postpone(self._pool, fetch, pause_after(fetch.attempts, random.random()), counts=True)
        except Exception as further:
            log.error("enricher.refused", seq=fetch.seq, error=type(further).__name__)

    async def _fetch(self, fetch: ClaimedFetch) -> None:
        stored = await fetch_queue.load_delivery(self._pool, fetch, self._cipher)
        connection = await self._connections.find(fetch.connection)
        if stored is None or connection is None:
            await fetch_queue.discard(self._pool, fetch)
            return
        if stored.is_unreadable:
            await self._complete(fetch, connection, receive_again(connection, stored, self._now()), "quarantined")
            return
        credentials = await self._connections.load_credentials(connection.id)
        if credentials is None:
            await fetch_queue.postpone(self._pool, fetch, 0, counts=False)
            return
        try:
            delivery = await self._read(connection, stored, credentials)
        except Failure as failure:
            await self._handle(failure, fetch, connection, stored, credentials.encrypted)
        else:
            await self._apis.succeeded(connection.id)
            await self._complete(fetch, connection, delivery, "fetched")

    async def _read(self, connection: Connection, stored: StoredDelivery, credentials: StoredCredentials) -> Delivery:
        """The delivery with its fetched content. Raises Failure if the tool does not give it."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                documents = await self._documents(connection, stored, credentials)
        except TimeoutError:
            raise Failure("retry", "timeout", "the tool's API did not answer in time") from None
        except NotYet as error:
            raise Failure("retry", "missing", str(error)) from None
        except Unusable as error:
            raise Failure("quarantine", "unusable", str(error)) from None
        try:
            return await self._threads.run(connection.tenant, lambda: receive_fetched(connection, stored, documents, self._now()))
        except Unavailable:
            raise
        except Exception as error:
            log.error("enricher.unreadable", seq=stored.seq, error=type(error).__name__, exc_info=error)
            raise Failure("quarantine", "fault", FAULT) from None

    async def _documents(self, connection: Connection, stored: StoredDelivery, credentials: StoredCredentials) -> Documents:
        """All documents that the provider asks for."""
        api = PROVIDERS[connection.provider].api
        if api is None:
            raise Unusable("this provider's events are not fetched")
        event = Request.stored(stored.headers, stored.raw)

        def missing(documents: Documents) -> Sequence[Fetch]:
            return api.fetches(event, documents, connection.mapping)

        return await self._calls.documents(connection, credentials, api, missing, MOST_FETCHES)

    async def _handle(
        self, failure: Failure, fetch: ClaimedFetch, connection: Connection, stored: StoredDelivery, encrypted_credentials: bytes
    ) -> None:
        """Decide what follows a failure: a retry, a wait for new credentials, or an end as quarantined or ignored."""
        is_last = gives_up(failure, fetch.attempts)
        result = "quarantined" if is_last else failure.label
        log.info(
            "enricher.failed",
            connection=connection.id,
            provider=connection.provider,
            seq=fetch.seq,
            attempts=fetch.attempts,
            action="quarantine" if is_last else failure.action,
            outcome=failure.label,
        )
        if is_last or failure.action == "quarantine":
            await self._apis.failed(connection.id, failure.reason, counts=False)
            reason = f"{failure.reason}, {fetch.attempts} times" if is_last else failure.reason
            await self._complete(fetch, connection, unfetched(connection, stored, reason, reason_code_of(failure)), result)
        elif failure.action == "ignore":
            await self._complete(fetch, connection, unfetched(connection, stored, failure.reason, None), result)
        else:
            await self._wait(failure, fetch, connection, encrypted_credentials)

    async def _wait(self, failure: Failure, fetch: ClaimedFetch, connection: Connection, encrypted_credentials: bytes) -> None:
        """Leave the delivery pending: call again later, or not before the credentials change."""
        FETCHED.labels(connection.provider, "postponed").inc()
        if failure.action == "stop":
            if await self._apis.stop(connection.id, encrypted_credentials, failure.reason):
                log.warning("enricher.stopped", connection=connection.id, tenant=connection.tenant, reason=failure.reason)
            await fetch_queue.postpone(self._pool, fetch, 0, counts=False)
            return
        if failure.label == "missing":
            await fetch_queue.postpone(self._pool, fetch, pause_after(fetch.attempts, random.random()), counts=True)
            return
        failures = await self._apis.failed(connection.id, failure.reason, counts=True)
        if failure.action == "wait":
            await self._apis.block(connection.id, failure.retry_after or 0)
            await fetch_queue.postpone(self._pool, fetch, 0, counts=False)
            return
        block = max(block_after(failures), failure.retry_after or 0)
        if block:
            await self._apis.block(connection.id, block)
        pause = pause_after(fetch.attempts, random.random())
        await fetch_queue.postpone(self._pool, fetch, max(pause, failure.retry_after or 0), counts=True)

    async def _complete(self, fetch: ClaimedFetch, connection: Connection, delivery: Delivery, result: str) -> None:
        async def names_customer(names: Sequence[str]) -> bool:
            provider = connection.provider
            return await asyncio.to_thread(lambda: not {*names}.isdisjoint(pseudonyms_in(delivery.raw, connection.key, provider)))

        [body] = await self._cipher.encrypt([delivery])
        async with self._pool.acquire(timeout=5) as db:
            stored, events = await run_transaction(
                lambda work: work(db), lambda db: fetch_queue.complete(db, fetch, delivery, body, names_customer)
            )
        if not stored.raw:
            self._cipher.discard([body])
        self._publish(events)
        self._observe(connection, stored, stored.verdict)
        FETCHED.labels(connection.provider, result).inc()
        log.debug("enricher.completed", connection=connection.id, seq=fetch.seq, outcome=stored.verdict, attempts=fetch.attempts)

"""Ingest, put together: the only place where its parts are built."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import asyncpg
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.routing import Route

from services.ingest.api import batch, connections, feedback, internal, overrides, quarantine, taxonomy
from services.ingest.api.body import MIB, BodyRoom
from services.ingest.api.hooks import Hook
from services.ingest.api.state import Ingest
from services.ingest.eraser import Eraser
from services.ingest.inbox import locks
from services.ingest.inbox.committer import Committer
from services.ingest.pace import Pace
from services.ingest.relay import EventProducer, Relay
from services.ingest.releaser import Releaser
from services.ingest.settings import Settings
from services.ingest.store.cipher import Cipher
from services.ingest.store.connection_cache import ConnectionCache
from services.ingest.store.connections import Connections
from services.ingest.store.deliveries import Deliveries
from services.ingest.store.event_log import EventLog
from services.ingest.store.taxonomies import Taxonomies
from services.ingest.store.tenants import Tenants
from services.ingest.threads import FairThreads
from shared import problems
from shared.database import OUTAGE, open_engine, open_pool
from shared.http import RequestId, add_health
from shared.kafka import CommittedOffsets, Producer
from shared.settings import trimmed
from shared.topics import EVENTS
from shared.workers import Workers

LARGE_BODIES_BYTES = 32 * MIB
LARGE_BODIES_BYTES_OF_A_TENANT = 16 * MIB
"""What bodies over 64 KiB that are under way may take together, in a process; beyond, callers are told 503."""

COMMIT_SECONDS = 4.0
"""How long one statement of the inbox may take before the callers are told to try again."""


def create_app(
    settings: Settings, *, producer: EventProducer | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> FastAPI:
    """The application. Tests may bring their own clock, and a producer: then no Kafka is asked how far consumers have come."""
    workers = Workers()
    engine = open_engine(settings.database_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(engine.dispose)
            commits = await stack.enter_async_context(open_pool(settings.database_url, settings.committers + 2, COMMIT_SECONDS))
            reads = await stack.enter_async_context(open_pool(settings.database_url, 6))
            kafka = await stack.enter_async_context(Producer(settings.kafka_bootstrap_servers))
            offsets = await stack.enter_async_context(CommittedOffsets(settings.kafka_bootstrap_servers))
            pace = Pace()
            relay = Relay(reads, producer or kafka, pace)
            committer = Committer(commits, relay.offer, settings.queue_limit)
            store = Connections(engine, Cipher(settings.secret_key), settings.connections_per_tenant)
            threads = FairThreads()
            releaser = Releaser(reads, store, committer, relay.offer, threads, now)
            app.state.ingest = build(settings, engine, reads, store, committer, releaser, threads, now)
            await stack.enter_async_context(workers)
            for number in range(settings.committers):
                workers.start(f"committer-{number}", committer.run)
            workers.start("relay", relay.run)
            workers.start("sweeper", relay.sweep)
            workers.start("releaser", releaser.run)
            workers.start("eraser", Eraser(reads, store).run)
            if producer is None:
                workers.start("pace", lambda: pace.run(lambda group, partitions: offsets.of(group, EVENTS, partitions)))
            app.state.reads = reads
            yield

    app = FastAPI(title="Earshot ingest", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.token = settings.internal_token
    app.add_middleware(RequestId)
    problems.install(app)
    app.router.routes.append(Route("/v1/hooks/{connection}", Hook()))
    for routes in (
        feedback.routes,
        batch.routes,
        overrides.routes,
        connections.routes,
        quarantine.routes,
        taxonomy.routes,
        internal.routes,
    ):
        app.include_router(routes)
    add_health(app, alive=lambda: workers.dead, ready=lambda: missing(app.state.reads))
    return app


def build(
    settings: Settings,
    engine: AsyncEngine,
    pool: asyncpg.Pool,
    store: Connections,
    committer: Committer,
    releaser: Releaser,
    threads: FairThreads,
    now: Callable[[], datetime],
) -> Ingest:
    return Ingest(
        committer=committer,
        releaser=releaser,
        threads=threads,
        bodies=BodyRoom(LARGE_BODIES_BYTES, LARGE_BODIES_BYTES_OF_A_TENANT),
        cache=ConnectionCache(store, settings.connection_cache_seconds),
        connections=store,
        tenants=Tenants(engine, Cipher(settings.secret_key)),
        taxonomies=Taxonomies(engine),
        deliveries=Deliveries(pool),
        event_log=EventLog(pool, locks.ARRIVALS),
        public_url=trimmed(settings.public_url),
        now=now,
    )


async def missing(pool: asyncpg.Pool) -> list[str]:
    """What keeps ingest from serving: its database. Without Kafka it takes everything and publishes later."""
    try:
        async with pool.acquire(timeout=2) as db:
            await db.execute("SELECT 1", timeout=2)
    except OUTAGE:
        return ["database"]
    return []

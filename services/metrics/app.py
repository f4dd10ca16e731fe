"""The metrics service, put together: the only place where its parts are built."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
from fastapi import FastAPI

from services.metrics.announcer import Announcer, Sender
from services.metrics.api import gold, internal, kpis, models
from services.metrics.api.state import Metrics
from services.metrics.consumer import Intake, idle
from services.metrics.pinning import keep_pinning
from services.metrics.purger import Purger
from services.metrics.sealer import Sealer
from services.metrics.settings import Settings
from services.metrics.store.writer import Writer
from shared import problems
from shared.database import OUTAGE, open_pool
from shared.fair_queue import FairQueue
from shared.http import RequestId, add_health
from shared.ingest import ingest_client, request_replay
from shared.kafka import Consumer, Producer
from shared.topics import EVENTS, METRICS_GROUP, SCORES
from shared.workers import Workers

WRITING = 4
"""Connections of the writer: one for its transaction, one for new values, and room for idle partitions' notes."""

KEPT_FREE = 2
"""Connections of the pool for queries that questions never use."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now, sender: Sender | None = None) -> FastAPI:
    """The application. `clock` tells the `now` up to which a request reads; `sender` is for tests that hear what is announced."""
    workers = Workers()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(open_pool(settings.database_url, settings.database_pool))
            producer = await stack.enter_async_context(Producer(settings.kafka_bootstrap_servers))
            announcer = Announcer(sender or producer)
            app.state.metrics = Metrics(pool, settings.sentiment_model, clock, announcer, queue(settings))
            intake = await stack.enter_async_context(consumer(settings, announcer)) if settings.consume else None
            await stack.enter_async_context(workers)
            if intake:
                workers.start("consumer", intake.run)
            workers.start("pinning", lambda: keep_pinning(pool, settings.sentiment_model, clock))
            if settings.seal:
                counting = await stack.enter_async_context(open_pool(settings.database_url, 1, command_timeout=300))
                after = timedelta(seconds=settings.seal_after_seconds)
                workers.start("sealer", Sealer(counting, after, settings.seal_every_seconds).run)
                purging = await stack.enter_async_context(open_pool(settings.database_url, 1, command_timeout=900))
                workers.start("purger", Purger(purging).run)
            yield

    app = FastAPI(title="Earshot metrics", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(RequestId)
    problems.install(app)
    add_health(app, alive=lambda: workers.dead, ready=lambda: missing(app))
    app.include_router(internal.router(settings.internal_token))
    app.include_router(kpis.router(settings.internal_token))
    app.include_router(gold.router(settings.internal_token))
    app.include_router(models.router(settings.internal_token))
    return app


def queue(settings: Settings) -> FairQueue:
    """The queue of questions. Of the connections it leaves KEPT_FREE to look-ups and health checks, which take no turn."""
    at_once = max(1, settings.database_pool - KEPT_FREE)
    return FairQueue(at_once, settings.questions_per_tenant, settings.questions_waiting)


@asynccontextmanager
async def consumer(settings: Settings, announcer: Announcer) -> AsyncIterator[Consumer]:
    """The consumer of both topics, with connections of its own, so that queries and intake never wait for one another."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings.database_url, WRITING))
        ingest = await stack.enter_async_context(ingest_client(settings.ingest_url, settings.internal_token))
        yield Consumer(
            bootstrap=settings.kafka_bootstrap_servers,
            group=METRICS_GROUP,
            topics=(EVENTS, SCORES),
            handler=Intake(Writer(pool), announcer),
            replay=partial(request_replay, ingest),
            on_idle=idle(pool),
            instance=settings.kafka_instance,
        )


async def missing(app: FastAPI) -> list[str]:
    """What keeps metrics from serving: its database. Without Kafka it still answers, as of its watermark."""
    pool: asyncpg.Pool = app.state.metrics.pool
    try:
        async with pool.acquire(timeout=2) as connection:
            await connection.execute("SELECT 1", timeout=2)
    except OUTAGE:
        return ["database"]
    return []

"""The composition root of ingest: builds its parts and its FastAPI application."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import asyncpg
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.api import (
    back_fill,
    batch,
    connections,
    customers,
    feedback,
    import_trials,
    imports,
    internal,
    jobs,
    overrides,
    providers,
    quarantine,
    replay,
    retention,
    taxonomy,
)
from services.ingest.api.admission import Admission
from services.ingest.api.dependencies import Ingest
from services.ingest.api.hook_dispatch import PREFIX, HookDispatch
from services.ingest.assembly import Parts, Resources, build_parts, open_resources, start_workers
from services.ingest.gauges import (
    body_gauges,
    erasure_gauges,
    fetch_gauges,
    import_gauges,
    job_gauges,
    outbox_gauges,
    replay_gauges,
)
from services.ingest.inbox import locks
from services.ingest.inbox.customers import Customers
from services.ingest.instruments import FAMILIES
from services.ingest.relay import EventProducer
from services.ingest.settings import Settings
from services.ingest.store.connection_cache import ConnectionCache
from services.ingest.store.deliveries import Deliveries
from services.ingest.store.event_log import EventLog
from services.ingest.store.imports import Imports
from services.ingest.store.taxonomies import Taxonomies
from services.ingest.store.tenants import Tenants
from services.ingest.threads import FairThreads
from shared import openapi
from shared.bodies import MIB, Bodies, BodyMemory
from shared.database import database_answers, open_engine
from shared.deadlines import RequestDeadline, TaskDeadlines
from shared.direct_requests import DirectRoute
from shared.gauges import DatabaseGauges, observe_pools
from shared.http import add_health, new_app
from shared.request_telemetry import RequestTelemetry
from shared.routes import add_routes
from shared.settings import trimmed
from shared.workers import Workers

LARGE_BODIES_BYTES = 32 * MIB
LARGE_BODIES_BYTES_PER_TENANT = 16 * MIB
LARGE_BODIES_BYTES_PER_CONNECTION = 8 * MIB
"""Limits of the bodies over 64 KiB that a process holds at the same time. Further ones are refused with 503. The limit of a
connection is for its webhooks."""

ROUTES = (
    feedback.routes,
    batch.routes,
    overrides.routes,
    connections.routes,
    back_fill.routes,
    providers.routes,
    quarantine.routes,
    customers.routes,
    replay.routes,
    jobs.routes,
    imports.routes,
    import_trials.routes,
    retention.routes,
    taxonomy.routes,
    internal.routes,
)

GAUGES = (outbox_gauges, fetch_gauges, job_gauges, replay_gauges, import_gauges, erasure_gauges, body_gauges)
"""Gauges over the pool `reads`."""


def create_app(
    settings: Settings,
    *,
    producer: EventProducer | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    import_process: bool = False,
) -> FastAPI:
    """The application. Tests may pass a clock, and a producer: then Kafka is not polled for the progress of consumers.

    `import_process`: imports run in a child process, which reads its settings from the environment.
    """
    workers = Workers()
    engine = open_engine(settings.database)
    threads = FairThreads()
    body_memory = BodyMemory(LARGE_BODIES_BYTES, LARGE_BODIES_BYTES_PER_TENANT, per_connection=LARGE_BODIES_BYTES_PER_CONNECTION)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            resources = await open_resources(stack, settings, engine, threads, now)
            parts = build_parts(stack, resources, producer, import_process=import_process)
            app.state.reads = reads = resources.reads
            gauges = [gauges_over(reads) for gauges_over in GAUGES]
            app.state.update_gauges = partial(update_gauges, resources.pools, engine, *gauges)
            app.state.ingest = state_of(resources, parts, body_memory)
            await stack.enter_async_context(workers)
            start_workers(workers, resources, parts, paced=producer is None)
            yield

    app = new_app("Earshot ingest", lifespan)
    app.state.internal_tokens = settings.accepted_tokens
    app.state.bodies = Bodies(body_memory, threads.read)
    app.add_middleware(RequestDeadline, seconds=settings.request_deadline)
    app.add_middleware(RequestTelemetry)
    openapi.install(app)
    add_routes(app, *ROUTES)
    add_health(
        app,
        alive=lambda: workers.dead,
        ready=lambda: missing_dependencies(app.state.reads),
        metrics=FAMILIES,
        before_scrape=lambda: app.state.update_gauges(),
    )
    hooks = HookDispatch(app.build_middleware_stack(), app)
    app.middleware_stack = hooks
    app.state.direct = DirectRoute(PREFIX.encode(), hooks.answer)
    return app


def state_of(resources: Resources, parts: Parts, body_memory: BodyMemory) -> Ingest:
    """The running service, as routes see it."""
    settings, engine, reads, storage = resources.settings, resources.engine, resources.reads, parts.storage
    return Ingest(
        committer=parts.committer,
        releaser=parts.releaser,
        jobs=parts.jobs,
        replays=parts.replays,
        expirer=parts.expirer,
        reads=reads,
        enricher=parts.enricher,
        back_filler=parts.back_filler,
        apis=parts.apis,
        observer=storage.observer,
        threads=resources.threads,
        body_memory=body_memory,
        admission=Admission(settings.request_limit),
        hook_seconds=settings.hook_deadline,
        hook_deadlines=TaskDeadlines(settings.hook_deadline),
        cache=ConnectionCache(storage.connections, settings.connection_cache_seconds),
        connections=storage.connections,
        tenants=Tenants(engine, storage.cipher),
        taxonomies=Taxonomies(engine),
        deliveries=Deliveries(reads, storage.vault),
        quarantine=parts.quarantine,
        customers=Customers(reads, storage.vault),
        event_log=EventLog(reads, locks.ARRIVALS),
        health=storage.health,
        imports=Imports(reads, storage.cipher),
        wake_importer=parts.importer.wake,
        public_url=trimmed(settings.public_url),
        now=resources.now,
    )


async def update_gauges(pools: Mapping[str, asyncpg.Pool], engine: AsyncEngine, *gauges: DatabaseGauges) -> None:
    """Update the gauges that are read when Prometheus scrapes."""
    observe_pools(pools, engine)
    for group in gauges:
        await group()


async def missing_dependencies(pool: asyncpg.Pool) -> list[str]:
    """The dependencies without which ingest can't serve: the database. Without Kafka it stores deliveries and publishes later."""
    return [] if await database_answers(pool) else ["database"]

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
from services.ingest.back_filler import WORKERS as BACK_FILL_WORKERS
from services.ingest.back_filler import BackFiller
from services.ingest.body_encrypter import BodyEncrypter
from services.ingest.enricher import Enricher
from services.ingest.eraser import Eraser
from services.ingest.expirer import Expirer
from services.ingest.gauges import (
    body_gauges,
    erasure_gauges,
    fetch_gauges,
    import_gauges,
    job_gauges,
    outbox_gauges,
    replay_gauges,
)
from services.ingest.health import DeliveryObserver
from services.ingest.import_process import CONNECTIONS as IMPORT_CONNECTIONS
from services.ingest.import_process import ImportProcesses
from services.ingest.importer import Importer
from services.ingest.inbox import locks
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.customers import Customers
from services.ingest.inbox.jobs import Kind
from services.ingest.inbox.quarantine import Quarantine
from services.ingest.instruments import FAMILIES
from services.ingest.job_runner import JobKind, JobRunner
from services.ingest.key_keeper import KeyKeeper
from services.ingest.names import NameCollector, NameSender
from services.ingest.pace import Pace
from services.ingest.quarantine_jobs import Discarder, Retrier
from services.ingest.relay import SWEEPERS, EventProducer, Relay
from services.ingest.releaser import Releaser
from services.ingest.replayer import Replayer
from services.ingest.rereader import Rereader
from services.ingest.settings import Settings
from services.ingest.store.cipher import Cipher
from services.ingest.store.connection_cache import ConnectionCache
from services.ingest.store.connections import Connections
from services.ingest.store.deliveries import Deliveries
from services.ingest.store.event_log import EventLog
from services.ingest.store.health import HealthStore
from services.ingest.store.import_progress import ImportProgress
from services.ingest.store.imports import Imports
from services.ingest.store.taxonomies import Taxonomies
from services.ingest.store.tenants import Tenants
from services.ingest.store.tool_apis import ToolApis
from services.ingest.store.value_names import ValueNames
from services.ingest.store.vault import Vault
from services.ingest.threads import FairThreads
from services.ingest.tool_calls import ToolCalls
from services.ingest.tool_client import ToolClient
from shared import openapi, problems
from shared.bodies import MIB, Bodies, BodyMemory
from shared.database import OUTAGE, open_engine, open_pool
from shared.deadlines import RequestDeadline, TaskDeadlines
from shared.direct_requests import DirectRoute
from shared.gauges import DatabaseGauges, observe_pools
from shared.http import add_health
from shared.ingest import service_client
from shared.kafka import CommittedOffsets, Producer
from shared.request_telemetry import RequestTelemetry
from shared.routes import add_routes
from shared.settings import trimmed
from shared.topics import EVENTS
from shared.tracing import FASTAPI_TELEMETRY
from shared.version import VERSION
from shared.workers import Workers

LARGE_BODIES_BYTES = 32 * MIB
LARGE_BODIES_BYTES_PER_TENANT = 16 * MIB
LARGE_BODIES_BYTES_PER_CONNECTION = 8 * MIB
"""Limits of the bodies over 64 KiB that a process holds at the same time. Further ones are refused with 503. The limit of a
connection is for its webhooks."""

COMMIT_SECONDS = 4.0
"""Time limit of one statement of the inbox. After it the callers get 503 and retry."""

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
            stack.push_async_callback(engine.dispose)
            commits = await stack.enter_async_context(open_pool(settings.database, settings.committers + 2, COMMIT_SECONDS))
            reads = await stack.enter_async_context(open_pool(settings.database, 6))
            keys = await stack.enter_async_context(open_pool(settings.keys_database, 4, COMMIT_SECONDS))
            kafka = await stack.enter_async_context(Producer(settings.brokers))
            offsets = await stack.enter_async_context(CommittedOffsets(settings.brokers))
            pace = Pace()
            relay = Relay(reads, producer or kafka, pace)
            cipher = Cipher(settings.secret_key, settings.decrypting_keys)
            vault = Vault(keys, cipher, encrypts=settings.encrypt_bodies, inbox=reads)
            stack.push_async_callback(vault.close)
            committer = Committer(commits, relay.offer, settings.queue_limit, vault)
            tools = Connections(engine, cipher, settings.connections_per_tenant)
            health = HealthStore(reads)
            names = ValueNames(reads)
            collector = NameCollector(names)
            stack.push_async_callback(collector.close)
            metrics = await stack.enter_async_context(service_client(settings.metrics_url, settings.internal_token))
            observer = DeliveryObserver(health, now, collector.add)
            stack.push_async_callback(observer.close)
            releaser = Releaser(reads, tools, committer, relay.offer, threads, now, observer.stored, vault)
            rereader = Rereader(reads, tools, relay.offer, threads, now, observer.read_again, vault)
            apis = ToolApis(reads)
            client = ToolClient(threads, now, trimmed(settings.tool_api_url) if settings.tool_api_url else None)
            stack.push_async_callback(client.close)
            calls = ToolCalls(client)
            enricher = Enricher(reads, tools, apis, calls, relay.offer, threads, now, observer.stored, vault)
            back_filler = BackFiller(reads, tools, apis, calls, threads, now, observer.back_filled, vault)
            retrier = Retrier(reads, tools, committer, relay.offer, threads, now, observer.stored, enricher.wake, vault)
            quarantined = Quarantine(reads, vault)
            kinds: dict[Kind, JobKind] = {
                "reread": JobKind(rereader.measure, rereader.step),
                "retry": JobKind(quarantined.extent, retrier.step),
                "discard": JobKind(quarantined.extent, Discarder(reads).step),
            }
            runner = JobRunner(reads, kinds)
            replayer = Replayer(reads)
            importing = await stack.enter_async_context(open_pool(settings.database, IMPORT_CONNECTIONS))
            in_process = Importer(importing, Imports(importing, cipher), tools, now, observer.read_again, vault)
            processes = ImportProcesses(ImportProgress(reads), settings.import_processes)
            importer = processes if import_process else in_process
            expirer = Expirer(reads, now)
            app.state.reads = reads
            app.state.update_gauges = partial(
                update_gauges,
                {"commits": commits, "reads": reads, "keys": keys},
                engine,
                outbox_gauges(reads),
                fetch_gauges(reads),
                job_gauges(reads),
                replay_gauges(reads),
                import_gauges(reads),
                erasure_gauges(reads),
                body_gauges(reads),
            )
            app.state.ingest = Ingest(
                committer=committer,
                releaser=releaser,
                jobs=runner,
                replays=replayer,
                expirer=expirer,
                reads=reads,
                enricher=enricher,
                back_filler=back_filler,
                apis=apis,
                observer=observer,
                threads=threads,
                body_memory=body_memory,
                admission=Admission(settings.request_limit),
                hook_seconds=settings.hook_deadline,
                hook_deadlines=TaskDeadlines(settings.hook_deadline),
                cache=ConnectionCache(tools, settings.connection_cache_seconds),
                connections=tools,
                tenants=Tenants(engine, cipher),
                taxonomies=Taxonomies(engine),
                deliveries=Deliveries(reads, vault),
                quarantine=quarantined,
                customers=Customers(reads, vault),
                event_log=EventLog(reads, locks.ARRIVALS),
                health=health,
                imports=Imports(reads, cipher),
                wake_importer=importer.wake,
                public_url=trimmed(settings.public_url),
                now=now,
            )
            await stack.enter_async_context(workers)
            for number in range(settings.committers):
                workers.start(f"committer-{number}", committer.run)
            workers.start("relay", relay.run)
            for number in range(SWEEPERS):
                workers.start(f"sweeper-{number}", relay.sweep)
            workers.start("releaser", releaser.run)
            workers.start("jobs", runner.run)
            workers.start("replays", replayer.run)
            workers.start("enricher", enricher.run)
            for number in range(BACK_FILL_WORKERS):
                workers.start(f"back-fill-{number}", back_filler.run)
            workers.start("importer", importer.run)
            workers.start("health", observer.run)
            workers.start("names", collector.run)
            workers.start("name sender", NameSender(names, metrics).run)
            workers.start("eraser", Eraser(reads, tools, vault).run)
            workers.start("expirer", expirer.run)
            workers.start("body encrypter", BodyEncrypter(reads, vault).run)
            workers.start("keys", KeyKeeper(reads, vault).run)
            if producer is None:
                workers.start("pace", lambda: pace.run(lambda group, partitions: offsets.of(group, EVENTS, partitions)))
            yield

    app = FastAPI(
        title="Earshot ingest", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None, telemetry=FASTAPI_TELEMETRY
    )
    app.state.internal_tokens = settings.accepted_tokens
    app.state.bodies = Bodies(body_memory, threads.read)
    app.add_middleware(RequestDeadline, seconds=settings.request_deadline)
    app.add_middleware(RequestTelemetry)
    problems.install(app)
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


async def update_gauges(pools: Mapping[str, asyncpg.Pool], engine: AsyncEngine, *gauges: DatabaseGauges) -> None:
    """Update the gauges that are read when Prometheus scrapes."""
    observe_pools(pools, engine)
    for group in gauges:
        await group()


async def missing_dependencies(pool: asyncpg.Pool) -> list[str]:
    """The dependencies without which ingest can't serve: the database. Without Kafka it stores deliveries and publishes later."""
    try:
        async with pool.acquire(timeout=2) as db:
            await db.execute("SELECT 1", timeout=2)
    except OUTAGE:
        return ["database"]
    return []

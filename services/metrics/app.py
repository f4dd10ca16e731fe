"""The metrics application: the only place where its parts are constructed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from fastapi import FastAPI, Request, Response

from services.metrics.announcer import Announcer, Sender
from services.metrics.api import (
    calendars,
    explain,
    freezing,
    gold,
    history,
    internal,
    kpis,
    models,
    names,
    presets,
    sla,
    terms,
    tickets,
    upcoming,
    verifications,
)
from services.metrics.api.dependencies import Metrics
from services.metrics.builder import Builder
from services.metrics.clients.ingest import Ingest
from services.metrics.consumer import Intake, Positions, idle_callback
from services.metrics.domain.windows import BadQuery
from services.metrics.evaluation.row_cache import Caches
from services.metrics.evaluation.source import Source
from services.metrics.freezer import Freezer
from services.metrics.gauges import sealing_gauges, verification_gauges
from services.metrics.head_watch import HeadWatch
from services.metrics.instruments import FAMILIES
from services.metrics.pace import Pace
from services.metrics.purger import Purger
from services.metrics.sealer import Sealer
from services.metrics.settings import Settings
from services.metrics.store.promotions import keep_pinning
from services.metrics.store.writer import Writer
from services.metrics.verifier import Verifier
from services.metrics.version_watch import VersionWatch
from shared import openapi, problems
from shared.bodies import MIB, Bodies, BodyMemory
from shared.database import database_answers, open_pool
from shared.fair_queue import FairQueue
from shared.gauges import DatabaseGauges, observe_pools
from shared.http import add_health, new_app
from shared.ingest import Replays, ingest_client
from shared.kafka import Consumer, Producer, watch_dead_letters
from shared.request_telemetry import RequestTelemetry
from shared.routes import add_routes
from shared.topics import EVENTS, METRICS_GROUP, SCORES
from shared.workers import Run, Workers

WRITER_CONNECTIONS = 4
"""Connections of the writer: one for its transaction, one for new values, and some for the progress of idle partitions."""

RESERVED_CONNECTIONS = 2
"""Connections of the pool that KPI queries never use: they are for look-ups and health checks."""

ROUTES = (
    internal.routes,
    calendars.routes,
    explain.routes,
    freezing.routes,
    gold.routes,
    history.routes,
    models.routes,
    names.routes,
    presets.routes,
    sla.routes,
    terms.routes,
    tickets.routes,
    upcoming.routes,
    verifications.routes,
    names.internal_routes,
    kpis.catalogue_routes,
    kpis.routes,
)

BODY_MEMORY = BodyMemory(total=16 * MIB, per_tenant=16 * MIB)
"""Bodies of internal calls are small."""


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def create_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now, sender: Sender | None = None) -> FastAPI:
    """The application. `clock` returns the `now` of a request; `sender` replaces the Kafka producer of announcements in tests."""
    workers = Workers()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(open_pool(settings.database, settings.database_pool))
            producer = await stack.enter_async_context(Producer(settings.brokers))
            announcer = Announcer(sender or producer)
            scans = await stack.enter_async_context(open_pool(settings.database, settings.scan_pool))
            app.state.pools = {"queries": pool, "scans": scans}
            app.state.intake = None
            app.state.metrics = Metrics(
                Source(pool, settings.sentiment_model, caches=Caches()),
                clock,
                announcer,
                queue(settings),
                Source(scans, settings.sentiment_model),
                FairQueue(settings.scan_pool, max(1, settings.scan_pool // 2), settings.questions_waiting),
            )
            versions = VersionWatch(pool, lambda: not degraded(app))
            runs: dict[str, Run] = {"pinning": lambda: keep_pinning(pool, settings.sentiment_model, clock)}
            if settings.consume or settings.seal:
                runs["version"] = versions.run
            if settings.consume:
                runs |= await open_intake(stack, app, settings, versions)
            if settings.seal:
                runs |= await open_sealing(stack, app, settings)
            await stack.enter_async_context(workers)
            for name, run in runs.items():
                workers.start(name, run)
            yield

    app = new_app("Earshot metrics", lifespan)
    app.state.internal_tokens = settings.accepted_tokens
    app.state.bodies = Bodies(BODY_MEMORY)
    app.add_middleware(RequestTelemetry)
    app.add_exception_handler(BadQuery, handle_bad_query)
    description = "KPIs and the records behind them, for Earshot's own services."
    openapi.install(app, partial(openapi.document_of, description=description))
    verified = verification_gauges(lambda: app.state.pools["queries"])
    sealing = sealing_gauges(lambda: app.state.pools["queries"], timedelta(seconds=settings.seal_after_seconds))
    add_health(
        app,
        alive=lambda: workers.dead,
        ready=lambda: missing(app),
        metrics=FAMILIES,
        before_scrape=lambda: update_gauges(app, sealing, verified),
        degraded=lambda: degraded(app),
    )
    add_routes(app, *ROUTES)
    return app


async def handle_bad_query(request: Request, error: Exception) -> Response:
    """A 400 that names the parameter of a BadQuery."""
    assert isinstance(error, BadQuery)
    return problems.to_response(problems.BadRequest(str(error), invalid_params=[{"name": error.name, "reason": error.reason}]))


def queue(settings: Settings) -> FairQueue:
    """The queue of KPI queries, which leaves RESERVED_CONNECTIONS of the pool unused."""
    at_once = max(1, settings.database_pool - RESERVED_CONNECTIONS)
    return FairQueue(at_once, settings.questions_per_tenant, settings.questions_waiting)


async def open_intake(stack: AsyncExitStack, app: FastAPI, settings: Settings, versions: VersionWatch) -> dict[str, Run]:
    """Open what consumes both topics. Returns its workers by name.

    The consumer has a pool of its own: queries and the consumer never wait for each other's connections.
    """
    app.state.pools["consumer"] = pool = await stack.enter_async_context(open_pool(settings.database, WRITER_CONNECTIONS))
    ingest = await stack.enter_async_context(ingest_client(settings.ingest_url, settings.internal_token))
    replays = Replays(ingest, METRICS_GROUP)
    app.state.intake = intake = Consumer(
        bootstrap=settings.brokers,
        group=METRICS_GROUP,
        topics=(EVENTS, SCORES),
        handler=Intake(Writer(pool), app.state.metrics.announcer),
        replay=replays.request,
        on_idle=idle_callback(pool),
        stored=Positions(pool),
        instance=settings.kafka_instance,
    )
    return {
        "replays": replays.run,
        "consumer": partial(versions.run_while_current, intake.run),
        "dead letters": partial(watch_dead_letters, settings.brokers, (EVENTS, SCORES)),
    }


async def open_sealing(stack: AsyncExitStack, app: FastAPI, settings: Settings) -> dict[str, Run]:
    """Open what seals, builds, purges, freezes and verifies, each with connections of its own. Returns the workers by name."""
    metrics: Metrics = app.state.metrics
    app.state.pools["sealer"] = counting = await stack.enter_async_context(open_pool(settings.database, 2, command_timeout=300))
    purging = await stack.enter_async_context(open_pool(settings.database, 1, command_timeout=900))
    building = await stack.enter_async_context(open_pool(settings.database, 2, command_timeout=300))
    verifying = await stack.enter_async_context(open_pool(settings.database, 1, command_timeout=900))
    ingest = Ingest(await stack.enter_async_context(ingest_client(settings.ingest_url, settings.internal_token, timeout=60)))
    sealed_after = timedelta(seconds=settings.seal_after_seconds)
    verified_every = timedelta(hours=settings.verify_every_hours) if settings.verify_every_hours else None
    return {
        "sealer": Sealer(counting, sealed_after, settings.seal_every_seconds, pace=Pace(metrics.queue)).run,
        "purger": Purger(purging).run,
        "builder": Builder(building, announce=metrics.announcer.announce_build).run,
        "freezer": Freezer(building).run,
        "verifier": Verifier(verifying, ingest, verified_every).run,
        "head": HeadWatch(metrics.source.pool, ingest).run,
    }


async def update_gauges(app: FastAPI, *gauges: DatabaseGauges) -> None:
    """Update the gauges that are read when Prometheus scrapes."""
    observe_pools(app.state.pools)
    for group in gauges:
        await group()


async def missing(app: FastAPI) -> list[str]:
    """The missing dependencies: the database. Without Kafka metrics still answers, as of its watermark."""
    return [] if await database_answers(app.state.metrics.source.pool) else ["database"]


def degraded(app: FastAPI) -> list[str]:
    """Kafka, while the consumer is no member of its group: queries are answered, as of the watermark."""
    intake: Consumer | None = app.state.intake
    return [] if intake is None or intake.joined else ["kafka"]

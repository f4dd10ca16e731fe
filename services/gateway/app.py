"""The composition root of the gateway."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.api import feedback, gold, keys, kpis, live, models, page, proxy, tickets
from services.gateway.api.compression import Compression
from services.gateway.api.cors import Cors
from services.gateway.api.dependencies import Gateway
from services.gateway.api.head_requests import HeadRequests
from services.gateway.api.limits import GuessLimit, RateLimits
from services.gateway.api.middleware import AccessLog, ContentHeaders, RateLimitHeaders
from services.gateway.api.openapi import document_of
from services.gateway.clients.metrics import fetch_result
from services.gateway.clients.upstream import Upstream, open_http
from services.gateway.domain.bucket import Rate
from services.gateway.instruments import FAMILIES
from services.gateway.live.hub import Hub, StreamLimits, announce_changes
from services.gateway.provisioning import run_provisioning
from services.gateway.settings import Settings
from services.gateway.store.keys import KeyCache, Keys
from services.gateway.store.tenants import Tenants
from shared import openapi, problems
from shared.bodies import Bodies, BodyMemory
from shared.database import open_engine, outage_is_503
from shared.gauges import observe_pools
from shared.http import add_health, new_app
from shared.kafka import IncomingRecord, follow
from shared.request_telemetry import RequestTelemetry
from shared.routes import add_routes
from shared.topics import CHANGES
from shared.workers import Workers

ROUTES = (kpis.routes, tickets.routes, feedback.routes, gold.routes, live.routes, keys.routes, models.routes)


def create_app(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    changes: AsyncIterator[IncomingRecord] | None = None,
) -> FastAPI:
    """The application. Tests pass a `transport` that plays the other services, and records of `kpi.changes`."""
    engine = open_engine(settings.database)
    workers = Workers()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(engine.dispose)
            http = await stack.enter_async_context(open_http(transport))
            gateway = build(settings, engine, http)
            app.state.gateway = gateway
            await stack.enter_async_context(gateway.hub)
            await stack.enter_async_context(workers)
            provisioned = (gateway.upstream("ingest"), gateway.upstream("metrics"))
            workers.start("provisioning", lambda: run_provisioning(Tenants(engine), provisioned))
            records = changes or follow(settings.brokers, CHANGES)
            workers.start("live", lambda: announce_changes(records, gateway.hub))
            yield

    app = new_app("Earshot", lifespan)
    app.state.bodies = Bodies(BodyMemory(settings.body_bytes, settings.body_bytes_per_tenant, problems.TooManyRequests))
    add_middleware(app, settings)
    add_health(
        app,
        alive=lambda: workers.dead,
        ready=lambda: missing_dependencies(engine),
        metrics=FAMILIES,
        before_scrape=partial(update_gauges, engine),
    )
    add_routes(app, *ROUTES, proxy.router(), page.router(page.Files()))
    openapi.install(app, document_of)
    return app


def add_middleware(app: FastAPI, settings: Settings) -> None:
    """Add the middleware, from the innermost to the outermost."""
    app.add_middleware(Compression)
    app.add_middleware(HeadRequests)
    app.add_middleware(ContentHeaders)
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(AccessLog)
    if settings.allowed_origins:
        app.add_middleware(Cors, origins=settings.allowed_origins)
    app.add_middleware(RequestTelemetry)  # the outermost: preflights have a request id and are counted too


def build(settings: Settings, engine: AsyncEngine, http: httpx.AsyncClient) -> Gateway:
    """The state of the application, over open connections."""
    bases = {"ingest": settings.ingest_url, "metrics": settings.metrics_url, "sentiment": settings.sentiment_url}
    store = Keys(engine)
    upstreams = {name: Upstream(name, http, base, settings.internal_token) for name, base in bases.items()}
    return Gateway(
        keys=store,
        key_cache=KeyCache(store.find, settings.key_cache_seconds),
        limits=RateLimits(
            per_key=Rate(settings.rate_per_second, settings.rate_burst),
            per_tenant=Rate(settings.tenant_rate_per_second, settings.tenant_rate_burst),
        ),
        guesses=GuessLimit(Rate(settings.guesses_per_minute / 60, settings.guesses_burst)),
        keys_per_tenant=settings.keys_per_tenant,
        hub=Hub(partial(fetch_result, upstreams["metrics"]), stream_limits(settings)),
        ping_seconds=settings.live_ping_seconds,
        upstreams=upstreams,
    )


def stream_limits(settings: Settings) -> StreamLimits:
    """The limits of live streams from the settings."""
    return StreamLimits(
        streams=settings.live_readers,
        streams_per_tenant=settings.live_readers_per_tenant,
        streams_per_key=settings.live_readers_per_key,
        queries_per_tenant=settings.live_queries_per_tenant,
        queries_per_key=settings.live_queries_per_key,
    )


async def update_gauges(engine: AsyncEngine) -> None:
    """Update the gauges that are read when Prometheus scrapes."""
    observe_pools({}, engine)


async def missing_dependencies(engine: AsyncEngine) -> list[str]:
    """Unavailable dependencies without which the gateway can't serve: its database. Calls to other services fail one by one."""
    try:
        async with outage_is_503(), engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except problems.Unavailable:
        return ["database"]
    return []

"""The gateway, put together: the only place where its parts are built."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.api import gold, keys, kpis, live, models, page, passing
from services.gateway.api.accounting import Accounting
from services.gateway.api.content import ContentHeaders
from services.gateway.api.limits import Guesses, Limits, RateLimitHeaders
from services.gateway.api.rooms import Rooms
from services.gateway.api.state import Gateway
from services.gateway.clients.kpis import value
from services.gateway.clients.upstream import Upstream, open_http
from services.gateway.domain.bucket import Rate
from services.gateway.live.feed import feed
from services.gateway.live.hub import Caps, Hub
from services.gateway.live.provisioning import keep_provisioning
from services.gateway.settings import Settings
from services.gateway.store.keyring import KeyRing
from services.gateway.store.keys import Keys
from services.gateway.store.tenants import Tenants
from shared import problems
from shared.database import open_engine, outage_is_503
from shared.http import RequestId, add_health
from shared.kafka import Record, follow
from shared.topics import CHANGES
from shared.workers import Workers


def create_app(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    changes: AsyncIterator[Record] | None = None,
) -> FastAPI:
    """The application. Tests may bring their own services behind the door (`transport`) and their own `changes`."""
    engine = open_engine(settings.database_url)
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
            told = (gateway.upstream("ingest"), gateway.upstream("metrics"))
            workers.start("provisioning", lambda: keep_provisioning(Tenants(engine), told))
            announced = changes or follow(settings.kafka_bootstrap_servers, CHANGES)
            workers.start("live", lambda: feed(announced, gateway.hub))
            yield

    app = FastAPI(title="Earshot", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(ContentHeaders)
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(Accounting)
    app.add_middleware(RequestId)
    problems.install(app)
    add_health(app, alive=lambda: workers.dead, ready=lambda: missing(engine))
    for routes in (
        kpis.routes,
        gold.routes,
        live.routes,
        keys.routes,
        models.routes,
        passing.router(),
        page.router(page.Files()),
    ):
        app.include_router(routes)
    return app


def build(settings: Settings, engine: AsyncEngine, http: httpx.AsyncClient) -> Gateway:
    bases = {"ingest": settings.ingest_url, "metrics": settings.metrics_url, "sentiment": settings.sentiment_url}
    store = Keys(engine)
    upstreams = {name: Upstream(name, http, base, settings.internal_token) for name, base in bases.items()}
    return Gateway(
        keys=store,
        keyring=KeyRing(store.find, settings.key_cache_seconds),
        limits=Limits(
            of_key=Rate(settings.rate_per_second, settings.rate_burst),
            of_tenant=Rate(settings.tenant_rate_per_second, settings.tenant_rate_burst),
        ),
        guesses=Guesses(Rate(settings.guesses_per_minute / 60, settings.guesses_burst)),
        rooms=Rooms(settings.body_bytes, settings.body_bytes_per_tenant),
        keys_per_tenant=settings.keys_per_tenant,
        hub=Hub(partial(value, upstreams["metrics"]), caps_of(settings)),
        ping=settings.live_ping_seconds,
        upstreams=upstreams,
    )


def caps_of(settings: Settings) -> Caps:
    return Caps(
        streams=settings.live_readers,
        streams_per_tenant=settings.live_readers_per_tenant,
        streams_per_key=settings.live_readers_per_key,
        queries_per_tenant=settings.live_queries_per_tenant,
        queries_per_key=settings.live_queries_per_key,
    )


async def missing(engine: AsyncEngine) -> list[str]:
    """What keeps the gateway from serving: its database. An upstream that is away is told call by call."""
    try:
        async with outage_is_503(), engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except problems.Unavailable:
        return ["database"]
    return []

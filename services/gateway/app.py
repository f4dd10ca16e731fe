"""The gateway, put together: the only place where its parts are built."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.api import keys, kpis, passing
from services.gateway.api.limits import Limits, RateLimitHeaders
from services.gateway.api.state import Gateway
from services.gateway.clients.upstream import Upstream, open_http
from services.gateway.domain.bucket import Rate
from services.gateway.live.provisioning import keep_provisioning
from services.gateway.settings import Settings
from services.gateway.store.keyring import KeyRing
from services.gateway.store.keys import Keys
from services.gateway.store.tenants import Tenants
from shared import problems
from shared.database import open_engine, outage_is_503
from shared.http import RequestId, add_health
from shared.workers import Workers


def create_app(settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> FastAPI:
    """The application; `transport` is for tests that bring their own services behind the door."""
    engine = open_engine(settings.database_url)
    workers = Workers()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(engine.dispose)
            http = await stack.enter_async_context(open_http(transport))
            gateway = build(settings, engine, http)
            app.state.gateway = gateway
            await stack.enter_async_context(workers)
            told = (gateway.upstream("ingest"), gateway.upstream("metrics"))
            workers.start("provisioning", lambda: keep_provisioning(Tenants(engine), told))
            yield

    app = FastAPI(title="Earshot", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(RequestId)
    problems.install(app)
    add_health(app, alive=lambda: workers.dead, ready=lambda: missing(engine))
    for routes in (kpis.routes, keys.routes, passing.router()):
        app.include_router(routes)
    return app


def build(settings: Settings, engine: AsyncEngine, http: httpx.AsyncClient) -> Gateway:
    bases = {"ingest": settings.ingest_url, "metrics": settings.metrics_url, "sentiment": settings.sentiment_url}
    store = Keys(engine)
    return Gateway(
        keys=store,
        keyring=KeyRing(store.find, settings.key_cache_seconds),
        limits=Limits(Rate(settings.rate_per_second, settings.rate_burst)),
        upstreams={name: Upstream(name, http, base, settings.internal_token) for name, base in bases.items()},
    )


async def missing(engine: AsyncEngine) -> list[str]:
    """What keeps the gateway from serving: its database. An upstream that is away is told call by call."""
    try:
        async with outage_is_503(), engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except problems.Unavailable:
        return ["database"]
    return []

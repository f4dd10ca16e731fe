"""Build the sentiment application from its parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

import httpx
from fastapi import FastAPI

from services.sentiment.api import scores
from services.sentiment.clients import Ingest
from services.sentiment.consumer import ScoringHandler
from services.sentiment.domain.scorer import Scorer
from services.sentiment.instruments import FAMILIES
from services.sentiment.remote import RemoteScorer
from services.sentiment.scorers import pool_of, scorer_of
from services.sentiment.settings import ScorerName, Settings
from services.sentiment.shadow import BATCH, GROUP, ShadowHandler, restart_after_errors
from services.sentiment.taxonomy_cache import TaxonomyCache, read_default
from shared import openapi, problems
from shared.http import add_health
from shared.ingest import Replays, ingest_client
from shared.kafka import Consumer, Producer, Timing, watch_dead_letters
from shared.request_telemetry import RequestTelemetry
from shared.routes import add_routes
from shared.topics import EVENTS, SENTIMENT_GROUP
from shared.tracing import FASTAPI_TELEMETRY
from shared.version import VERSION
from shared.workers import Workers

CALLS_PER_SLICE = 20
"""Calls to a model server for one slice at most, when halving has to find a text on which it fails."""


def timing_of(name: ScorerName, settings: Settings) -> Timing:
    """The consumer's timing. With a model server, a slice on which it fails may take many calls without a stall."""
    calls = CALLS_PER_SLICE if name == "http" else 0
    return Timing(stall=Timing().stall + calls * settings.scorer_timeout)


def create_app(
    settings: Settings,
    *,
    scorer: Scorer | None = None,
    shadow: Scorer | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The application. Tests pass a `scorer`, a `shadow` scorer and a `transport` to ingest."""
    scorer = scorer or scorer_of(settings.scorer, settings)
    pool = pool_of(scorer, settings.scorer, settings, settings.threads)
    http = ingest_client(settings.ingest_url, settings.internal_token, transport=transport)
    default_taxonomy = read_default()
    taxonomies = TaxonomyCache(Ingest(http), default_taxonomy, settings.taxonomy_cache_seconds)
    producer = Producer(settings.brokers)
    scoring = ScoringHandler(pool, producer, taxonomies)
    replays = Replays(http, SENTIMENT_GROUP)
    consumer = Consumer(
        bootstrap=settings.brokers,
        group=SENTIMENT_GROUP,
        topics=[EVENTS],
        handler=scoring,
        max_batch=settings.max_batch,
        replay=replays.request,
        instance=settings.kafka_instance,
        beat=lambda: scoring.progressed_at,
        timing=timing_of(settings.scorer, settings),
    )
    workers = Workers()
    parts: list[AbstractAsyncContextManager[object]] = [pool, http, producer]
    shadow_handler: ShadowHandler | None = None
    if settings.shadow:
        shadow = shadow or scorer_of(settings.shadow, settings)
        shadow_pool = pool_of(shadow, settings.shadow, settings, threads=1)
        shadow_producer = Producer(settings.brokers)
        parts += [shadow_pool, shadow_producer]
        shadow_handler = ShadowHandler(ScoringHandler(shadow_pool, shadow_producer, taxonomies), pool)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in (scorer, shadow):
                if isinstance(one, RemoteScorer):
                    stack.callback(one.close)
            for part in (*parts, workers):
                await stack.enter_async_context(part)
            app.state.default_themes = asyncio.create_task(pool.prepare(default_taxonomy))
            stack.callback(app.state.default_themes.cancel)
            workers.start("scoring", consumer.run)
            workers.start("replays", replays.run)
            workers.start("dead letters", partial(watch_dead_letters, settings.brokers, (EVENTS,)))
            if shadow_handler:
                workers.start("shadow", partial(restart_after_errors, shadow_consumer(settings, shadow_handler).run))
            yield

    async def missing() -> list[str]:
        """The missing condition of readiness: prepared default themes. Without Kafka `/v1/score` is served all the same."""
        return [] if app.state.default_themes.done() else ["themes"]

    app = FastAPI(
        title="Earshot sentiment", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None, telemetry=FASTAPI_TELEMETRY
    )
    app.add_middleware(RequestTelemetry)
    problems.install(app)
    add_health(
        app,
        alive=lambda: workers.dead,
        ready=missing,
        metrics=FAMILIES,
        degraded=lambda: [] if consumer.joined else ["kafka"],
    )
    openapi.install(app)
    app.state.internal_tokens, app.state.bodies = settings.accepted_tokens, scores.bodies()
    app.state.sentiment = scores.build(settings, pool, taxonomies)
    add_routes(app, scores.routes)
    return app


def shadow_consumer(settings: Settings, handler: ShadowHandler) -> Consumer:
    """The consumer of the shadow. It requests no replay for lost offsets: the operator decides about that."""
    return Consumer(
        bootstrap=settings.brokers,
        group=GROUP,
        topics=[EVENTS],
        handler=handler,
        max_batch=min(BATCH, settings.max_batch),
        instance=settings.kafka_instance,
        beat=lambda: handler.scoring.progressed_at,
        timing=timing_of(settings.shadow or settings.scorer, settings),
    )

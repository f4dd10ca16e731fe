"""Build the sentiment application from its parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import httpx
from fastapi import FastAPI

from services.sentiment.api import scores
from services.sentiment.clients import Ingest
from services.sentiment.consumer import ScoringHandler
from services.sentiment.domain.scorer import Scorer
from services.sentiment.instruments import FAMILIES
from services.sentiment.pool import Pool
from services.sentiment.remote import RemoteScorer
from services.sentiment.scorers import pool_of, scorer_of
from services.sentiment.settings import ScorerName, Settings
from services.sentiment.shadow import BATCH, GROUP, ShadowHandler, restart_after_errors
from services.sentiment.taxonomy_cache import TaxonomyCache, read_default
from shared import openapi
from shared.http import add_health, new_app
from shared.ingest import Replays, ingest_client
from shared.kafka import Consumer, Producer, Timing, watch_dead_letters
from shared.request_telemetry import RequestTelemetry
from shared.routes import add_routes
from shared.topics import EVENTS, SENTIMENT_GROUP
from shared.workers import Run, Workers

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
    replays = Replays(http, SENTIMENT_GROUP)
    consumer = scoring_consumer(settings, ScoringHandler(pool, producer, taxonomies), replays)
    workers = Workers()
    if settings.shadow:
        shadow = shadow or scorer_of(settings.shadow, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if isinstance(scorer, RemoteScorer):
                stack.callback(scorer.close)
            for part in (pool, http, producer):
                await stack.enter_async_context(part)
            runs: dict[str, Run] = {
                "scoring": consumer.run,
                "replays": replays.run,
                "dead letters": partial(watch_dead_letters, settings.brokers, (EVENTS,)),
            }
            if settings.shadow and shadow:
                runs["shadow"] = await open_shadow(stack, settings, settings.shadow, shadow, taxonomies, pool)
            await stack.enter_async_context(workers)
            app.state.default_themes = asyncio.create_task(pool.prepare(default_taxonomy))
            stack.callback(app.state.default_themes.cancel)
            for name, run in runs.items():
                workers.start(name, run)
            yield

    app = new_app("Earshot sentiment", lifespan)
    app.add_middleware(RequestTelemetry)
    add_health(
        app,
        alive=lambda: workers.dead,
        ready=lambda: missing(app),
        metrics=FAMILIES,
        degraded=lambda: [] if consumer.joined else ["kafka"],
    )
    openapi.install(app)
    app.state.internal_tokens, app.state.bodies = settings.accepted_tokens, scores.bodies()
    app.state.sentiment = scores.build(settings, pool, taxonomies)
    add_routes(app, scores.routes)
    return app


async def missing(app: FastAPI) -> list[str]:
    """The missing condition of readiness: prepared default themes. Without Kafka `/v1/score` is served all the same."""
    return [] if app.state.default_themes.done() else ["themes"]


def scoring_consumer(settings: Settings, scoring: ScoringHandler, replays: Replays) -> Consumer:
    """The consumer whose scores count. It requests a replay for lost offsets."""
    return Consumer(
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


async def open_shadow(
    stack: AsyncExitStack, settings: Settings, name: ScorerName, scorer: Scorer, taxonomies: TaxonomyCache, live: Pool
) -> Run:
    """Open what scores by the shadow model `name`, which waits for the pool `live`. Returns its worker."""
    if isinstance(scorer, RemoteScorer):
        stack.callback(scorer.close)
    pool = await stack.enter_async_context(pool_of(scorer, name, settings, threads=1))
    producer = await stack.enter_async_context(Producer(settings.brokers))
    handler = ShadowHandler(ScoringHandler(pool, producer, taxonomies), live)
    return partial(restart_after_errors, shadow_consumer(settings, handler).run)


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

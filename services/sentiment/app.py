"""Sentiment, put together: the only place where its parts are built."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

import httpx
from fastapi import FastAPI

from services.sentiment import api
from services.sentiment.clients import Ingest
from services.sentiment.consumer import Scoring
from services.sentiment.domain.scorer import Scorer
from services.sentiment.remote import RemoteScorer
from services.sentiment.scorers import pool_of, scorer_of
from services.sentiment.settings import ScorerName, Settings
from services.sentiment.shadow import BATCH, GROUP, Shadowing, begun_anew
from services.sentiment.taxonomy_cache import TaxonomyCache, read_default
from shared import openapi, problems
from shared.http import RequestId, add_health
from shared.ingest import ingest_client, request_replay
from shared.kafka import Consumer, Producer, Timing
from shared.topics import EVENTS, SENTIMENT_GROUP
from shared.workers import Workers

CALLS = 20
"""Calls to a model server for one slice, when halving has to find a text."""


def timing_of(name: ScorerName, settings: Settings) -> Timing:
    """The loop's timing; its watchdog waits for the calls that a slice of texts may take when the server fails on one of them."""
    calls = CALLS if name == "http" else 0
    return Timing(stall=Timing().stall + calls * settings.scorer_timeout)


def create_app(
    settings: Settings,
    *,
    scorer: Scorer | None = None,
    shadow: Scorer | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The application; `scorer`, `shadow` and `transport` (to ingest) are for tests that play these themselves."""
    scorer = scorer or scorer_of(settings.scorer, settings)
    pool = pool_of(scorer, settings.scorer, settings, settings.threads)
    http = ingest_client(settings.ingest_url, settings.internal_token, transport=transport)
    default_taxonomy = read_default()
    taxonomies = TaxonomyCache(Ingest(http), default_taxonomy, settings.taxonomy_cache_seconds)
    producer = Producer(settings.kafka_bootstrap_servers)
    scoring = Scoring(pool, producer, taxonomies)
    consumer = Consumer(
        bootstrap=settings.kafka_bootstrap_servers,
        group=SENTIMENT_GROUP,
        topics=[EVENTS],
        handler=scoring,
        max_batch=settings.max_batch,
        replay=partial(request_replay, http),
        instance=settings.kafka_instance,
        beat=lambda: scoring.moved_at,
        timing=timing_of(settings.scorer, settings),
    )
    workers = Workers()
    parts: list[AbstractAsyncContextManager[object]] = [pool, http, producer]
    shadowing: Shadowing | None = None
    if settings.shadow:
        shadow = shadow or scorer_of(settings.shadow, settings)
        beside, sender = pool_of(shadow, settings.shadow, settings, threads=1), Producer(settings.kafka_bootstrap_servers)
        parts += [beside, sender]
        shadowing = Shadowing(Scoring(beside, sender, taxonomies), pool)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for closed in (scorer, shadow):
                if isinstance(closed, RemoteScorer):
                    stack.callback(closed.close)
            for part in (*parts, workers):
                await stack.enter_async_context(part)
            app.state.shipped_themes = asyncio.create_task(pool.prepare(default_taxonomy))
            stack.callback(app.state.shipped_themes.cancel)
            workers.start("scoring", consumer.run)
            if shadowing:
                workers.start("shadow", partial(begun_anew, shadow_consumer(settings, shadowing).run))
            yield

    async def missing() -> list[str]:
        """What keeps sentiment from serving at once: its place in the group, or the themes that most tenants have."""
        waits = {"kafka": not consumer.joined, "themes": not app.state.shipped_themes.done()}
        return [name for name, waiting in waits.items() if waiting]

    app = FastAPI(title="Earshot sentiment", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(RequestId)
    problems.install(app)
    add_health(app, alive=lambda: workers.dead, ready=missing)
    openapi.install(app)
    app.state.internal_token, app.state.bodies = settings.internal_token, api.bodies()
    app.state.scoring = api.scoring_state(settings, pool, taxonomies)
    app.include_router(api.routes)
    return app


def shadow_consumer(settings: Settings, handler: Shadowing) -> Consumer:
    """The consumer of the shadow. What its group lost it doesn't ask for: a replay for its sake is the operator's to start."""
    return Consumer(
        bootstrap=settings.kafka_bootstrap_servers,
        group=GROUP,
        topics=[EVENTS],
        handler=handler,
        max_batch=min(BATCH, settings.max_batch),
        instance=settings.kafka_instance,
        beat=lambda: handler.scoring.moved_at,
        timing=timing_of(settings.shadow or settings.scorer, settings),
    )

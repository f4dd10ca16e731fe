"""Sentiment, put together: the only place where its parts are built."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI

from services.sentiment import api
from services.sentiment.clients import Ingest, client_of
from services.sentiment.consumer import Scoring
from services.sentiment.domain.linear import LinearScorer
from services.sentiment.domain.scorer import Scorer
from services.sentiment.domain.slicing import TEXTS
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.pool import Pool
from services.sentiment.remote import RemoteScorer, remote_of
from services.sentiment.settings import Settings
from services.sentiment.weights import read_linear
from shared import problems
from shared.http import RequestId, add_health
from shared.kafka import Consumer, Producer, Timing
from shared.settings import trimmed
from shared.topics import EVENTS
from shared.workers import Workers

SCORERS: Mapping[str, Callable[[], Scorer]] = {"vader": VaderScorer, "linear": lambda: LinearScorer(read_linear())}
"""The models that come with Earshot, as SENTIMENT_SCORER names them."""
CALLS = 20
"""Calls to a model server for one slice, when halving has to find a text."""


def scorer_of(settings: Settings) -> Scorer:
    return remote_of(settings) if settings.scorer == "http" else SCORERS[settings.scorer]()


def timing_of(settings: Settings) -> Timing:
    """The loop's timing; its watchdog waits for the calls that a slice of texts may take when the server fails on one of them."""
    calls = CALLS if settings.scorer == "http" else 0
    return Timing(stall=Timing().stall + calls * settings.scorer_timeout)


def create_app(settings: Settings, *, scorer: Scorer | None = None, transport: httpx.AsyncBaseTransport | None = None) -> FastAPI:
    """The application; `scorer` and `transport` (to ingest) are for tests that play these themselves."""
    scorer = scorer or scorer_of(settings)
    pool = Pool(scorer, settings.threads, settings.scorer_batch if settings.scorer == "http" else TEXTS)
    http = client_of(trimmed(settings.ingest_url), settings.internal_token, transport)
    producer = Producer(settings.kafka_bootstrap_servers)
    scoring = Scoring(pool, producer)
    consumer = Consumer(
        bootstrap=settings.kafka_bootstrap_servers,
        group="sentiment",
        topics=[EVENTS],
        handler=scoring,
        max_batch=settings.max_batch,
        replay=Ingest(http).replay,
        instance=settings.kafka_instance,
        beat=lambda: scoring.moved_at,
        timing=timing_of(settings),
    )
    workers = Workers()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if isinstance(scorer, RemoteScorer):
                stack.callback(scorer.close)
            for part in (pool, http, producer, workers):
                await stack.enter_async_context(part)
            workers.start("scoring", consumer.run)
            yield

    async def missing() -> list[str]:
        return [] if consumer.joined else ["kafka"]

    app = FastAPI(title="Earshot sentiment", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(RequestId)
    problems.install(app)
    add_health(app, alive=lambda: workers.dead, ready=missing)
    app.include_router(api.routes(settings, pool))
    return app

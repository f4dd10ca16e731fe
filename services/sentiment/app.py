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
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.pool import Pool
from services.sentiment.settings import Settings
from services.sentiment.weights import read_linear
from shared import problems
from shared.http import RequestId, add_health
from shared.kafka import Consumer, Producer
from shared.settings import trimmed
from shared.topics import EVENTS
from shared.workers import Workers

SCORERS: Mapping[str, Callable[[], Scorer]] = {"vader": VaderScorer, "linear": lambda: LinearScorer(read_linear())}
"""What SENTIMENT_SCORER may name."""


def create_app(settings: Settings, *, scorer: Scorer | None = None, transport: httpx.AsyncBaseTransport | None = None) -> FastAPI:
    """The application; `scorer` and `transport` (to ingest) are for tests that play these themselves."""
    pool = Pool(scorer or SCORERS[settings.scorer](), settings.threads)
    http = client_of(trimmed(settings.ingest_url), settings.internal_token, transport)
    producer = Producer(settings.kafka_bootstrap_servers)
    consumer = Consumer(
        bootstrap=settings.kafka_bootstrap_servers,
        group="sentiment",
        topics=[EVENTS],
        handler=Scoring(pool, producer),
        max_batch=settings.max_batch,
        replay=Ingest(http).replay,
        instance=settings.kafka_instance,
    )
    workers = Workers()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
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

"""Sentiment, put together: the only place where its parts are built."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

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
from services.sentiment.shadow import BATCH, GROUP, Shadowing, begun_anew
from services.sentiment.weights import read_linear
from shared import problems
from shared.http import RequestId, add_health
from shared.kafka import Consumer, Producer
from shared.settings import trimmed
from shared.topics import EVENTS
from shared.workers import Workers

SCORERS: Mapping[str, Callable[[], Scorer]] = {"vader": VaderScorer, "linear": lambda: LinearScorer(read_linear())}
"""What SENTIMENT_SCORER may name."""


def create_app(
    settings: Settings,
    *,
    scorer: Scorer | None = None,
    shadow: Scorer | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The application; `scorer`, `shadow` and `transport` (to ingest) are for tests that play these themselves."""
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
    parts: list[AbstractAsyncContextManager[object]] = [pool, http, producer]
    shadowing: Shadowing | None = None
    if settings.shadow:
        beside, sender = Pool(shadow or SCORERS[settings.shadow](), threads=1), Producer(settings.kafka_bootstrap_servers)
        parts += [beside, sender]
        shadowing = Shadowing(Scoring(beside, sender), pool)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in (*parts, workers):
                await stack.enter_async_context(part)
            workers.start("scoring", consumer.run)
            if shadowing:
                workers.start("shadow", partial(begun_anew, shadow_consumer(settings, shadowing).run))
            yield

    async def missing() -> list[str]:
        return [] if consumer.joined else ["kafka"]

    app = FastAPI(title="Earshot sentiment", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(RequestId)
    problems.install(app)
    add_health(app, alive=lambda: workers.dead, ready=missing)
    app.include_router(api.routes(settings, pool))
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
    )

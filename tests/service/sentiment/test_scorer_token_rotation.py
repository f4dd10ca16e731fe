"""A rotation of SENTIMENT_SCORER_TOKEN while clients score: replicas are replaced as a rollout does."""

import asyncio
from collections import Counter
from typing import Any

import httpx
from fastapi import FastAPI

from services.sentiment.app import create_app
from services.sentiment.settings import Settings
from tests.contract.inbox import until
from tests.replicas import Balancer, replace, stop_all
from tests.service.sentiment.model_server import ModelServer
from tests.service.sentiment.test_remote import settings_for
from tests.service.sentiment.test_score import NOWHERE, TOKEN

FORMER, NEXT = "the-former-token", "the-next-token"


def sentiment(server: ModelServer, token: str) -> FastAPI:
    """Sentiment with the model server as its scorer."""
    own = settings_for(server, scorer_token=token)
    return create_app(Settings(internal_token=TOKEN, kafka_bootstrap_servers=NOWHERE, **own))


async def score(balancer: Balancer) -> int:
    """Score a comment on a new connection; returns the status."""
    body: dict[str, Any] = {"comments": [{"text": "I love it"}]}
    async with httpx.AsyncClient(timeout=15, headers={"authorization": f"Bearer {TOKEN}"}) as http:
        return (await http.post(f"{balancer.url}/v1/score", json=body)).status_code


async def test_no_request_fails_while_the_token_of_the_model_server_is_rotated() -> None:
    statuses: Counter[int] = Counter()
    balancers = {"sentiment": Balancer()}

    async def load() -> None:
        while True:
            statuses[await score(balancers["sentiment"])] += 1

    async def more_responses() -> None:
        enough = statuses.total() + 10

        async def enough_responses() -> bool:
            return statuses.total() >= enough

        await until(enough_responses)

    with ModelServer(tokens={FORMER}).running() as server:
        async with balancers["sentiment"].listening():
            await replace(balancers, {"sentiment": sentiment(server, FORMER)})
            client = asyncio.create_task(load())
            await more_responses()
            server.tokens = {FORMER, NEXT}
            await replace(balancers, {"sentiment": sentiment(server, NEXT)}, more_responses)
            server.tokens = {NEXT}
            await more_responses()
            client.cancel()
            assert statuses.keys() == {200}
            server.tokens = {"the-token-after-that"}
            assert await score(balancers["sentiment"]) == 503, "a refused token must not pass for a score"
            await stop_all(balancers)

"""One tenant's calls to `POST /v1/score` do not keep another tenant from an answer, and abandoned calls are not worked on."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from fastapi import FastAPI

from services.sentiment.api import scores
from services.sentiment.app import create_app
from services.sentiment.domain.scorer import Model, Opinion
from services.sentiment.settings import Settings
from shared.http import TENANT_HEADER, TIMEOUT_HEADER
from tests.asgi_call import SOON, AsgiCall
from tests.service.sentiment.test_score import NOWHERE, TOKEN

WAITING = 3
LONG = {"comments": [{"text": "a" * 4_000}] * 30}
SHORT = {"comments": [{"text": "b"}]}


class Gated:
    """A model that scores one slice for each permit."""

    model = Model("gated", "1")

    def __init__(self) -> None:
        self.permits = threading.Semaphore(0)
        self.begun: list[str] = []
        """The first character of each slice that a thread began."""

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        self.begun.append(texts[0][0])
        assert self.permits.acquire(timeout=SOON)
        return [Opinion("positive", 1.0, 1.0) for _ in texts]


class Call(AsgiCall):
    """A call of a tenant, with the time-out that the gateway states."""

    made: ClassVar[list["Call"]] = []

    def __init__(self, app: FastAPI, tenant: str, body: Any, timeout: str = "30") -> None:
        headers = {"authorization": f"Bearer {TOKEN}", TENANT_HEADER: tenant, TIMEOUT_HEADER: timeout}
        super().__init__(app, "POST", "/v1/score", headers, json.dumps(body).encode())
        self.made.append(self)


@asynccontextmanager
async def running(scorer: Gated) -> AsyncIterator[FastAPI]:
    """Sentiment with this model; whatever calls are open at the end are given up."""
    settings = Settings(internal_token=TOKEN, kafka_bootstrap_servers=NOWHERE, max_waiting=WAITING)
    app = create_app(settings, scorer=scorer)
    async with app.router.lifespan_context(app):
        try:
            yield app
        finally:
            scorer.permits.release(1000)
            for call in Call.made:
                call.leave()
            await asyncio.gather(*[call.task for call in Call.made], return_exceptions=True)
            Call.made.clear()


async def until(condition: Any) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def flooded(app: FastAPI, scorer: Gated, calls: int = 33) -> list[Call]:
    """Long calls of one tenant, of which all that exceed its line have been refused."""
    made = [Call(app, "flood", LONG) for _ in range(calls)]
    await until(lambda: scorer.begun and sum(call.status == 503 for call in made) == calls - WAITING - scores.PER_TENANT)
    return made


async def test_calls_beyond_a_tenants_queue_get_503_with_retry_after_at_once() -> None:
    scorer = Gated()
    async with running(scorer) as app:
        refused = [call for call in await flooded(app, scorer) if call.status == 503]
        assert len(refused) == 33 - WAITING - scores.PER_TENANT
        assert all(int(call.headers[b"retry-after"]) > 0 for call in refused)


async def test_a_flood_delays_another_tenants_call_by_few_slices() -> None:
    scorer = Gated()
    async with running(scorer) as app:
        await flooded(app, scorer)
        call = Call(app, "quiet", SHORT)
        while not call.task.done():
            scorer.permits.release()
            await asyncio.sleep(0.02)
        assert call.status == 200
        assert scorer.begun.index("b") <= 1 + scores.PER_TENANT


async def test_the_texts_of_a_disconnected_client_are_not_scored() -> None:
    scorer = Gated()
    async with running(scorer) as app:
        calls = await flooded(app, scorer)
        for call in calls:
            call.leave()
        for call in calls:
            await call.answer()
        assert {call.status for call in calls} <= {0, 499, 503}
        begun = len(scorer.begun)
        quiet = Call(app, "quiet", SHORT)
        scorer.permits.release(10)
        assert await quiet.answer() == 200
        assert scorer.begun[begun:] == ["b"]


async def test_the_turn_of_a_disconnected_client_goes_to_the_next_call_of_its_tenant() -> None:
    scorer = Gated()
    async with running(scorer) as app:
        left = [Call(app, "acme", LONG) for _ in range(scores.PER_TENANT)]
        await until(lambda: scorer.begun)
        next_call = Call(app, "acme", SHORT)
        for call in left:
            call.leave()
            await call.answer()
        scorer.permits.release(10)
        assert await next_call.answer() == 200


async def test_a_call_that_would_be_late_gets_503_and_is_not_scored() -> None:
    scorer = Gated()
    async with running(scorer) as app:
        first = [Call(app, "acme", LONG) for _ in range(scores.PER_TENANT)]
        await until(lambda: scorer.begun)
        late = Call(app, "acme", SHORT, timeout=str(scores.MARGIN_SECONDS + 0.1))
        assert await late.answer() == 503
        assert b"retry-after" in late.headers
        scorer.permits.release(1000)
        for call in first:
            assert await call.answer() == 200
        assert "b" not in scorer.begun


async def test_a_call_without_time_is_not_started() -> None:
    scorer = Gated()
    async with running(scorer) as app:
        assert await Call(app, "acme", SHORT, timeout="0.5").answer() == 503
    assert scorer.begun == []


async def test_a_call_that_takes_too_long_is_cancelled() -> None:
    scorer = Gated()
    async with running(scorer) as app:
        slow = Call(app, "acme", LONG, timeout=str(scores.MARGIN_SECONDS + 0.2))
        assert await slow.answer() == 503
        assert b"send fewer or shorter texts" in slow.body
        begun = len(scorer.begun)
        scorer.permits.release(100)
        other = Call(app, "acme", SHORT)
        assert await other.answer() == 200
        assert scorer.begun[begun:] == ["b"]


@pytest.mark.parametrize("header", ["", "soon", "nan", "inf", "-1", "1e9"])
async def test_an_invalid_time_out_counts_as_missing(header: str) -> None:
    assert scores.parse_seconds(header) == scores.MAX_SECONDS - scores.MARGIN_SECONDS


async def test_the_characters_of_a_call_are_limited() -> None:
    scorer = Gated()
    scorer.permits.release(1000)
    async with running(scorer) as app:
        call = Call(app, "acme", {"comments": [{"text": "a" * 20_000}] * 11})
        assert await call.answer() == 422
        [fault] = json.loads(call.body)["invalid_params"]
        assert fault == {
            "name": "comments",
            "reason": "the texts have 220000 characters; at most 200000 are allowed in one call",
        }
        assert scorer.begun == []
        assert await Call(app, "acme", {"comments": [{"text": "a" * 20_000}] * 10}).answer() == 200

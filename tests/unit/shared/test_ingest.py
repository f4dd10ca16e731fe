"""Requests for a replay."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client import Counter
from pydantic import AnyHttpUrl, SecretStr

from shared.ingest import Replays, ingest_client
from shared.instruments import REPLAYS_DONE, REPLAYS_REFUSED, registry_of
from shared.kafka import Retry

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def replay_request(answer: int | Exception, since: datetime | None = NOON) -> httpx.Request:
    """The request that ingest receives, when it responds with the status `answer` or the connection fails with it."""
    requests: list[httpx.Request] = []

    def ingest(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    transport = httpx.MockTransport(ingest)
    async with ingest_client(AnyHttpUrl("http://ingest/"), SecretStr("the token"), transport=transport) as http:
        await Replays(http, "group").request(since)
    return requests[0]


async def test_a_replay_is_requested_with_the_internal_token() -> None:
    request = await replay_request(202)
    assert (request.method, str(request.url)) == ("POST", "http://ingest/internal/replay")
    assert request.headers["authorization"] == "Bearer the token"
    assert request.content == b'{"since":"2026-11-20T12:00:00+00:00"}'
    assert (await replay_request(200, None)).content == b'{"since":null}'


async def test_a_repeated_request_has_the_same_id_until_it_is_accepted() -> None:
    answers: Iterator[int | Exception] = iter([503, httpx.ReadTimeout("slow"), 202, 202, 503, 202])
    ids: list[str] = []

    def ingest(request: httpx.Request) -> httpx.Response:
        ids.append(request.headers["idempotency-key"])
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    refused = count(REPLAYS_REFUSED)
    async with ingest_client(AnyHttpUrl("http://ingest/"), SecretStr("t"), transport=httpx.MockTransport(ingest)) as http:
        replays = Replays(http, "group")
        for since in (NOON, NOON, NOON, NOON, None):
            with suppress(Retry):
                await replays.request(since)
        await replays.request(NOON)
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids)) == 4, "an accepted request, and one of another time, is not repeated"
    assert all(id_.startswith("group:") for id_ in ids)
    assert count(REPLAYS_REFUSED) == refused + 3


async def test_a_replay_is_counted_when_ingest_has_done_it() -> None:
    answers = iter([httpx.ConnectError("refused"), 503, "running", "done", 404])
    paths: list[str] = []

    def ingest(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202)
        paths.append(request.url.path)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, json={"state": answer})

    done = count(REPLAYS_DONE)
    async with ingest_client(AnyHttpUrl("http://ingest/"), SecretStr("t"), transport=httpx.MockTransport(ingest)) as http:
        replays = Replays(http, "group")
        await replays.request(NOON)
        for expected in (0, 0, 0, 1, 1):
            await replays.look()
            assert count(REPLAYS_DONE) == done + expected
        assert len(paths) == 4
        await replays.request(None)
        for _ in range(2):
            await replays.look()
    assert len(paths) == 5, "a former version of ingest, which has no such route, is not asked again"
    assert paths[0].startswith("/internal/replay/group:")


async def test_the_replay_that_ingest_names_is_waited_for() -> None:
    paths: list[str] = []

    def ingest(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(202, json={"id": "another"} if request.method == "POST" else {"state": "running"})

    async with ingest_client(AnyHttpUrl("http://ingest/"), SecretStr("t"), transport=httpx.MockTransport(ingest)) as http:
        replays = Replays(http, "group")
        await replays.request(NOON)
        await replays.look()
    assert paths[1:] == ["/internal/replay/another"]


def count(counter: Counter) -> float:
    [family] = counter.describe()
    name = f"{family.name}_total"
    return registry_of([counter]).get_sample_value(name, {"group": "group"}) or 0.0


@pytest.mark.parametrize("answer", [503, 401, 302, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
async def test_a_replay_that_ingest_does_not_accept_is_retried(answer: int | Exception) -> None:
    with pytest.raises(Retry):
        await replay_request(answer)

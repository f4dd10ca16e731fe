"""Requests for a replay."""

from datetime import UTC, datetime

import httpx
import pytest
from pydantic import AnyHttpUrl, SecretStr

from shared.ingest import ingest_client, request_replay
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
        await request_replay(http, since)
    return requests[0]


async def test_a_replay_is_requested_with_the_internal_token() -> None:
    request = await replay_request(202)
    assert (request.method, str(request.url)) == ("POST", "http://ingest/internal/replay")
    assert request.headers["authorization"] == "Bearer the token"
    assert request.content == b'{"since":"2026-11-20T12:00:00+00:00"}'
    assert (await replay_request(200, None)).content == b'{"since":null}'


@pytest.mark.parametrize("answer", [503, 401, 302, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
async def test_a_replay_that_ingest_does_not_accept_is_retried(answer: int | Exception) -> None:
    with pytest.raises(Retry):
        await replay_request(answer)

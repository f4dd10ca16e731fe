"""The history and the trickle are posted again after an outage, without duplicates; a refusal raises StartFailed."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from deploy.local.demo.history import history
from deploy.local.demo.load import CHUNK, check_accepted, chunks, post_chunk
from deploy.local.demo.tenant import DemoTenant
from deploy.local.demo.trickle import Delivery, deliver
from deploy.local.processes import StartFailed
from services.ingest.domain.providers import PROVIDERS, Headers, Request

Answers = tuple[httpx.Response | Exception, ...]
UNTIL = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
SECRET = PROVIDERS["standard"].new_secret(bytes(32))
TENANT = DemoTenant(
    "http://gateway",
    "esk_reader",
    "esk_admin",
    ({"id": "con_1", "provider": "standard", "hook_url": "http://ingest/v1/hooks/con_1", "secret": SECRET},),
)


def hook_request(request: httpx.Request) -> Request:
    return Request(request.method, str(request.url), Headers(request.headers), request.content)


class FakeServer:
    """Returns or raises `answers` in order, and records the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


def results(*statuses: str) -> httpx.Response:
    return httpx.Response(200, json={"results": [{"index": i, "status": s} for i, s in enumerate(statuses)]})


def test_chunks_are_the_same_each_time_and_complete() -> None:
    subjects = history(UNTIL)
    cut = list(chunks(subjects))
    assert cut == list(chunks(history(UNTIL)))
    assert sorted(record["id"] for _, _, chunk in cut for record in chunk) == sorted(record["id"] for _, record in subjects)
    assert all(len(chunk) <= CHUNK and len(json.dumps(chunk)) < 8 * 1024**2 for _, _, chunk in cut)
    assert len({(provider, start) for provider, start, _ in cut}) == len(cut)


async def test_a_chunk_is_posted_again_with_its_key_until_it_is_accepted() -> None:
    server = FakeServer(httpx.Response(503), httpx.ConnectError("away"), results("accepted", "duplicate"))
    async with server.client() as http:
        await post_chunk(TENANT, http, "standard", "demo-history-standard-0", [{"id": "r1"}, {"id": "r2"}])
    assert len(server.requests) == 3
    assert {request.headers["idempotency-key"] for request in server.requests} == {"demo-history-standard-0"}
    assert {request.url.params["connection"] for request in server.requests} == {"con_1"}
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer esk_admin"}


async def test_a_refused_chunk_raises_start_failed() -> None:
    server = FakeServer(httpx.Response(403, json={"title": "Forbidden"}))
    async with server.client() as http:
        with pytest.raises(StartFailed, match=r"403.*Forbidden"):
            await post_chunk(TENANT, http, "standard", "k", [{"id": "r1"}])
    assert len(server.requests) == 1


def test_a_rejected_record_raises_start_failed() -> None:
    with pytest.raises(StartFailed, match="off its scale"):
        check_accepted([{"status": "accepted"}, {"status": "rejected", "problem": {"detail": "off its scale"}}])


@pytest.mark.parametrize(
    ("answers", "accepted"),
    [
        ((httpx.Response(202),), True),
        ((httpx.Response(503), httpx.ReadError("cut"), httpx.Response(202)), True),
        ((httpx.Response(401),), False),
    ],
)
async def test_a_delivery_is_retried_only_after_an_outage(answers: Answers, accepted: bool) -> None:
    server = FakeServer(*answers)
    async with server.client() as http:
        assert await deliver(Delivery(UNTIL, "d-1", "standard", {"data": {}}), TENANT, http) is accepted
    assert not server.answers
    for request in server.requests:
        assert request.headers["webhook-id"] == "d-1"
        PROVIDERS["standard"].verify(hook_request(request), [SECRET], datetime.now(UTC))

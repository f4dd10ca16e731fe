"""Hooks are served before FastAPI and answer as its routes do: request ids, problem documents, faults of ours, slow work."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.conftest import NewDatabase
from tests.service.ingest.client import IngestClient, running_ingest
from tests.signing import standard
from tests.unit.ingest.making import nps, response

ID = {"x-request-id": "order-4711"}
BODY = b'{"data": {"type": "response", "id": "r-1", "at": "2026-11-20T10:00:00Z", "answers": []}}'


async def test_every_answer_of_a_hook_has_the_request_id_once(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    hook = f"/v1/hooks/{connection['id']}"
    signed = standard(connection["secret"], BODY) | ID
    answers = [
        await ingest.http.post(hook, content=BODY, headers=signed),
        await ingest.http.post(hook, content=BODY, headers=ID),
        await ingest.http.get(hook, headers=ID),
        await ingest.http.put(hook, headers=ID),
        await ingest.http.post("/v1/hooks/con_never", content=BODY, headers=ID),
    ]
    assert [answer.status_code for answer in answers] == [202, 401, 200, 405, 404]
    assert [answer.headers.get_list("x-request-id") for answer in answers] == [["order-4711"]] * 5
    assert answers[3].headers["allow"] == "POST, GET, HEAD, OPTIONS"


async def test_a_fault_of_ours_is_503_and_logged_with_the_request_id(
    ingest: IngestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise ZeroDivisionError("hush")

    connection = await ingest.connect()
    monkeypatch.setattr("services.ingest.api.hooks.receive_all", fail)
    with capture_logs() as logged:
        answer = await ingest.http.post(
            f"/v1/hooks/{connection['id']}", content=BODY, headers=standard(connection["secret"], BODY) | ID
        )
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["connection"]) == (503, "5", "close")
    assert answer.headers.get_list("x-request-id") == ["order-4711"]
    assert "hush" not in answer.text
    assert [line["error"] for line in logged if line["event"] == "request.failed"] == ["ZeroDivisionError"]


async def test_a_delivery_that_is_not_stored_in_time_is_503_and_its_retry_is_accepted(database: NewDatabase) -> None:
    async with running_ingest(await database("ingest"), hook_deadline=0.3) as ingest:
        await ingest.call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "UTC"})
        connection = await ingest.connect()
        async with ingest.app.state.reads.acquire() as db, db.transaction():
            await db.execute("LOCK inbox")
            answer = await ingest.deliver(connection, BODY, delivery="msg_1")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json()["detail"] == "no answer within 0.3 s"
        ingest.app.state.ingest.hook_deadlines.seconds = 60.0  # the retry is answered in time on a slow machine too
        status = await ingest.deliver_record(connection, response(nps(9), id="r-1"), delivery="msg_1")
        assert status in {"accepted", "duplicate"}
        async with asyncio.timeout(10):
            while len(await ingest.events()) != 1:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_the_direct_answer_is_that_of_the_application(ingest: IngestClient) -> None:
    """Both to the same requests, each with an id of its own: accepted, a duplicate, unsigned, no JSON, an unknown connection."""
    connection = await ingest.connect()
    signed = standard(connection["secret"], BODY, delivery="msg_1") | ID
    broken = standard(connection["secret"], b"{", delivery="msg_2") | ID
    hook = f"/v1/hooks/{connection['id']}"
    statuses = []
    for path, headers, body in (
        (hook, signed, BODY),
        (hook, signed, BODY),
        (hook, ID, BODY),
        (hook, broken, b"{"),
        ("/v1/hooks/con_never", ID, BODY),
    ):
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        answer = await ingest.app.state.direct.answer(path, b"", raw, body)
        other = await ingest.http.post(path, content=body, headers=headers)
        statuses.append(answer.status)
        assert (answer.status, dict(answer.headers)[b"x-request-id"]) == (other.status_code, b"order-4711")
        assert dict(answer.headers).keys() == {name.lower() for name, _ in other.headers.raw}
        if answer.status != 202:  # else the second of the two is a duplicate
            assert answer.body == other.content
    assert statuses == [202, 202, 401, 202, 404]

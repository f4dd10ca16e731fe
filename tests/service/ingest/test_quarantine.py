"""Deliveries that could not be read: listed with the reason, retried under a corrected mapping, by their own tenant only."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.service.ingest.client import IngestClient
from tests.unit.ingest.making import nps, response


def submission(value: Any) -> bytes:
    answer = {"type": "number", "number": value, "field": {"id": "x", "ref": "score", "type": "opinion_scale"}}
    form = {"form_id": "f", "token": "t", "submitted_at": "2026-11-20T10:00:00Z", "answers": [answer]}
    return json.dumps({"event_id": f"e-{value}", "event_type": "form_response", "form_response": form}).encode()


def mapping(highest: int) -> dict[str, Any]:
    return {"questions": {"score": {"kind": "csat", "scale": [1, highest]}}}


async def items(ingest: IngestClient, **query: str) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = (await ingest.call("GET", "/v1/quarantine", params=query)).json()["items"]
    return page


async def test_a_retry_under_a_corrected_mapping_keeps_the_sequence_number_and_the_id(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform", mapping=mapping(5))
    assert (await ingest.deliver(connection, submission(7))).json() == {"status": "quarantined"}
    [item] = await items(ingest)
    assert item["reason"] == "answers.0.value: outside its scale 1..5"
    retry = f"/v1/quarantine/{item['id']}:retry"
    assert (await ingest.call("POST", retry)).json()["status"] == "quarantined"
    await ingest.call("PATCH", f"/v1/connections/{connection['id']}", json={"mapping": mapping(7)})
    assert (await ingest.call("POST", retry)).json()["status"] == "accepted"
    [event] = await ingest.events()
    assert (event.seq, event.statement, event.revision) == (int(item["id"]), "e-7#0", 2)
    assert await items(ingest) == []
    assert (await ingest.call("POST", retry)).status_code == 404
    assert (await ingest.deliver(connection, submission(7))).json() == {"status": "duplicate"}


async def test_a_delivery_is_returned_with_its_body(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await ingest.deliver(connection, b"{broken")
    [item] = await items(ingest)
    assert (await ingest.call("GET", f"/v1/quarantine/{item['id']}")).json()["body"] == "{broken"


async def test_a_time_in_the_future_is_accepted_once_it_has_come(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    now = datetime.now(UTC)
    assert await ingest.deliver_record(connection, response(nps(9), at=(now + timedelta(hours=1)).isoformat())) == "quarantined"
    [item] = await items(ingest)
    ingest.set_clock(now + timedelta(hours=2))
    assert (await ingest.call("POST", f"/v1/quarantine/{item['id']}:retry")).json()["status"] == "accepted"
    [event] = await ingest.events()
    assert event.received_at < now + timedelta(minutes=1), "the time of its first receipt"


async def test_a_quarantined_erasure_is_carried_out_when_it_is_retried(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await ingest.deliver_record(connection, response(nps(9), customer={"id": "anna"}))
    now = datetime.now(UTC)
    erasure = {"type": "erasure", "id": "e", "at": (now + timedelta(hours=1)).isoformat(), "customer": {"id": "anna"}}
    assert await ingest.deliver_record(connection, erasure) == "quarantined"
    [item] = await items(ingest)
    ingest.set_clock(now + timedelta(hours=2))
    assert (await ingest.call("POST", f"/v1/quarantine/{item['id']}:retry")).json()["status"] == "accepted"
    assert [type(event.body).__name__ for event in await ingest.events()] == ["Tombstone"]
    rows = await ingest.app.state.reads.fetch("SELECT raw FROM inbox WHERE connection = $1", connection["id"])
    assert {row["raw"] or b"" for row in rows} == {b""}


async def test_the_list_is_paged_the_newest_first(ingest: IngestClient) -> None:
    connection, other = await ingest.connect(), await ingest.connect()
    for number in range(103):
        await ingest.deliver(connection, b"{" + b" " * number)
    await ingest.deliver(other, b"{")
    first = (await ingest.call("GET", "/v1/quarantine")).json()
    second = (await ingest.call("GET", "/v1/quarantine", params={"cursor": first["cursor"]})).json()
    numbers = [int(item["id"]) for item in first["items"] + second["items"]]
    assert len(numbers) == 104
    assert numbers == sorted(numbers, reverse=True)
    assert second["cursor"] is None
    assert len(await items(ingest, connection=other["id"])) == 1
    assert (await ingest.call("GET", "/v1/quarantine", params={"page": "2"})).status_code == 400
    assert (await ingest.call("GET", "/v1/quarantine", params={"cursor": "x"})).status_code == 400


async def test_another_tenant_sees_and_retries_nothing(ingest: IngestClient) -> None:
    await ingest.deliver(await ingest.connect(), b"{")
    [item] = await items(ingest)
    stranger = {"x-earshot-tenant": "somebody-else"}
    assert (await ingest.call("GET", "/v1/quarantine", headers=stranger)).json()["items"] == []
    assert (await ingest.call("GET", f"/v1/quarantine/{item['id']}", headers=stranger)).status_code == 404
    assert (await ingest.call("POST", f"/v1/quarantine/{item['id']}:retry", headers=stranger)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/quarantine?connection=%00"),
        ("GET", "/v1/quarantine?colour=blue"),
        ("GET", "/v1/quarantine/1?colour=blue"),
        ("POST", "/v1/quarantine/1:retry?colour=blue"),
        ("POST", "/v1/replay?tenant=other"),
        ("GET", "/v1/connections?colour=blue"),
        ("POST", "/v1/connections?colour=blue"),
        ("GET", "/v1/connections/x?colour=blue"),
        ("PATCH", "/v1/connections/x?colour=blue"),
        ("DELETE", "/v1/connections/x?colour=blue"),
        ("POST", "/v1/connections/x:test?colour=blue"),
        ("POST", "/v1/feedback?connection=%00"),
        ("POST", "/v1/feedback:batch?colour=blue"),
        ("GET", "/internal/events?tenant=%00"),
    ],
)
async def test_a_parameter_that_is_unknown_or_holds_nul_is_400(ingest: IngestClient, method: str, path: str) -> None:
    answer = await ingest.call(method, path, content=b"{}" if method in {"POST", "PATCH"} else None)
    assert answer.status_code == 400
    [param] = answer.json()["invalid_params"]
    assert param["reason"].startswith(("holds NUL", "unknown parameter"))

"""What could not be understood: listed with its reason, tried again after the mapping is mended, by its own tenant only."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.service.ingest.door import Door
from tests.unit.ingest.making import nps, response


def submission(value: Any) -> bytes:
    answer = {"type": "number", "number": value, "field": {"id": "x", "ref": "score", "type": "opinion_scale"}}
    form = {"form_id": "f", "token": "t", "submitted_at": "2026-11-20T10:00:00Z", "answers": [answer]}
    return json.dumps({"event_id": f"e-{value}", "event_type": "form_response", "form_response": form}).encode()


def mapping(highest: int) -> dict[str, Any]:
    return {"questions": {"score": {"kind": "csat", "scale": [1, highest]}}}


async def items(door: Door, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await door.call("GET", "/v1/quarantine", params=query)).json()["items"]
    return found


async def test_a_mended_mapping_lets_a_delivery_in_under_its_own_number_and_id(door: Door) -> None:
    connection = await door.connect("typeform", mapping=mapping(5))
    assert (await door.deliver(connection, submission(7))).json() == {"status": "quarantined"}
    [item] = await items(door)
    assert item["reason"] == "answers.0.value: outside its scale 1..5"
    retry = f"/v1/quarantine/{item['id']}:retry"
    assert (await door.call("POST", retry)).json()["status"] == "quarantined"
    await door.call("PATCH", f"/v1/connections/{connection['id']}", json={"mapping": mapping(7)})
    assert (await door.call("POST", retry)).json()["status"] == "accepted"
    [event] = await door.events()
    assert (event.seq, event.statement, event.revision) == (int(item["id"]), "e-7#0", 2)
    assert await items(door) == []
    assert (await door.call("POST", retry)).status_code == 404
    assert (await door.deliver(connection, submission(7))).json() == {"status": "duplicate"}


async def test_a_delivery_is_shown_with_its_body(door: Door) -> None:
    connection = await door.connect()
    await door.deliver(connection, b"{broken")
    [item] = await items(door)
    assert (await door.call("GET", f"/v1/quarantine/{item['id']}")).json()["body"] == "{broken"


async def test_what_lay_ahead_is_taken_once_its_time_has_come(door: Door) -> None:
    connection = await door.connect()
    now = datetime.now(UTC)
    assert await door.say(connection, response(nps(9), at=(now + timedelta(hours=1)).isoformat())) == "quarantined"
    [item] = await items(door)
    door.at(now + timedelta(hours=2))
    assert (await door.call("POST", f"/v1/quarantine/{item['id']}:retry")).json()["status"] == "accepted"
    [event] = await door.events()
    assert event.received_at < now + timedelta(minutes=1), "it was received when it came"


async def test_an_erasure_in_quarantine_is_carried_out_when_it_is_tried_again(door: Door) -> None:
    connection = await door.connect()
    await door.say(connection, response(nps(9), customer={"id": "anna"}))
    now = datetime.now(UTC)
    erasure = {"type": "erasure", "id": "e", "at": (now + timedelta(hours=1)).isoformat(), "customer": {"id": "anna"}}
    assert await door.say(connection, erasure) == "quarantined"
    [item] = await items(door)
    door.at(now + timedelta(hours=2))
    assert (await door.call("POST", f"/v1/quarantine/{item['id']}:retry")).json()["status"] == "accepted"
    assert [type(event.body).__name__ for event in await door.events()] == ["Tombstone"]
    kept = await door.app.state.reads.fetch("SELECT raw FROM inbox WHERE connection = $1", connection["id"])
    assert {row["raw"] or b"" for row in kept} == {b""}


async def test_the_list_goes_on_from_page_to_page_the_newest_first(door: Door) -> None:
    connection, other = await door.connect(), await door.connect()
    for number in range(103):
        await door.deliver(connection, b"{" + b" " * number)
    await door.deliver(other, b"{")
    first = (await door.call("GET", "/v1/quarantine")).json()
    second = (await door.call("GET", "/v1/quarantine", params={"cursor": first["cursor"]})).json()
    numbers = [int(item["id"]) for item in first["items"] + second["items"]]
    assert len(numbers) == 104
    assert numbers == sorted(numbers, reverse=True)
    assert second["cursor"] is None
    assert len(await items(door, connection=other["id"])) == 1
    assert (await door.call("GET", "/v1/quarantine", params={"page": "2"})).status_code == 400
    assert (await door.call("GET", "/v1/quarantine", params={"cursor": "x"})).status_code == 400


async def test_another_tenant_sees_and_retries_nothing(door: Door) -> None:
    await door.deliver(await door.connect(), b"{")
    [item] = await items(door)
    stranger = {"x-earshot-tenant": "somebody-else"}
    assert (await door.call("GET", "/v1/quarantine", headers=stranger)).json()["items"] == []
    assert (await door.call("GET", f"/v1/quarantine/{item['id']}", headers=stranger)).status_code == 404
    assert (await door.call("POST", f"/v1/quarantine/{item['id']}:retry", headers=stranger)).status_code == 404


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
async def test_a_parameter_that_is_unknown_or_holds_nul_is_400(door: Door, method: str, path: str) -> None:
    answer = await door.call(method, path, content=b"{}" if method in {"POST", "PATCH"} else None)
    assert answer.status_code == 400
    [param] = answer.json()["invalid_params"]
    assert param["reason"] in {"holds NUL", "unknown parameter"}

"""The hook of a `cloudevents` connection: handshake, tokens, modes, batches."""

import json
from typing import Any

import pytest

from tests.service.ingest.client import IngestClient
from tests.unit.ingest.making import nps, response

ORIGIN = "broker.shop.example"


def event(name: str = "1", **data: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": name, "source": "/shop", "type": "rated", "data": response(nps(9)) | data}


async def test_an_event_is_stored_once_in_any_mode_and_with_the_token_in_the_header_or_in_the_url(
    ingest: IngestClient, capfd: pytest.CaptureFixture[str]
) -> None:
    connection = await ingest.connect("cloudevents")
    hook, secret = f"/v1/hooks/{connection['id']}", connection["secret"]
    assert (await ingest.deliver(connection, json.dumps(event()).encode())).json() == {"status": "accepted"}
    attributes = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "rated"}
    answer = await ingest.http.post(hook, params={"access_token": secret}, json=event()["data"], headers=attributes)
    assert (answer.status_code, answer.json()) == (202, {"status": "duplicate"})
    for wrong in ({"access_token": "another-token"}, {}):
        refused = await ingest.http.post(hook, params=wrong, json=event("2"), headers={"x-secret": secret})
        assert refused.status_code == 401
        assert secret not in refused.text
    [stored] = await ingest.events()
    assert (stored.subject, stored.statement, stored.source) == (f"{connection['id']}/response/r-1", "/shop 1#0", "cloudevents")
    rows = await ingest.app.state.reads.fetch("SELECT headers::text FROM inbox WHERE connection = $1", connection["id"])
    assert all(secret not in row["headers"] for row in rows)
    captured = capfd.readouterr()
    assert secret not in captured.out + captured.err


async def test_each_event_of_a_batch_is_stored_and_a_retry_of_the_batch_stores_the_rest(ingest: IngestClient) -> None:
    connection = await ingest.connect("cloudevents")
    events = [event("1", id="r-1"), event("2", id="r-2"), {"specversion": "1.0", "id": "3", "source": "/shop", "type": "rated"}]
    answer = await ingest.deliver(connection, json.dumps(events).encode())
    assert (answer.status_code, answer.json()) == (202, {"status": "mixed", "events": {"accepted": 2, "quarantined": 1}})
    events = [*events[:2], event("4", id="r-4")]
    answer = await ingest.deliver(connection, json.dumps(events).encode())
    assert answer.json() == {"status": "mixed", "events": {"duplicate": 2, "accepted": 1}}
    assert [stored.subject.rpartition("/")[2] for stored in await ingest.events()] == ["r-1", "r-2", "r-4"]
    assert (await ingest.deliver(connection, b"[]")).json() == {"status": "ignored"}
    [item] = (await ingest.call("GET", "/v1/quarantine")).json()["items"]
    assert item["reason"] == "the event has no data"
    health = (await ingest.call("GET", f"/v1/connections/{connection['id']}")).json()["health"]
    assert (health["accepted_24h"], health["duplicate_24h"], health["quarantined_24h"]) == (3, 2, 1)


async def test_a_batch_larger_than_the_queue_of_the_committer_is_stored(ingest: IngestClient) -> None:
    connection = await ingest.connect("cloudevents")
    events = [event(str(n), id=f"r-{n}") for n in range(250)]
    answer = await ingest.deliver(connection, json.dumps(events).encode())
    assert answer.json() == {"status": "accepted", "events": {"accepted": 250}}


async def test_the_trial_of_a_batch_returns_the_records_of_its_events(ingest: IngestClient) -> None:
    connection = await ingest.connect("cloudevents")
    tried = {
        "headers": {"Content-Type": "application/cloudevents-batch+json", "Authorization": f"Bearer {connection['secret']}"},
        "body": json.dumps([event("1", id="r-1"), event("2", id="r-2"), {}]),
    }
    result = (await ingest.call("POST", f"/v1/connections/{connection['id']}:test", json=tried)).json()
    assert (result["verified"], result["status"]) == (True, "quarantined")
    assert [record["id"] for record in result["records"]] == ["r-1", "r-2"]
    assert result["reason"].startswith("specversion is missing")


async def test_the_handshake_allows_the_origin_that_asks_until_the_connection_is_deleted(ingest: IngestClient) -> None:
    connection = await ingest.connect("cloudevents")
    hook = f"/v1/hooks/{connection['id']}"
    headers = {"WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "120"}
    answer = await ingest.http.options(hook, headers=headers)
    assert answer.status_code == 200
    assert (answer.headers["webhook-allowed-origin"], answer.headers["webhook-allowed-rate"]) == (ORIGIN, "*")
    assert "POST" in answer.headers["allow"]
    assert "webhook-allowed-origin" not in (await ingest.http.options(hook)).headers
    await ingest.call("DELETE", f"/v1/connections/{connection['id']}")
    for answer in (await ingest.http.options(hook, headers=headers), await ingest.deliver(connection, b"{}")):
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:earshot:problem:gone")
        assert "webhook-allowed-origin" not in answer.headers


async def test_other_formats_of_events_are_415_and_broken_ones_are_quarantined(ingest: IngestClient) -> None:
    connection = await ingest.connect("cloudevents")
    hook, token = f"/v1/hooks/{connection['id']}", {"authorization": f"Bearer {connection['secret']}"}
    for media_type, status in (("application/cloudevents+avro", 415), ("text/xml", 415), ("text/plain", 202)):
        answer = await ingest.http.post(hook, content=b"x", headers=token | {"content-type": media_type})
        assert answer.status_code == status
    assert answer.json() == {"status": "quarantined"}


async def test_a_mapping_of_json_of_the_senders_own_is_checked_and_read(ingest: IngestClient) -> None:
    mapping: dict[str, Any] = {
        "id": "order",
        "questions": {"stars": {"kind": "csat", "scale": [1, 5]}},
        "dimensions": {"shop": "region"},
    }
    connection = await ingest.connect("cloudevents", mapping=mapping)
    for stars, time in ((2, "2026-11-20T10:00:00Z"), (5, "2026-11-20T11:00:00Z")):
        sent = event(time) | {"time": time, "data": {"order": "o-1", "stars": stars, "shop": "DE"}}
        assert (await ingest.deliver(connection, json.dumps(sent).encode())).json() == {"status": "accepted"}
    assert [stored.body.answers[0].value for stored in await ingest.events()] == [2, 5]  # type: ignore[union-attr]
    view = (await ingest.call("GET", f"/v1/connections/{connection['id']}")).json()
    assert view["mapping"] == mapping | {"types": []}
    assert view["health"]["unused_mapping"] == {"questions": [], "dimensions": []}
    answer = await ingest.call("PATCH", f"/v1/connections/{connection['id']}", json={"mapping": {"ids": "order"}})
    assert (answer.status_code, answer.json()["invalid_params"][0]["name"]) == (422, "mapping.ids")

"""A provider that uses all of the interface, over HTTP: handshakes, forms, arrays of events, settings of its own."""

import json
from typing import Any

import httpx
import pytest

from services.ingest.domain.providers import PROVIDERS
from tests import fake_provider
from tests.fake_provider import FAKE
from tests.service.ingest.client import IngestClient

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "fake", FAKE)


async def deliver(
    ingest: IngestClient, connection: dict[str, Any], body: bytes, content_type: str = "application/json", query: str = ""
) -> httpx.Response:
    url = connection["hook_url"] + query
    headers = fake_provider.sign(connection["secret"], body, url, ingest.app.state.ingest.now(), content_type)
    return await ingest.http.post(f"/v1/hooks/{connection['id']}{query}", content=body, headers=headers)


async def test_a_get_with_a_challenge_is_answered_if_it_holds_the_secret(ingest: IngestClient) -> None:
    connection = await ingest.connect("fake")
    hook = f"/v1/hooks/{connection['id']}"
    answer = await ingest.http.get(hook, params={"token": connection["secret"], "challenge": "42 x"})
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "42 x", "text/plain; charset=utf-8")
    assert (await ingest.http.get(hook, params={"token": "wrong", "challenge": "42"})).status_code == 401
    assert (await ingest.http.head(hook)).status_code == 200


async def test_a_post_that_verifies_the_url_is_answered_and_stores_nothing(ingest: IngestClient) -> None:
    connection = await ingest.connect("fake")
    answer = await ingest.http.post(f"/v1/hooks/{connection['id']}", json={"kind": "url_verification", "challenge": "abc"})
    assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})
    assert (await ingest.call("GET", "/v1/quarantine")).json()["items"] == []


async def test_an_array_of_events_and_a_form_become_records(ingest: IngestClient) -> None:
    connection = await ingest.connect("fake")
    assert (await deliver(ingest, connection, fake_provider.events(5, 2), query="?a=1&b=%20")).json() == {"status": "accepted"}
    assert (await deliver(ingest, connection, fake_provider.form(4), FORM)).json() == {"status": "accepted"}
    assert [event.subject.rpartition("/")[2] for event in await ingest.events()] == ["e-0", "e-1", "f-1"]


async def test_the_signature_covers_the_public_url_with_its_query(ingest: IngestClient) -> None:
    connection = await ingest.connect("fake")
    body = fake_provider.events(5)
    headers = fake_provider.sign(connection["secret"], body, connection["hook_url"] + "?a=1", ingest.app.state.ingest.now())
    for query, status in (("?a=1", 202), ("?a=2", 401), ("", 401)):
        assert (
            await ingest.http.post(f"/v1/hooks/{connection['id']}{query}", content=body, headers=headers)
        ).status_code == status
    tried = {"headers": headers, "body": body.decode(), "query": "a=1"}
    path = f"/v1/connections/{connection['id']}:test"
    assert (await ingest.call("POST", path, json=tried)).json()["verified"] is True
    assert (await ingest.call("POST", path, json=tried | {"query": ""})).json()["verified"] is False


async def test_a_content_type_that_the_tool_does_not_send_is_415(ingest: IngestClient) -> None:
    connection, other = await ingest.connect("fake"), await ingest.connect("typeform")
    answer = await deliver(ingest, connection, b"<a/>", "text/xml")
    assert (answer.status_code, answer.json()["detail"]) == (415, "the body must be json or form or multipart")
    assert (await ingest.http.post(f"/v1/hooks/{other['id']}", content=b"a=1", headers={"content-type": FORM})).status_code == 415


async def test_a_provider_has_settings_of_its_own(ingest: IngestClient) -> None:
    connection = await ingest.connect("fake", mapping={"scale": 10})
    path = f"/v1/connections/{connection['id']}"
    assert (await ingest.call("GET", path)).json()["mapping"] == {"scale": 10}
    for mapping, place in (({"scale": 7}, "mapping.scale"), ({"questions": {}}, "mapping.questions")):
        for method, where, body in (("PATCH", path, {}), ("POST", "/v1/connections", {"provider": "fake", "name": "x"})):
            answer = await ingest.call(method, where, json={**body, "mapping": mapping})
            assert (answer.status_code, [param["name"] for param in answer.json()["invalid_params"]]) == (422, [place])


async def test_a_quarantined_form_is_read_again_as_a_form_under_changed_settings(ingest: IngestClient) -> None:
    connection = await ingest.connect("fake")
    assert (await deliver(ingest, connection, fake_provider.form(9), FORM)).json() == {"status": "quarantined"}
    [item] = (await ingest.call("GET", "/v1/quarantine")).json()["items"]
    assert item["reason"] == "answers.0.value: outside its scale 1..5"
    await ingest.call("PATCH", f"/v1/connections/{connection['id']}", json={"mapping": {"scale": 10}})
    assert (await ingest.call("POST", f"/v1/quarantine/{item['id']}:retry")).json()["status"] == "accepted"
    [row] = await ingest.app.state.reads.fetch("SELECT headers FROM inbox WHERE seq = $1", int(item["id"]))
    assert json.loads(row["headers"]) == {"content-type": FORM}

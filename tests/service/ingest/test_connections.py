"""Connected tools: made, shown, changed, rotated, tried, taken away, each by its own tenant only."""

import asyncio
import json
from typing import Any

import pytest

from tests.conftest import NewDatabase
from tests.service.ingest.door import Door, opened
from tests.signing import standard, typeform
from tests.unit.ingest.making import comment, nps, response

UNUSABLE_SECRETS = [" " * 12, "\u3000" * 12, " a-good-one", "a-good-one\n", "a-good\tone", "a-good\u200bone", "a-good\xa0one"]
"""Blank, or with characters that are easily copied along unseen."""
MAPPING = {"questions": {"q": {"kind": "csat", "scale": [1, 5]}}, "dimensions": {"plan": "segment"}}
PUBLIC_ZENDESK_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="


async def test_a_secret_is_made_and_shown_once(door: Door) -> None:
    made = await door.connect(mapping=MAPPING, dimensions={"region": "DE"})
    assert made["secret"].startswith("whsec_")
    assert made["hook_url"].endswith(f"/v1/hooks/{made['id']}")
    shown = (await door.call("GET", f"/v1/connections/{made['id']}")).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    listed = (await door.call("GET", "/v1/connections")).json()["connections"]
    assert [one["provider"] for one in listed] == ["api", "standard"]
    assert made["secret"] not in json.dumps(listed)


async def test_secrets_lie_encrypted(door: Door) -> None:
    secret = "a-secret-of-ours-in-the-clear"
    made = await door.connect("typeform", secret=secret)
    row = await door.app.state.reads.fetchrow("SELECT connections::text AS everything FROM connections WHERE id = $1", made["id"])
    assert secret not in row["everything"]
    assert secret.encode().hex() not in row["everything"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"provider": "unheard-of", "name": "x"}, "provider"),
        ({"provider": "standard"}, "name"),
        ({"provider": "standard", "name": "x", "secret": "short"}, "secret"),
        ({"provider": "zendesk", "name": "x", "secret": PUBLIC_ZENDESK_SECRET}, "secret"),
        *[({"provider": "typeform", "name": "x", "secret": secret}, "secret") for secret in UNUSABLE_SECRETS],
        ({"provider": "standard", "name": "x", "colour": 1}, "colour"),
        ({"provider": "standard", "name": "x", "mapping": {"questions": {"q": {"kind": "csat"}}}}, "mapping.questions.q"),
        ({"provider": "standard", "name": "x", "mapping": {"dimensions": {"f": "theme"}}}, "mapping.dimensions.f"),
        ({"provider": "standard", "name": "x", "dimensions": {"source": "y"}}, "dimensions.source.[key]"),
    ],
)
async def test_what_cannot_be_connected_is_422_with_the_place(door: Door, body: dict[str, Any], place: str) -> None:
    answer = await door.call("POST", "/v1/connections", json=body)
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == [place]


async def test_two_secrets_live_during_a_rotation_and_one_after_it(door: Door) -> None:
    made = await door.connect()
    path = f"/v1/connections/{made['id']}"
    rotated = (await door.call("PATCH", path, json={"secret": None})).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["secrets"] == 2
    both = [made, made | {"secret": rotated["secret"]}]
    assert [(await door.deliver(one, b"{}")).status_code for one in both] == [202, 202]
    assert (await door.call("PATCH", path, json={"retire_secret": True})).json()["secrets"] == 1
    assert [(await door.deliver(one, b"{}")).status_code for one in both] == [401, 202]


async def test_a_third_secret_drops_the_first(door: Door) -> None:
    made = await door.connect("typeform", secret="the-first-one")
    path = f"/v1/connections/{made['id']}"
    for secret in ("the-second-one", "the-third-one"):
        await door.call("PATCH", path, json={"secret": secret})
    tried = [await door.deliver(made | {"secret": f"the-{n}-one"}, b"{}") for n in ("first", "second", "third")]
    assert [answer.status_code for answer in tried] == [401, 202, 202]


async def test_a_changed_mapping_raises_the_revision_and_a_name_does_not(door: Door) -> None:
    path = f"/v1/connections/{(await door.connect())['id']}"
    assert (await door.call("PATCH", path, json={"name": "other"})).json()["revision"] == 1
    assert (await door.call("PATCH", path, json={"mapping": MAPPING})).json()["revision"] == 2
    changed = (await door.call("PATCH", path, json={"dimensions": {"region": "AT"}})).json()
    assert (changed["revision"], changed["mapping"], changed["dimensions"]) == (3, MAPPING, {"region": "AT"})
    assert (await door.call("PATCH", path, json={"provider": "zendesk"})).status_code == 422


async def test_a_rotation_refuses_the_same_secrets_and_an_inner_blank_is_fine(door: Door) -> None:
    path = f"/v1/connections/{(await door.connect('typeform'))['id']}"
    for secret in UNUSABLE_SECRETS:
        answer = await door.call("PATCH", path, json={"secret": secret, "name": "new"})
        assert (answer.status_code, answer.json()["invalid_params"][0]["name"]) == (422, "secret")
    assert (await door.call("GET", path)).json()["name"] == "a tool"
    assert (await door.call("PATCH", path, json={"secret": "three good words"})).status_code == 200


async def test_nobody_elses_connection_can_be_seen_or_touched(door: Door) -> None:
    made = await door.connect()
    stranger = {"x-earshot-tenant": "somebody-else"}
    path = f"/v1/connections/{made['id']}"
    for method, where in (("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}:test")):
        answer = await door.call(method, where, json={"body": ""}, headers=stranger)
        assert answer.status_code in {404, 422}, (method, answer.text)
    assert (await door.call("PATCH", path, json={"name": "x"}, headers=stranger)).status_code == 404
    assert (await door.call("GET", path)).json()["name"] == "a tool"
    assert (await door.call("GET", "/v1/connections", headers=stranger)).json() == {"connections": []}
    unknown = await door.call("POST", "/v1/connections", json={"provider": "standard", "name": "x"}, headers=stranger)
    assert unknown.status_code == 404


async def test_a_deleted_connection_is_gone_and_the_built_in_one_stays(door: Door) -> None:
    made = await door.connect()
    assert (await door.call("DELETE", f"/v1/connections/{made['id']}")).status_code == 204
    assert (await door.call("DELETE", f"/v1/connections/{made['id']}")).status_code == 404
    [built_in] = (await door.call("GET", "/v1/connections")).json()["connections"]
    assert (await door.call("DELETE", f"/v1/connections/{built_in['id']}")).status_code == 404
    assert (await door.call("PATCH", f"/v1/connections/{built_in['id']}", json={"paused": True})).status_code == 422


async def test_trying_a_delivery_shows_what_it_would_become_and_stores_nothing(door: Door) -> None:
    made = await door.connect()
    body = json.dumps({"data": response(nps(9))})
    path = f"/v1/connections/{made['id']}:test"
    right = (await door.call("POST", path, json={"headers": standard(made["secret"], body.encode()), "body": body})).json()
    assert right == {"verified": True, "status": "accepted", "reason": None, "records": [response(nps(9))]}
    wrong = (await door.call("POST", path, json={"headers": {}, "body": body})).json()
    assert (wrong["verified"], wrong["status"], wrong["records"]) == (False, "accepted", [response(nps(9))])
    broken = (await door.call("POST", path, json={"headers": {"Webhook-Id": "ü€"}, "body": "{"})).json()
    assert (broken["status"], broken["records"]) == ("quarantined", [])
    assert "not JSON" in broken["reason"]
    assert await door.events() == []
    assert (await door.call("GET", "/v1/quarantine")).json()["items"] == []


async def test_trying_a_delivery_shows_no_identity(door: Door) -> None:
    made = await door.connect()
    texts = comment("I am jane@example.com, 4111 1111 1111 1111 12/28")
    body = json.dumps({"data": response(nps(9), texts, customer={"id": "c-77"})})
    answer = await door.call("POST", f"/v1/connections/{made['id']}:test", json={"body": body})
    assert answer.json()["records"][0]["answers"][1]["text"] == "I am [email], [card]"
    assert "c-77" not in answer.text


async def test_a_partial_submission_is_shown_as_ignored(door: Door) -> None:
    made = await door.connect("typeform")
    body = '{"event_id": "e", "event_type": "form_response_partial"}'
    tried = {"headers": typeform(made["secret"], body.encode()), "body": body}
    answer = (await door.call("POST", f"/v1/connections/{made['id']}:test", json=tried)).json()
    assert (answer["verified"], answer["status"]) == (True, "ignored")


async def test_a_tenant_has_so_many_connections_also_when_they_are_made_at_once(database: NewDatabase) -> None:
    async with opened(await database("ingest"), connections_per_tenant=3) as door:
        await door.call("PUT", f"/internal/tenants/{door.tenant}", json={"name": "Acme", "zone": "UTC"})
        body = {"provider": "standard", "name": "a tool"}
        answers = await asyncio.gather(*(door.call("POST", "/v1/connections", json=body) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 3
        [refused, *_] = [answer.json() for answer in answers if answer.status_code == 409]
        assert "3 connections" in refused["detail"]
        [made, *_] = [answer.json() for answer in answers if answer.status_code == 201]
        await door.call("DELETE", f"/v1/connections/{made['id']}")
        assert (await door.call("POST", "/v1/connections", json=body)).status_code == 201

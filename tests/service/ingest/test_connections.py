"""Connected tools: created, read, changed, rotated, tried and deleted, each by its own tenant only."""

import asyncio
import json
from typing import Any

import pytest

from services.ingest.domain.providers import PROVIDERS
from tests.conftest import NewDatabase
from tests.service.ingest.client import IngestClient, running_ingest
from tests.signing import standard, typeform
from tests.unit.ingest.making import comment, nps, response

UNUSABLE_SECRETS = [" " * 12, "\u3000" * 12, " a-good-one", "a-good-one\n", "a-good\tone", "a-good\u200bone", "a-good\xa0one"]
"""Blank, or with invisible characters that are easily copied by mistake."""
MAPPING = {"questions": {"q": {"kind": "csat", "scale": [1, 5]}}, "dimensions": {"plan": "segment"}}
PUBLIC_ZENDESK_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="


async def test_a_secret_is_returned_once(ingest: IngestClient) -> None:
    made = await ingest.connect(mapping=MAPPING, dimensions={"region": "DE"})
    assert made["secret"].startswith("whsec_")
    assert made["hook_url"].endswith(f"/v1/hooks/{made['id']}")
    view = (await ingest.call("GET", f"/v1/connections/{made['id']}")).json()
    assert view == {name: value for name, value in made.items() if name != "secret"}
    listed = (await ingest.call("GET", "/v1/connections")).json()["connections"]
    assert [one["provider"] for one in listed] == ["api", "standard"]
    assert made["secret"] not in json.dumps(listed)


async def test_secrets_are_stored_encrypted(ingest: IngestClient) -> None:
    secret = "a-secret-of-ours-in-the-clear"
    made = await ingest.connect("typeform", secret=secret)
    row = await ingest.app.state.reads.fetchval("SELECT connections::text FROM connections WHERE id = $1", made["id"])
    assert secret not in row
    assert secret.encode().hex() not in row


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
        ({"provider": "standard", "name": "x", "dimensions": {f"own_{n}": "y" for n in range(11)}}, "dimensions"),
    ],
)
async def test_an_invalid_connection_is_422_with_the_place(ingest: IngestClient, body: dict[str, Any], place: str) -> None:
    answer = await ingest.call("POST", "/v1/connections", json=body)
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == [place]


async def test_two_secrets_are_valid_during_a_rotation_and_one_after_it(ingest: IngestClient) -> None:
    made = await ingest.connect()
    path = f"/v1/connections/{made['id']}"
    rotated = (await ingest.call("PATCH", path, json={"secret": None})).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["secrets"] == 2
    both = [made, made | {"secret": rotated["secret"]}]
    assert [(await ingest.deliver(one, b"{}")).status_code for one in both] == [202, 202]
    assert (await ingest.call("PATCH", path, json={"retire_secret": True})).json()["secrets"] == 1
    assert [(await ingest.deliver(one, b"{}")).status_code for one in both] == [401, 202]


async def statuses(ingest: IngestClient, made: dict[str, Any], *secrets: str) -> list[int]:
    """The status of a delivery that is signed with each of the secrets."""
    return [(await ingest.deliver(made | {"secret": secret}, b"{}")).status_code for secret in secrets]


async def test_a_third_secret_is_409_and_the_first_stays_valid_until_the_rotation_is_ended(ingest: IngestClient) -> None:
    made = await ingest.connect("typeform", secret="the-first-one")
    path = f"/v1/connections/{made['id']}"
    assert (await ingest.call("PATCH", path, json={"secret": "the-second-one"})).status_code == 200
    for third in (None, "the-third-one"):
        refused = await ingest.call("PATCH", path, json={"secret": third, "name": "new"})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:earshot:problem:rotation-open")
        assert "stays valid until you end it" in refused.json()["detail"]
        assert '{"retire_secret": true}' in refused.json()["detail"]
    assert (await ingest.call("GET", path)).json()["name"] == "a tool"
    assert await statuses(ingest, made, "the-first-one", "the-second-one", "the-third-one") == [202, 202, 401]
    await ingest.call("PATCH", path, json={"retire_secret": True})
    assert (await ingest.call("PATCH", path, json={"secret": "the-third-one"})).json()["secrets"] == 2
    assert await statuses(ingest, made, "the-first-one", "the-second-one", "the-third-one") == [401, 202, 202]


async def test_concurrent_rotations_create_one_secret(ingest: IngestClient) -> None:
    connection = (await ingest.connect())["id"]
    path = f"/v1/connections/{connection}"
    async with ingest.app.state.reads.acquire() as db, db.transaction():
        await db.execute("SELECT FROM connections WHERE id = $1 FOR UPDATE", connection)
        calls = [asyncio.create_task(ingest.call("PATCH", path, json={"secret": None})) for _ in range(4)]
        await asyncio.sleep(0.5)
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_a_rotation_can_be_cancelled_or_its_newest_secret_replaced(ingest: IngestClient) -> None:
    made = await ingest.connect("typeform", secret="the-first-one")
    path = f"/v1/connections/{made['id']}"
    none_open = await ingest.call("PATCH", path, json={"cancel_rotation": True, "name": "new"})
    assert (none_open.status_code, none_open.json()["type"]) == (409, "urn:earshot:problem:no-rotation-open")
    assert (await ingest.call("GET", path)).json()["name"] == "a tool"
    await ingest.call("PATCH", path, json={"secret": "the-second-one"})
    await ingest.call("PATCH", path, json={"secret": "the-third-one", "cancel_rotation": True})
    assert await statuses(ingest, made, "the-first-one", "the-second-one", "the-third-one") == [202, 401, 202]
    assert (await ingest.call("PATCH", path, json={"cancel_rotation": True})).json()["secrets"] == 1
    assert await statuses(ingest, made, "the-first-one", "the-third-one") == [202, 401]


async def test_a_leaked_secret_is_replaced_at_once_also_during_a_rotation(ingest: IngestClient) -> None:
    made = await ingest.connect("typeform", secret="the-first-one")
    path = f"/v1/connections/{made['id']}"
    await ingest.call("PATCH", path, json={"secret": "the-second-one"})
    assert (await ingest.call("PATCH", path, json={"secret": "the-third-one", "retire_secret": True})).json()["secrets"] == 1
    assert await statuses(ingest, made, "the-first-one", "the-second-one", "the-third-one") == [401, 401, 202]
    both = await ingest.call("PATCH", path, json={"retire_secret": True, "cancel_rotation": True})
    assert both.status_code == 422


async def test_a_changed_mapping_raises_the_revision_and_a_name_does_not(ingest: IngestClient) -> None:
    path = f"/v1/connections/{(await ingest.connect())['id']}"
    assert (await ingest.call("PATCH", path, json={"name": "other"})).json()["revision"] == 1
    assert (await ingest.call("PATCH", path, json={"mapping": MAPPING})).json()["revision"] == 2
    changed = (await ingest.call("PATCH", path, json={"dimensions": {"region": "AT"}})).json()
    assert (changed["revision"], changed["mapping"], changed["dimensions"]) == (3, MAPPING, {"region": "AT"})
    assert (await ingest.call("PATCH", path, json={"provider": "zendesk"})).status_code == 422


async def test_a_rotation_refuses_unusable_secrets_and_accepts_an_inner_space(ingest: IngestClient) -> None:
    path = f"/v1/connections/{(await ingest.connect('typeform'))['id']}"
    for secret in UNUSABLE_SECRETS:
        answer = await ingest.call("PATCH", path, json={"secret": secret, "name": "new"})
        assert (answer.status_code, answer.json()["invalid_params"][0]["name"]) == (422, "secret")
    assert (await ingest.call("GET", path)).json()["name"] == "a tool"
    assert (await ingest.call("PATCH", path, json={"secret": "three good words"})).status_code == 200


async def test_connections_of_other_tenants_can_be_neither_read_nor_changed(ingest: IngestClient) -> None:
    made = await ingest.connect()
    stranger = {"x-earshot-tenant": "somebody-else"}
    path = f"/v1/connections/{made['id']}"
    for method, where in (("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}:test")):
        answer = await ingest.call(method, where, json={"body": ""}, headers=stranger)
        assert answer.status_code in {404, 422}, (method, answer.text)
    assert (await ingest.call("PATCH", path, json={"name": "x"}, headers=stranger)).status_code == 404
    assert (await ingest.call("GET", path)).json()["name"] == "a tool"
    assert (await ingest.call("GET", "/v1/connections", headers=stranger)).json() == {"connections": []}
    unknown = await ingest.call("POST", "/v1/connections", json={"provider": "standard", "name": "x"}, headers=stranger)
    assert unknown.status_code == 404


async def test_a_deleted_connection_is_gone_and_the_built_in_one_stays(ingest: IngestClient) -> None:
    made = await ingest.connect()
    assert (await ingest.call("DELETE", f"/v1/connections/{made['id']}")).status_code == 204
    assert (await ingest.call("DELETE", f"/v1/connections/{made['id']}")).status_code == 404
    [built_in] = (await ingest.call("GET", "/v1/connections")).json()["connections"]
    assert (await ingest.call("DELETE", f"/v1/connections/{built_in['id']}")).status_code == 404
    assert (await ingest.call("PATCH", f"/v1/connections/{built_in['id']}", json={"paused": True})).status_code == 422


async def test_trying_a_delivery_returns_its_result_and_stores_nothing(ingest: IngestClient) -> None:
    made = await ingest.connect()
    body = json.dumps({"data": response(nps(9))})
    path = f"/v1/connections/{made['id']}:test"
    right = (await ingest.call("POST", path, json={"headers": standard(made["secret"], body.encode()), "body": body})).json()
    assert right == {
        "verified": True,
        "status": "accepted",
        "reason": None,
        "records": [response(nps(9))],
        "unmapped": [],
        "unused_mapping": {"questions": [], "dimensions": []},
        "own_dimensions": [],
    }
    wrong = (await ingest.call("POST", path, json={"headers": {}, "body": body})).json()
    assert (wrong["verified"], wrong["status"], wrong["records"]) == (False, "accepted", [response(nps(9))])
    broken = (await ingest.call("POST", path, json={"headers": {"Webhook-Id": "ü€"}, "body": "{"})).json()
    assert (broken["status"], broken["records"]) == ("quarantined", [])
    assert "not JSON" in broken["reason"]
    assert await ingest.events() == []
    assert (await ingest.call("GET", "/v1/quarantine")).json()["items"] == []


async def test_trying_a_delivery_returns_no_identity(ingest: IngestClient) -> None:
    made = await ingest.connect()
    texts = comment("I am jane@example.com, 4111 1111 1111 1111 12/28")
    body = json.dumps({"data": response(nps(9), texts, customer={"id": "c-77"})})
    answer = await ingest.call("POST", f"/v1/connections/{made['id']}:test", json={"body": body})
    assert answer.json()["records"][0]["answers"][1]["text"] == "I am [email], [card]"
    assert "c-77" not in answer.text


async def test_a_partial_submission_is_ignored(ingest: IngestClient) -> None:
    made = await ingest.connect("typeform")
    body = '{"event_id": "e", "event_type": "form_response_partial"}'
    tried = {"headers": typeform(made["secret"], body.encode()), "body": body}
    answer = (await ingest.call("POST", f"/v1/connections/{made['id']}:test", json=tried)).json()
    assert (answer["verified"], answer["status"]) == (True, "ignored")


async def test_connections_of_a_tenant_are_limited_also_when_they_are_created_at_the_same_time(database: NewDatabase) -> None:
    async with running_ingest(await database("ingest"), connections_per_tenant=3) as ingest:
        await ingest.call("PUT", f"/internal/tenants/{ingest.tenant}", json={"name": "Acme", "zone": "UTC"})
        body = {"provider": "standard", "name": "a tool"}
        answers = await asyncio.gather(*(ingest.call("POST", "/v1/connections", json=body) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 3
        [refused, *_] = [answer.json() for answer in answers if answer.status_code == 409]
        assert "3 connections" in refused["detail"]
        [made, *_] = [answer.json() for answer in answers if answer.status_code == 201]
        await ingest.call("DELETE", f"/v1/connections/{made['id']}")
        assert (await ingest.call("POST", "/v1/connections", json=body)).status_code == 201


async def test_a_connection_sets_dimensions_of_the_tenants_own_which_a_record_overrides(ingest: IngestClient) -> None:
    dimensions = {"region": "DE", "plan": "pro", **{f"own_{number}": "x" for number in range(9)}}
    made = await ingest.connect(dimensions=dimensions)
    assert made["dimensions"] == dimensions
    assert await ingest.deliver_record(made, response(nps(9), dimensions={"plan": "free", "country": "AT"})) == "accepted"
    [event] = await ingest.events()
    assert event.dimensions == {**dimensions, "plan": "free", "country": "AT"}
    changed = await ingest.call("PATCH", f"/v1/connections/{made['id']}", json={"dimensions": {"plan": "trial"}})
    assert changed.json()["dimensions"] == {"plan": "trial"}


async def test_the_providers_are_listed_with_their_content(ingest: IngestClient) -> None:
    listed = (await ingest.call("GET", "/v1/providers")).json()["providers"]
    assert [provider["id"] for provider in listed] == sorted(PROVIDERS)
    zendesk = next(provider for provider in listed if provider["id"] == "zendesk")
    assert (zendesk["title"], zendesk["body_types"]) == ("Zendesk", ["json"])
    assert {"ticket.opened", "ticket.rating", "names"} <= set(zendesk["content"])

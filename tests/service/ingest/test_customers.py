"""`/v1/customers`: find, export and erase by id, alias or address, over all connections."""

import asyncio
import json
from typing import Any

from tests.service.ingest.client import IngestClient
from tests.unit.ingest.hubspot_documents import event
from tests.unit.ingest.making import comment, nps, response
from tests.unit.ingest.test_hubspot import PRIVACY
from tests.unit.ingest.zendesk_payloads import event as zendesk_event

JO = {"id": "c-77", "email": "jo@example.org"}


async def customers(ingest: IngestClient, action: str, body: dict[str, Any], **headers: str) -> Any:
    answer = await ingest.call("POST", f"/v1/customers:{action}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(ingest: IngestClient, name: str, customer: dict[str, Any], *answers: dict[str, Any]) -> None:
    answer = await ingest.call("POST", "/v1/feedback", json=response(*(answers or (nps(),)), id=name, customer=customer))
    assert answer.status_code == 202, answer.text


async def test_a_customer_is_found_exported_and_erased_with_a_receipt(ingest: IngestClient) -> None:
    await post(ingest, "r-1", JO, comment("Write to jo@example.org"))
    await post(ingest, "r-2", {"email": "Jo@example.org"})
    await post(ingest, "r-3", {"id": "c-78"})
    customer = await customers(ingest, "find", {"id": "c-77"})
    assert (customer["subjects"], customer["statements"], customer["complete"]) == (2, 2, True)
    assert [(one["kind"], one["requested"], one["shared"]) for one in customer["identities"]] == [
        ("id", True, False), ("email", False, False),
    ]  # fmt: skip
    assert [(one["provider"], one["subjects"]) for one in customer["holdings"]] == [("api", 2)]
    export = await customers(ingest, "export", {"email": "jo@example.org"})
    assert [one["subject"].rpartition("/")[2] for one in export["subjects"]] == ["r-1", "r-2"]
    assert (export["cursor"], json.loads(export["subjects"][0]["deliveries"][0]["body"])["customer"]) == (None, JO)
    receipt = await customers(ingest, "erase", {"email": "jo@example.org"})
    stores = {one["name"]: one for one in receipt["stores"]}
    assert (receipt["subjects"], stores["ingest.events"]["rows"], stores["ingest.bodies"]["rows"]) == (2, 2, 2)
    assert stores["ingest.events"]["gone_by"] == receipt["at"] < stores["feedback.events"]["gone_by"]
    assert (await customers(ingest, "find", {"id": "c-77"}))["holdings"] == []
    assert (await customers(ingest, "find", {"id": "c-78"}))["subjects"] == 1
    assert (await customers(ingest, "export", {"id": "c-77"}))["subjects"] == []


async def test_a_retried_erasure_returns_the_first_receipt_and_another_customer_under_its_key_is_422(
    ingest: IngestClient,
) -> None:
    await post(ingest, "r-1", JO)
    first = await customers(ingest, "erase", {"id": "c-77"}, **{"idempotency-key": "k-1"})
    assert (first["subjects"], await customers(ingest, "erase", {"id": "c-77"}, **{"idempotency-key": "k-1"})) == (1, first)
    assert (await customers(ingest, "erase", {"id": "c-77"}))["subjects"] == 0
    other = await ingest.call("POST", "/v1/customers:erase", json={"id": "c-78"}, headers={"idempotency-key": "k-1"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:earshot:problem:idempotency-key-reused")


async def test_a_customer_must_be_named(ingest: IngestClient) -> None:
    for body in ({}, {"id": ""}, {"email": "no address"}, {"id": "c-77", "name": "Jo"}):
        for action in ("find", "export", "erase"):
            answer = await ingest.call("POST", f"/v1/customers:{action}", json=body)
            assert answer.status_code == 422, answer.text


async def test_a_privacy_deletion_of_hubspot_erases_the_person_over_all_connections(ingest: IngestClient) -> None:
    hubspot = await ingest.connect("hubspot", secret="a-client-secret", credentials={"access_token": "pat-eu1-the-access-token"})
    await post(ingest, "r-1", JO | {"aliases": [{"id": "hubspot:551"}]})
    await post(ingest, "r-2", {"email": "jo@example.org"})
    await post(ingest, "r-3", {"id": "c-78"})
    await post(ingest, "r-4", {"id": "zendesk:9", "email": "jo@example.org"})
    answer = await ingest.deliver(hubspot, event(PRIVACY, subscriptionType="contact.privacyDeletion"), url=hubspot["hook_url"])
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    for identity in ("c-77", "zendesk:9"):
        assert (await customers(ingest, "find", {"id": identity}))["holdings"] == []
    assert (await customers(ingest, "find", {"id": "c-78"}))["subjects"] == 1


async def test_a_body_of_a_tool_that_was_never_read_is_listed_and_erased_by_the_tools_id(ingest: IngestClient) -> None:
    zendesk = await ingest.connect("zendesk")
    unreadable = zendesk_event("status_changed", {"current": "odd"}, requester_id="902")
    assert (await ingest.deliver(zendesk, unreadable)).json() == {"status": "quarantined"}
    await post(ingest, "r-1", {"id": "zendesk:902"})
    export = await customers(ingest, "export", {"id": "zendesk:902"})
    assert [(one["provider"], one["verdict"]) for one in export["unread"]] == [("zendesk", "quarantined")]
    assert export["unread_complete"]
    assert (await customers(ingest, "export", {"id": "zendesk:903"}))["unread"] == []
    await customers(ingest, "erase", {"id": "zendesk:902"})
    for _ in range(200):
        if not (await ingest.call("GET", "/v1/quarantine")).json()["items"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the body is still in quarantine")

"""HubSpot: signatures of three versions, arrays of events, and the calls that they need."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import asdict

from services.ingest.domain.providers import PROVIDERS, Headers, NotVerified, Parsed, Request, read_settings
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.record import Erasure, Ticket, read_record
from tests.unit.ingest.hubspot_documents import (
    SUBMISSION_EVENT,
    TICKET_EVENT,
    event,
    submission,
    submission_documents,
    ticket,
    ticket_documents,
)
from tests.unit.ingest.making import request

PROVIDER = PROVIDERS["hubspot"]
API = PROVIDER.api
SETTINGS = read_settings("hubspot", {})
SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
WEBHOOK_URL = "https://www.example.com/webhook_uri"
SIGNED_AT = datetime.fromtimestamp(1_693_657_560, UTC)
TICKET_PATH, PIPELINES_PATH = "/crm/v3/objects/tickets/9988776655", "/crm/v3/pipelines/tickets"


def parse(body: bytes) -> Parsed:
    return PROVIDER.parse(request(body), SETTINGS)


def fetches(body: bytes, documents: dict[str, Any], mapping: dict[str, Any] | None = None) -> list[Fetch]:
    assert API
    return list(API.fetches(request(body), documents, read_settings("hubspot", mapping or {})))


# --- privacy

PRIVACY = {"eventId": 7, "portalId": 1, "subscriptionId": 2, "objectId": 551, "occurredAt": 1_793_181_600_000, "attemptNumber": 0}


@pytest.mark.parametrize(
    "kind",
    [{"subscriptionType": "contact.privacyDeletion"}, {"subscriptionType": "object.privacyDeletion", "objectTypeId": "0-1"}],
)
def test_a_privacy_deletion_erases_the_person_whatever_tool_they_spoke_through(kind: dict[str, str]) -> None:
    parsed = parse(event(PRIVACY, **kind))
    [value] = parsed.records
    record = read_record(value, datetime(2026, 11, 20, tzinfo=UTC))
    assert isinstance(record, Erasure)
    assert (record.customer.id, record.linked) == ("hubspot:551", True)
    assert parsed.id == parse(event(PRIVACY, **kind, attemptNumber=1)).id


def test_a_privacy_deletion_without_its_contact_or_time_is_a_problem_and_other_events_about_contacts_are_ignored() -> None:
    assert parse(event(PRIVACY, subscriptionType="contact.privacyDeletion", objectId=None)).problem
    assert parse(event(PRIVACY, subscriptionType="contact.privacyDeletion", occurredAt=None)).problem
    assert parse(event(PRIVACY, subscriptionType="contact.deletion")).ignored == "contact.deletion"


# --- signatures, by the vectors of HubSpot's SDKs


def signed(headers: dict[str, str], body: bytes = b"{'example_field':'example_value'}", url: str = WEBHOOK_URL) -> Request:
    return Request("POST", url, Headers(headers), body)


V3 = {
    "X-HubSpot-Request-Timestamp": "1693657560000",
    "X-HubSpot-Signature-v3": "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
}
V2 = {
    "X-HubSpot-Signature-Version": "v2",
    "X-HubSpot-Signature": "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383",
}
V1 = {"X-HubSpot-Signature": "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"}


@pytest.mark.parametrize("headers", [V3, V2, V1, V1 | {"X-HubSpot-Signature-Version": "v1"}])
def test_signatures_of_each_version_are_accepted(headers: dict[str, str]) -> None:
    PROVIDER.verify(signed(headers), ["a-former-secret", SECRET], SIGNED_AT + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("request_", "at"),
    [
        (signed(V3), SIGNED_AT + timedelta(minutes=6)),
        (signed(V3, url=f"{WEBHOOK_URL}?a=b"), SIGNED_AT),
        (signed(V3 | {"X-HubSpot-Request-Timestamp": "1693657560001"}), SIGNED_AT),
        (signed(V3 | {"X-HubSpot-Signature-v3": "AAAA"} | V1), SIGNED_AT),
        (signed(V3, body=b"[]"), SIGNED_AT),
        (signed(V2, url="https://www.example.com/other"), SIGNED_AT),
        (signed(V1, body=b"[]"), SIGNED_AT),
        (signed(V2 | {"X-HubSpot-Signature-Version": "v1"}), SIGNED_AT),
        (signed({}), SIGNED_AT),
    ],
)
def test_other_signatures_are_refused(request_: Request, at: datetime) -> None:
    """A wrong version 3 counts, whatever older signature is beside it."""
    with pytest.raises(NotVerified):
        PROVIDER.verify(request_, [SECRET], at)


# --- events


def test_each_event_of_an_array_is_a_delivery_with_an_id_that_its_retry_has_too() -> None:
    events = [TICKET_EVENT, SUBMISSION_EVENT]
    first, second = [PROVIDER.parse(one, SETTINGS) for one in PROVIDER.requests(request(json.dumps(events).encode()))]
    assert (first.id, first.fetch, first.about) == (
        "62515:12345:100:9988776655:1795168800000:hs_pipeline_stage",
        "ticket/9988776655",
        ("ticket/9988776655",),
    )
    assert (second.fetch, second.about) == ("feedback_submission/553311", ("response/553311",))
    assert parse(event(TICKET_EVENT, attemptNumber=3)).id == first.id
    assert parse(event(TICKET_EVENT, propertyName="hs_ticket_priority")).id != first.id
    assert parse(event(TICKET_EVENT, eventId=None)).id is None


def test_an_array_that_cannot_be_split_is_one_delivery_with_the_reason() -> None:
    for body, problem in (
        (json.dumps([TICKET_EVENT] * 101).encode(), "a request has at most 100 events"),
        (b'[{"eventId": 1}', "the body is no JSON array of events"),
    ):
        [one] = PROVIDER.requests(request(body))
        assert PROVIDER.parse(one, SETTINGS).problem == problem
    [empty] = PROVIDER.requests(request(b"[]"))
    assert PROVIDER.parse(empty, SETTINGS).ignored == "empty-batch"
    assert parse(b"[[1]]").problem == "an array within an array"


@pytest.mark.parametrize(
    ("changed", "fetch"),
    [
        ({"subscriptionType": "ticket.creation"}, "ticket/9988776655"),
        ({"subscriptionType": "ticket.associationChange"}, "ticket/9988776655"),
        ({"subscriptionType": None, "eventType": "ticket.propertyChange"}, "ticket/9988776655"),
        ({"subscriptionType": "object.propertyChange", "objectTypeId": "0-5"}, "ticket/9988776655"),
        ({"subscriptionType": "object.propertyChange", "objectTypeId": "0-19"}, "feedback_submission/9988776655"),
    ],
)
def test_creations_and_changes_are_fetched_whichever_way_the_event_is_named(changed: dict[str, Any], fetch: str) -> None:
    assert parse(event(TICKET_EVENT, **changed)).fetch == fetch


@pytest.mark.parametrize(
    ("changed", "ignored"),
    [
        ({"subscriptionType": "contact.creation"}, "contact.creation"),
        ({"subscriptionType": "object.creation", "objectTypeId": "0-1"}, "object.creation"),
        ({"subscriptionType": "object.deletion", "objectTypeId": "0-19"}, "object.deletion"),
    ],
)
def test_other_events_are_ignored(changed: dict[str, Any], ignored: str) -> None:
    assert parse(event(TICKET_EVENT, **changed)).ignored == ignored


def changes(**changed: Any) -> list[Ticket]:
    parsed = parse(event(TICKET_EVENT, occurredAt=1795168800250, **changed))
    assert (parsed.problem, parsed.fetch) == (None, None)
    records = [read_record(value, datetime(2026, 11, 21, tzinfo=UTC)) for value in parsed.records]
    return [one for one in records if isinstance(one, Ticket)]


def test_a_deletion_and_its_restoration_need_no_call() -> None:
    for action, value in (("deletion", True), ("restore", False)):
        [record] = changes(subscriptionType=f"ticket.{action}")
        [fact] = record.facts
        assert (record.id, fact.fact, fact.at) == ("9988776655", "deleted", datetime.fromtimestamp(1_795_168_800.25, UTC))
        assert asdict(fact)["value"] is value


def test_tickets_are_merged_into_the_primary_one_or_into_a_new_one() -> None:
    merged = {"subscriptionType": "ticket.merge", "primaryObjectId": 7, "mergedObjectIds": [8, 9]}
    into_primary, into_new = changes(**merged), changes(**merged, newObjectId=10)
    assert [(one.id, asdict(one.facts[0])["into"]) for one in into_primary] == [("8", "7"), ("9", "7")]
    assert [(one.id, asdict(one.facts[0])["into"]) for one in into_new] == [("8", "10"), ("9", "10"), ("7", "10")]
    [into_object] = changes(subscriptionType="ticket.merge", mergedObjectIds=[8])
    assert (into_object.id, asdict(into_object.facts[0])["into"]) == ("8", "9988776655"), "the object of the event"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"objectId": "../1"}, "objectId is needed, of letters and digits"),
        ({"objectId": None}, "objectId is needed, of letters and digits"),
        ({"subscriptionType": "ticket.deletion", "occurredAt": None}, "occurredAt is missing"),
        ({"subscriptionType": "ticket.merge", "mergedObjectIds": 5}, "primaryObjectId and mergedObjectIds are needed"),
    ],
)
def test_an_event_without_ids_or_a_time_is_a_problem(changed: dict[str, Any], problem: str) -> None:
    parsed = parse(event(TICKET_EVENT, **changed))
    assert (parsed.fetch, parsed.problem) == (None, problem)


# --- calls


def test_a_ticket_and_its_pipelines_are_fetched_first_then_the_contact_and_the_owner() -> None:
    first, pipelines = fetches(event(TICKET_EVENT), {}, {"dimensions": {"plan": "segment", "Not a property!": "region"}})
    assert (first.path, pipelines) == (TICKET_PATH, Fetch("pipelines", PIPELINES_PATH, shared=True))
    assert {"hs_pipeline_stage", "content", "plan"} <= set(first.query["properties"].split(","))
    assert "!" not in first.query["properties"]
    assert first.query["propertiesWithHistory"] == "hs_pipeline_stage,hubspot_owner_id,hubspot_team_id,hs_ticket_priority"
    documents = ticket_documents()
    assert fetches(event(TICKET_EVENT), {name: documents[name] for name in ("object", "pipelines")}) == [
        Fetch("contact", "/crm/v3/objects/contacts/551", {"properties": "email"}, optional=True),
        Fetch("owner", "/crm/v3/owners/77", shared=True, optional=True),
    ]
    assert fetches(event(TICKET_EVENT), documents) == []


def test_a_stage_that_is_newer_than_the_cached_pipelines_is_looked_up_once() -> None:
    documents = ticket_documents(hs_pipeline_stage="6001")
    assert fetches(event(TICKET_EVENT), documents) == [Fetch("new_pipelines", PIPELINES_PATH)]
    assert fetches(event(TICKET_EVENT), documents | {"new_pipelines": documents["pipelines"]}) == []
    assert fetches(event(TICKET_EVENT), documents, {"stages": {"6001": "pending"}}) == []


def test_a_submission_needs_its_contact_and_its_mails_title_is_not_requested() -> None:
    [first] = fetches(event(SUBMISSION_EVENT), {})
    assert first.path == "/crm/v3/objects/feedback_submissions/553311"
    assert "hs_submission_name" not in first.query["properties"]
    assert [fetch.name for fetch in fetches(event(SUBMISSION_EVENT), {"object": submission()})] == ["contact"]
    assert fetches(event(SUBMISSION_EVENT), submission_documents()) == []


def test_an_object_without_a_contact_needs_no_call_for_one() -> None:
    unassigned = ticket(hubspot_owner_id="") | {"associations": None}
    assert fetches(event(TICKET_EVENT), {"object": unassigned, "pipelines": ticket_documents()["pipelines"]}) == []
    assert fetches(event(SUBMISSION_EVENT), {"object": submission(hs_contact_id="../1")}) == []


def test_a_document_of_another_shape_is_unusable() -> None:
    for body, document in ((event(TICKET_EVENT), [1]), (event(TICKET_EVENT, subscriptionType="contact.creation"), {})):
        with pytest.raises(Unusable):
            fetches(body, {"object": document} if document else {})


def test_the_token_authorizes_the_calls() -> None:
    assert API
    credentials = API.credentials.model_validate({"access_token": "pat-eu1-token"})
    assert (API.base_url(credentials), API.headers(credentials)) == (
        "https://api.hubapi.com",
        {"authorization": "Bearer pat-eu1-token"},
    )

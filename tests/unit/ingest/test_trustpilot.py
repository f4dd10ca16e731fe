"""Trustpilot: batches of events about reviews of a company and of its products, deletions."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from services.ingest.domain.providers.trustpilot import MAX_EVENTS
from services.ingest.domain.receive import receive_all
from services.ingest.domain.record import Review, read_record
from tests.unit.ingest.making import NOW, connection, request

PROVIDER = PROVIDERS["trustpilot"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
MAPPING = FieldMapping.model_validate({"dimensions": {"referenceId": "order"}})


def event(name: str = "service-review-created", position: int = 0, **data: Any) -> dict[str, Any]:
    """One event of a fixture, with these fields changed. None removes one."""
    value: dict[str, Any] = json.loads((FIXTURES / f"trustpilot__{name}.json").read_text())["events"][position]
    fields = {**value["eventData"], **data}
    return {**value, "eventData": {key: inner for key, inner in fields.items() if inner is not None}}


def parse(value: Any, mapping: FieldMapping = MAPPING) -> Parsed:
    return PROVIDER.parse(request(json.dumps(value).encode()), mapping)


def record(value: Any) -> Review:
    parsed = parse(value)
    assert parsed.problem is None, parsed.problem
    [one] = parsed.records
    read = read_record(one, NOW)
    assert isinstance(read, Review)
    return read


def received(body: Any) -> list[Delivery]:
    return receive_all(connection("trustpilot", mapping=MAPPING), request(json.dumps(body).encode()), NOW)


def test_the_url_has_the_secret_as_parameter_or_as_password() -> None:
    for sent in (
        request(b"{}", query="token=a-shared-secret"),
        request(b"{}", {"authorization": "Basic dHJ1c3RwaWxvdDphLXNoYXJlZC1zZWNyZXQ="}),
    ):
        PROVIDER.verify(sent, ["former-one", "a-shared-secret"], NOW)
    for sent in (request(b"{}"), request(b"{}", query="token=wrong"), request(b"{}", {"authorization": "Basic %%%"})):
        with pytest.raises(NotVerified):
            PROVIDER.verify(sent, ["a-shared-secret"], NOW)


def test_each_event_of_a_batch_is_a_delivery() -> None:
    first, second = received({"events": [event(), event(position=1)]})
    assert (first.verdict, second.verdict) == ("accepted", "accepted")
    assert [one.statements[0].event.subject for one in (first, second)] == [
        "con_1/review/5a0b1c2d3e4f5a6b7c8d9e0f",
        "con_1/review/5a0b1c2d3e4f5a6b7c8d9e0e",
    ]
    assert b"B. Meier" not in first.raw
    [one, other] = received({"events": [event(), {"eventName": "service-review-created"}]})
    assert (one.verdict, other.verdict, other.reason) == ("accepted", "quarantined", "eventData.id is missing")


def test_a_review_has_its_stars_its_words_and_the_consumer() -> None:
    read = record(event())
    assert (read.id, read.at.isoformat(), read.channel) == ("5a0b1c2d3e4f5a6b7c8d9e0f", "2026-11-20T09:00:00+00:00", "trustpilot")
    assert (read.stars, read.title, read.text, read.language) == (4, "Good service", "Quick answer, friendly agent.", "en")
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("trustpilot:6c1d2e3f4a5b6c7d8e9f0a1b", None)
    assert read.dimensions == {"order": "ORDER-1001"}
    assert (read.updated_at, read.deleted) == (None, False)
    assert parse(event()).use.dimensions == {"referenceId"}


def test_a_change_has_the_id_of_the_review() -> None:
    changed = {**event(stars=1, text="Changed my mind."), "eventName": "service-review-updated"}
    assert (record(changed).id, record(changed).stars) == (record(event()).id, 1)


def test_a_repeat_has_the_fingerprint_of_the_first_and_a_change_another() -> None:
    [first], [repeat], [changed] = (received({"events": [one]}) for one in (event(), event(), event(stars=1)))
    assert first.id is repeat.id is None
    assert first.statements[0].fingerprint == repeat.statements[0].fingerprint != changed.statements[0].fingerprint


def test_a_deletion_deletes_the_review() -> None:
    read = record(event("service-review-deleted"))
    assert (read.id, read.deleted, read.stars, read.text) == ("5a0b1c2d3e4f5a6b7c8d9e0f", True, None, None)
    assert record(event("service-review-deleted", createdAt=None)).at == NOW


def test_a_review_of_a_product_has_the_product_and_the_address_of_the_consumer() -> None:
    read = record(event("product-review-created"))
    assert (read.stars, read.text, read.product) == (5, "Does what it says.", "KETTLE-2")
    assert read.customer
    assert read.customer.email == "roy@example.org"
    by_name = FieldMapping.model_validate({"dimensions": {"product": "product"}})
    [mapped] = parse(event("product-review-created"), by_name).records
    assert (mapped["dimensions"], "product" in mapped) == ({"product": "KETTLE-2"}, False)


def test_a_language_that_is_none_is_left_out() -> None:
    assert record(event(language="English (UK)")).language is None


def test_other_events_are_ignored_and_so_is_an_empty_batch() -> None:
    assert parse({"eventName": "invitation-sent", "eventData": {}}).ignored == "invitation-sent"
    [empty] = received({"events": []})
    assert (empty.verdict, empty.reason) == ("ignored", "empty-batch")


@pytest.mark.parametrize(
    ("body", "reason", "code"),
    [
        ({"events": 5}, "events is no list", "unexpected_payload"),
        ({"events": [5]}, "the body is not an object", "unexpected_payload"),
        ({"events": [{}] * (MAX_EVENTS + 1)}, "a request has at most 1000 events", "too_large"),
        ({"eventType": "service-review-created", "review": {"id": "1"}}, "eventName is missing", "unexpected_payload"),
        (event(createdAt="2026-11-20 09:00"), "eventData.createdAt is no RFC 3339 time", "unexpected_payload"),
        (event(createdAt=None), "eventData.createdAt is missing", "unexpected_payload"),
        (event(stars=None), "eventData.stars is missing", "unexpected_payload"),
    ],
)
def test_an_unreadable_event_is_quarantined_with_its_reason(body: Any, reason: str, code: str) -> None:
    [delivery] = received(body)
    assert (delivery.verdict, delivery.reason, delivery.reason_code) == ("quarantined", reason, code)


def test_a_deletion_without_any_time_is_not_read() -> None:
    sent = request(json.dumps(event("service-review-deleted", createdAt=None)).encode())
    parsed = PROVIDER.parse(replace(sent, received_at=None), MAPPING)
    assert parsed.problem == "the deletion has no time"

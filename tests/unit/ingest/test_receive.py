"""Verified requests become deliveries: accepted, quarantined, ignored or held."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.delivery import StoredDelivery, Verdict
from services.ingest.domain.fields import Customer
from services.ingest.domain.providers import PROVIDERS, Headers, Parsed, Request
from services.ingest.domain.pseudonym import pseudonym_of_email, pseudonym_of_id, pseudonyms_to_erase
from services.ingest.domain.receive import LONGEST_ID, PAUSED, receive, receive_again, receive_record
from tests.unit.ingest.envelopes import EVENTS, FIELDS, TRIGGER, payload
from tests.unit.ingest.making import NOW, connection, nps, receive_body, request, response

HEADERS = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,secret", "authorization": "Bearer secret"}

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "x", "GOOD", "number", "2026-11-20T10:00:00Z", "a@b.de"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "text", "x"]), inner, max_size=3),
    max_leaves=6,
)


def body(record: object) -> bytes:
    return json.dumps({"data": record}).encode()


def test_a_valid_delivery_has_a_statement() -> None:
    delivery = receive_body(connection(), HEADERS, body(response(nps(9))), NOW)
    assert (delivery.verdict, delivery.id, len(delivery.statements)) == ("accepted", "msg_1", 1)
    assert (delivery.raw, delivery.connection, delivery.tenant) == (body(response(nps(9))), "con_1", "acme")


def test_a_posted_record_keeps_its_key_as_delivery_id() -> None:
    delivery = receive_record(connection(), response(nps(9)), "key-1", b"raw", NOW)
    assert (delivery.id, delivery.raw, delivery.headers) == ("key-1", b"raw", {})


def test_only_the_providers_headers_are_stored() -> None:
    assert receive_body(connection(), HEADERS, body(response()), NOW).headers == {"webhook-id": "msg_1", "webhook-timestamp": "1"}


def test_a_payload_is_parsed_from_the_part_of_its_request_that_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a delivery reads the same when it is read again."""
    parsed: list[Request] = []

    def parse(request: Request, settings: FieldMapping) -> Parsed:
        parsed.append(request)
        return Parsed("d-1", problem="unreadable")

    monkeypatch.setitem(PROVIDERS, "fake", replace(PROVIDERS["standard"], parse=parse, stored_headers=("x-kind",)))
    connected = connection("fake")
    sent = request(b"{}", {"X-Kind": "rating", "Authorization": "Bearer secret"}, query="token=secret")
    delivery = receive(connected, sent, NOW)
    assert delivery.headers == {"x-kind": "rating"}
    stored = StoredDelivery(7, "con_1", "d-1", NOW, delivery.headers, b"{}", "unreadable", 1)
    assert receive_again(connected, stored, NOW + timedelta(hours=1)).headers == delivery.headers
    first, again = parsed
    assert (first.received_at, again.received_at) == (NOW, NOW)
    assert delivery.connection == "con_1"
    assert (first.headers.get("x-kind"), first.headers.get("authorization"), first.url) == ("rating", "", "")
    assert (again.headers.get("x-kind"), again.body, again.url) == ("rating", b"{}", "")


def test_a_score_off_its_scale_is_quarantined_with_the_place() -> None:
    delivery = receive_body(connection(), HEADERS, body(response(nps(11))), NOW)
    assert (delivery.verdict, delivery.reason) == ("quarantined", "answers.0.value: outside its scale 0..10")
    assert delivery.statements == ()


def test_broken_json_is_quarantined() -> None:
    assert receive_body(connection(), HEADERS, b"{", NOW).verdict == "quarantined"


def test_a_delivery_to_a_paused_connection_is_held_unread() -> None:
    delivery = receive_body(connection(state="paused"), HEADERS, body(response(nps(9))), NOW)
    assert (delivery.verdict, delivery.reason, delivery.raw) == ("held", PAUSED, body(response(nps(9))))
    assert (delivery.id, delivery.statements) == ("msg_1", ())


def test_a_held_delivery_without_an_id_gets_none_so_equal_ones_are_all_kept() -> None:
    assert receive_body(connection("typeform", state="paused"), {}, b"{", NOW).id is None


def test_an_unused_kind_of_event_is_ignored_and_keeps_its_id() -> None:
    delivery = receive_body(connection("typeform"), {}, b'{"event_id": "e", "event_type": "form_response_partial"}', NOW)
    assert (delivery.verdict, delivery.id, delivery.statements) == ("ignored", "e", ())


def test_an_unreadable_delivery_without_an_id_is_identified_by_its_body() -> None:
    one, again, other = (receive_body(connection("typeform"), {}, raw, NOW) for raw in (b"{", b"{", b"[}"))
    assert one.id == again.id != other.id


def test_an_id_with_nul_is_hashed() -> None:
    event = json.dumps({"event_id": "e\0", "event_type": "form_response", "form_response": 5}).encode()
    assert (receive_body(connection(), HEADERS | {"webhook-id": "e\0"}, b"{", NOW).id or "").startswith("hash:")
    assert receive_body(connection("typeform"), {}, event, NOW).verdict == "quarantined"


def test_an_id_too_long_for_an_index_is_hashed() -> None:
    long = receive_body(connection(), HEADERS | {"webhook-id": "x" * (LONGEST_ID + 1)}, body(response()), NOW).id
    assert long is not None
    assert long.startswith("hash:")
    assert len(long) < 60


def test_a_quarantined_delivery_keeps_its_time_of_receipt_when_read_again() -> None:
    scale = {"event_id": "e1", "event_type": "form_response", "form_response": {
        "token": "t", "form_id": "f", "submitted_at": "2026-11-20T11:00:00Z",
        "answers": [{"type": "choice", "choice": {"label": "a"}, "field": {"id": "x", "type": "multiple_choice"}}],
    }}  # fmt: skip
    raw = json.dumps(scale).encode()
    wrong = connection("typeform", mapping=FieldMapping.model_validate({"questions": {"x": {"kind": "nps"}}}))
    first = receive_body(wrong, {}, raw, NOW)
    assert first.verdict == "quarantined"
    stored = StoredDelivery(7, "con_1", first.id, first.received_at, first.headers, raw, first.reason or "", 1)
    again = receive_again(replace(wrong, mapping=FieldMapping(), revision=2), stored, NOW + timedelta(days=1))
    assert (again.verdict, again.id, again.received_at, again.revision) == ("accepted", "e1", NOW, 2)
    assert again.statements[0].event.received_at == again.statements[0].event.at == NOW


def test_a_record_ahead_of_our_clock_is_accepted_later() -> None:
    raw = body(response(nps(9), at="2026-11-20T13:00:00Z"))
    first = receive_body(connection(), HEADERS, raw, NOW)
    assert first.reason == "at: more than 5 minutes ahead of our clock"
    stored = StoredDelivery(7, "con_1", first.id, NOW, first.headers, raw, first.reason, 1)
    assert receive_again(connection(), stored, NOW + timedelta(hours=1)).verdict == "accepted"


def test_an_erasure_has_all_pseudonyms_of_the_customer() -> None:
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "c", "email": "A@b.de"}}
    delivery = receive_record(connection(), erasure, None, b"", NOW)
    key = connection().key
    assert set(delivery.erases) == {
        pseudonym_of_id(key, "c"),
        pseudonym_of_email(key, "a@b.de"),
        pseudonym_of_id(key, "A@b.de"),
        pseudonym_of_id(key, "a@b.de"),
    }
    assert delivery.statements == ()


def test_an_id_that_is_an_address_counts_as_an_address() -> None:
    key = connection().key
    statement = receive_record(connection(), response(customer={"id": "A@b.de"}), None, b"", NOW).statements[0]
    assert (statement.event.customer, statement.email) == (pseudonym_of_id(key, "A@b.de"), pseudonym_of_email(key, "a@b.de"))
    assert pseudonym_of_email(key, "a@b.de") in pseudonyms_to_erase(key, Customer(id="A@b.de"))
    assert pseudonyms_to_erase(key, Customer(id="c@")) == {pseudonym_of_id(key, "c@")}


@pytest.mark.parametrize("state", ["active", "paused"])
def test_the_subject_of_an_unread_delivery_is_stored(state: Any) -> None:
    raw = body(response(nps(9), at="tomorrow"))
    assert receive_body(connection(state=state), HEADERS, raw, NOW).subjects == ("con_1/response/r-1",)
    assert receive_body(connection(state=state), HEADERS, b"{", NOW).subjects == ()


def test_an_ignored_delivery_stores_no_header() -> None:
    headers = {"x-zendesk-webhook-invocation-id": "inv-1"}
    delivery = receive_body(connection("zendesk"), headers, b'{"type": "zen:event-type:ticket.tags_changed"}', NOW)
    assert (delivery.verdict, delivery.headers) == ("ignored", {})


def test_headers_match_in_any_case() -> None:
    for headers in (Headers({"X-Kind": "rating"}), Headers.in_lower_case({"x-kind": "rating"})):
        assert (headers.get("X-KIND"), headers.get("missing"), headers.only(("x-kind", "y"))) == (
            "rating",
            "",
            {"x-kind": "rating"},
        )


def test_an_ignored_delivery_stores_neither_its_body_nor_free_text() -> None:
    raw = b'{"event_id": "e", "event_type": "anna@example.org wrote"}'
    delivery = receive_body(connection("typeform"), {}, raw, NOW)
    assert (delivery.verdict, delivery.raw, delivery.reason) == ("ignored", b"", "an event of a kind that is no plain name")


def test_a_reason_has_no_field_name_that_may_be_a_persons_words() -> None:
    delivery = receive_body(
        connection(), HEADERS, body(response(nps(9), **{"anna@example.org": 1, "hello there": 2, "colour": 3})), NOW
    )
    assert delivery.verdict == "quarantined"
    assert delivery.reason is not None
    assert "colour: is not a field here" in delivery.reason
    assert "…: is not a field here" in delivery.reason
    assert "anna" not in delivery.reason
    assert "hello" not in delivery.reason


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
@given(st.data())
def test_any_payload_becomes_a_delivery(provider: str, data: st.DataObject) -> None:
    fields = data.draw(st.dictionaries(st.sampled_from([*FIELDS[provider], "x"]), ANYTHING, max_size=6))
    for raw in (payload(provider, fields, data.draw(st.sampled_from(EVENTS))), fields):
        headers = HEADERS | {"x-helpscout-event": "satisfaction.ratings" if "rating" in fields else "convo.created"}
        assert receive_body(connection(provider), headers, json.dumps(raw).encode(), NOW).verdict in get_args(Verdict)


@given(st.dictionaries(st.sampled_from(TRIGGER), ANYTHING, max_size=6))
def test_any_trigger_becomes_a_delivery(fields: dict[str, Any]) -> None:
    raw = json.dumps({"earshot": 1, "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z"} | fields)
    assert receive_body(connection("zendesk"), {}, raw.encode(), NOW).verdict in {"accepted", "quarantined"}


@pytest.mark.parametrize("answers", [5, True, "x", {"a": 1}])
def test_answers_that_are_not_a_list_are_quarantined(answers: object) -> None:
    raw = json.dumps(payload("typeform", {"token": "t", "answers": answers}, "")).encode()
    delivery = receive_body(connection("typeform"), {}, raw, NOW)
    assert (delivery.verdict, delivery.reason) == ("quarantined", "form_response.answers is no list")

"""Front: webhooks of applications and of rules, full events and previews."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.ingest.api.connection_health import calls_api
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Request, read_settings
from services.ingest.domain.providers.tool_api import Fetch
from services.ingest.domain.record import Ticket, read_record
from tests import signing
from tests.unit.ingest.making import NOW, connection, request

PROVIDER = PROVIDERS["front"]
API = PROVIDER.api
assert API
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
OPENED = datetime(2026, 11, 20, 8, 0, 0, 872_000, tzinfo=UTC)
SYNC = b'{"type": "sync", "authorization": {"id": "cmp_abc"}}'


def value_of(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((FIXTURES / f"front__{name}.json").read_text())
    return value


def fixture(
    name: str, conversation: dict[str, Any] | None = None, message: dict[str, Any] | None = None, **changed: Any
) -> Request:
    """The request of a fixture, with changed fields of the event, of its conversation and of its message."""
    value = value_of(name) | changed
    value["conversation"] = value["conversation"] | (conversation or {})
    if message:
        value["target"]["data"] |= message
    return request(json.dumps(value).encode())


def raw(name: str) -> Request:
    return request((FIXTURES / f"front__{name}.json").read_bytes())


def parse(sent: Request, mapping: dict[str, Any] | None = None) -> Parsed:
    return PROVIDER.parse(sent, read_settings("front", mapping or {}))


def record(parsed: Parsed) -> Ticket:
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Ticket)
    return read


def facts(sent: Request, mapping: dict[str, Any] | None = None) -> Sequence[Any]:
    return record(parse(sent, mapping)).facts


# --- signatures and the handshake


def test_an_application_signs_timestamp_and_body() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    headers = {"X-Front-Request-Timestamp": "1753200000000", "X-Front-Signature": "8tkV9HuObonuVkSotyigX/nKcW/B38OSlnlOHFQFMvk="}
    sent_at = datetime.fromtimestamp(1753200000, UTC)
    PROVIDER.verify(request(body, headers), ["a-former-secret", "test-secret"], sent_at)
    for refused, now in (
        (request(body + b" ", headers), sent_at),
        (request(body, headers), sent_at + timedelta(minutes=6)),
        (request(body, headers | {"X-Front-Request-Timestamp": "1753200000001"}), sent_at),
        (request(body, headers | {"X-Front-Request-Timestamp": "now"}), sent_at),
    ):
        with pytest.raises(NotVerified):
            PROVIDER.verify(refused, ["test-secret"], now)


def test_a_rule_signs_the_body() -> None:
    body = b'{"event_id":"LtWXD3crgy","event_type":"form_response"}'
    headers = {"X-Front-Signature": "SkoM/XOId3hH7RpFzeirWFn1ljA="}
    PROVIDER.verify(request(body, headers), ["a-former-secret", "test-secret"], NOW)
    for refused in (request(body[:-1] + b"1}", headers), request(body), request(b"{", headers)):
        with pytest.raises(NotVerified):
            PROVIDER.verify(refused, ["test-secret"], NOW)


def test_a_rule_signs_the_json_as_javascript_writes_it() -> None:
    signed = '{"a":"ü","at":1518309203,"list":[1.5,true,null]}'.encode()
    headers = signing.front_rule("test-secret", signed)
    sent = b'{\n  "a": "\\u00fc", "at": 1518309203.0,\n  "list": [1.5, true, null]\n}'
    PROVIDER.verify(request(sent, headers), ["test-secret"], NOW)
    padded = sent[:-1] + b" " * 256 * 1024 + b"}"
    with pytest.raises(NotVerified):
        PROVIDER.verify(request(padded, headers), ["test-secret"], NOW)


def test_the_challenge_is_echoed_to_a_sync_alone() -> None:
    assert PROVIDER.respond
    headers = {"X-Front-Challenge": 'a "challenge"'}
    reply = PROVIDER.respond(request(SYNC, headers), [], NOW)
    assert reply
    assert (reply.status, reply.content_type, json.loads(reply.body)) == (200, "application/json", {"challenge": 'a "challenge"'})
    for other in (
        request(SYNC),
        request(raw("inbound").body, headers),
        request(b"{", headers),
        request(b"", headers, method="GET"),
        request(SYNC, {"X-Front-Challenge": "x" * 1_001}),
    ):
        assert PROVIDER.respond(other, [], NOW) is None
    assert parse(request(SYNC)).ignored == "sync"


# --- events


def test_the_inbound_message_that_began_the_conversation_is_the_opening() -> None:
    parsed = parse(raw("inbound"), {"dimensions": {"Plan": "segment", "inbox": "team", "tag": "product"}})
    read = record(parsed)
    assert (parsed.id, parsed.about, read.id, read.at, read.channel) == (
        "evt_1",
        ("ticket/cnv_keocka",),
        "cnv_keocka",
        OPENED,
        "email",
    )
    assert read.dimensions == {"segment": "pro", "team": "Support", "product": "Urgent"}
    assert read.customer
    assert (read.customer.id, read.customer.email) == ("front:crd_62euuy", "jo@example.org")
    [opened] = facts(raw("inbound"))
    assert (opened.fact, opened.by, opened.public, opened.text, opened.at) == (
        "opened", "customer", True, "My invoice is wrong.", OPENED
    )  # fmt: skip


def test_a_later_message_of_the_customer_is_no_opening() -> None:
    later = fixture("inbound", emitted_at=1795161606.5, message={"created_at": 1795161606, "text": None})
    [message] = facts(later)
    assert (message.fact, message.by, message.id, message.text) == ("message", "customer", "msg_1176r8y", "My invoice is wrong.")
    assert message.at == datetime(2026, 11, 20, 8, 0, 6, tzinfo=UTC)


def test_a_message_is_not_after_its_event() -> None:
    [message] = facts(fixture("out_reply", message={"created_at": 1795169999}))
    assert message.at == datetime(2026, 11, 20, 8, 20, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("out_reply", ("msg_1176ryy", "agent", "tea_2q21", True, False, "Which one?")),
        ("outbound_by_rule", ("msg_auto", "bot", None, True, True, "We got your message.")),
        ("comment", ("com_shgc2", "agent", "tea_40yq", False, False, None)),
    ],
)
def test_messages_have_their_authors_and_comments_are_private(name: str, expected: tuple[Any, ...]) -> None:
    [fact] = facts(raw(name))
    assert (fact.id, fact.by, fact.agent, fact.public, fact.auto, fact.text) == expected


@pytest.mark.parametrize(
    ("name", "status"),
    [("archive", "solved"), ("reopen", "open"), ("application_snoozed", "pending"), ("ticket_status_update", "pending")],
)
def test_an_event_states_the_status_after_it(name: str, status: str) -> None:
    assert [(fact.fact, fact.status) for fact in facts(raw(name))] == [("status", status)]


def test_ticket_statuses_of_the_companys_own_count_by_the_mapping() -> None:
    mapping = {"statuses": {"sts_5x": "on_hold"}}
    assert [fact.status for fact in facts(raw("ticket_status_update"), mapping)] == ["on_hold"]
    unknown = parse(fixture("ticket_status_update", {"status_category": "new"}))
    problem = "ticket status: unknown; declare your own in `statuses` of the mapping"
    assert (unknown.problem, unknown.problem_code) == (problem, "unknown_value")


def test_assignment_and_deletion_are_stated_and_taken_back() -> None:
    assert [fact.agent for fact in facts(raw("assign"))] == ["tea_2q21"]
    assert [(fact.fact, fact.agent) for fact in facts(raw("unassign"))] == [("assigned", None)]
    assert [(fact.fact, fact.value) for fact in facts(raw("trash"))] == [("deleted", True)]
    assert [(fact.fact, fact.value) for fact in facts(raw("restore"))] == [("deleted", False)]


def test_tags_and_moves_are_read_for_a_mapping_alone() -> None:
    assert parse(raw("tag")).ignored == "tag"
    read = record(parse(raw("tag"), {"dimensions": {"tag": "segment"}}))
    assert (read.facts, read.dimensions.get("segment")) == ((), "Urgent")
    assert parse(fixture("tag", type="mention")).ignored == "mention"


def test_events_of_applications_have_long_names() -> None:
    event = value_of("archive")
    del event["type"]
    wrapped = {"type": "conversation_archived", "authorization": {"id": "cmp_abc"}, "payload": event}
    assert [fact.status for fact in facts(request(json.dumps(wrapped).encode()))] == ["solved"]


def test_a_customer_without_a_contact_or_an_address_is_known_by_the_rest() -> None:
    phone = fixture("inbound", {"recipient": {"handle": "+15550100", "_links": {"related": {"contact": None}}}})
    customer = record(parse(phone)).customer
    assert customer
    assert (customer.id, customer.email) == ("front:+15550100", None)
    assert record(parse(fixture("inbound", {"recipient": None}))).customer is None


def test_teammates_have_names_and_customers_have_none() -> None:
    assert parse(raw("comment")).names == (("agent", "tea_2q21", "Ada Byron"), ("agent", "tea_40yq", "Ben Nevis"))
    author = {"id": "crd_62euuy", "first_name": "Jo", "last_name": "Doe"}
    assert parse(fixture("inbound", message={"author": author})).names == ()


# --- previews


def test_a_preview_is_read_as_far_as_it_goes() -> None:
    [message] = facts(raw("application_preview"))
    assert (message.fact, message.by, message.id, message.text) == ("message", "customer", "msg_1176r8y", None)


def test_the_full_event_of_a_preview_is_fetched_if_the_mapping_says_so() -> None:
    assert API
    settings = read_settings("front", {"fetch_previews": True})
    sent = raw("application_preview")
    pending = PROVIDER.parse(sent, settings)
    assert (pending.id, pending.fetch, pending.about) == ("evt_13", "event/evt_13", ("ticket/cnv_keocka",))
    assert list(API.fetches(sent, {}, settings)) == [Fetch("event", "/events/evt_13")]
    documents = {"event": value_of("inbound")}
    assert list(API.fetches(sent, documents, settings)) == []
    full = API.parse(sent, documents, settings)
    assert (full.id, record(full).facts) == ("evt_13", facts(raw("inbound")))
    assert PROVIDER.parse(raw("inbound"), settings).fetch is None
    assert PROVIDER.parse(raw("assign"), settings).fetch is None
    assert API.parse(sent, {"event": None}, settings).problem == "the event is missing"


@pytest.mark.parametrize("fetches", [True, False])
def test_the_health_of_the_api_is_part_of_a_connection_that_fetches_previews_alone(fetches: bool) -> None:
    settings = read_settings("front", {"fetch_previews": fetches})
    assert calls_api(connection("front", mapping=settings)) is fetches
    assert calls_api(connection("surveymonkey"))


def test_an_id_that_is_no_part_of_a_path_is_never_fetched() -> None:
    value = value_of("application_preview")
    value["payload"]["id"] = "../me"
    parsed = parse(request(json.dumps(value).encode()), {"fetch_previews": True})
    assert (parsed.fetch, parsed.problem) == (None, "id must be letters, digits, - and _")


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (fixture("archive", emitted_at=None), "emitted_at is missing"),
        (fixture("archive", emitted_at="2026-11-20T08:00:00Z"), "emitted_at is no Unix time in seconds"),
        (fixture("inbound", {"created_at": True}), "created_at is no Unix time in seconds"),
        (fixture("archive", {"id": None}), "conversation.id is missing"),
        (request(b"[]"), "the body is not an object"),
    ],
)
def test_a_payload_of_another_shape_is_a_problem(sent: Request, problem: str) -> None:
    assert parse(sent).problem == problem

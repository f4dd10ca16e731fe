"""CloudEvents: tokens, modes, versions, batches, and JSON of the sender's own."""

import base64
import json
from typing import Any

import pytest

from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Request
from services.ingest.domain.providers.cloudevents.mapping import CloudEventsSettings
from services.ingest.domain.receive import receive_all
from services.ingest.domain.record import Response, read_record
from tests import signing
from tests.unit.ingest.making import NOW, connection, nps, request, response, to_values

PROVIDER = PROVIDERS["cloudevents"]
SECRET, FORMER = "a-secret-token", "a-former-token"
STRUCTURED = "application/cloudevents+json; charset=utf-8"
BATCH = "application/cloudevents-batch+json"
RECORD = response(nps(9))
ENCODED = base64.b64encode(json.dumps(RECORD).encode()).decode()
BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "rated", "content-type": "application/json"}

RATED = {
    "order": {"number": 1042, "country": "DE"},
    "user": {"id": "c-7", "email": "jo@example.org"},
    "stars": 4,
    "why": "Quick.",
}
MAPPING = {
    "id": "order.number",
    "customer_id": "user.id",
    "customer_email": "user.email",
    "questions": {"stars": {"kind": "csat", "scale": [1, 5]}, "why": {"kind": "comment"}},
    "dimensions": {"order.country": "region", "ce.source": "channel", "ce.subject": "survey"},
}


def event(**changed: Any) -> dict[str, Any]:
    fields = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "rated", "time": "2026-11-20T10:00:00Z", "data": RECORD}
    return {name: value for name, value in (fields | changed).items() if value is not None}


def parse(body: Any, content_type: str = STRUCTURED, mapping: dict[str, Any] | None = None) -> Parsed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return PROVIDER.parse(request(raw, {"content-type": content_type}), CloudEventsSettings.model_validate(mapping or {}))


def parse_binary(body: bytes = json.dumps(RECORD).encode(), **headers: str) -> Parsed:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    stored = request(body, BINARY | named).headers.only(PROVIDER.stored_headers)
    return PROVIDER.parse(Request.stored(stored, body), CloudEventsSettings())


def mapped(**changed: Any) -> Response:
    """The response that an event with our own mapping becomes."""
    parsed = parse(event(data=RATED, subject="s-1") | changed, mapping=MAPPING)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    record = read_record(value, NOW)
    assert isinstance(record, Response)
    return record


# --- the token


@pytest.mark.parametrize(
    ("headers", "query", "verified"),
    [
        ({"authorization": f"Bearer {SECRET}"}, "", True),
        ({"authorization": f"bearer  {SECRET} "}, "", True),
        ({"authorization": f"Bearer {FORMER}"}, "", True),
        ({}, f"access_token={SECRET}", True),
        ({}, f"a=b&access_token={FORMER}", True),
        ({"authorization": "Bearer wrong"}, f"access_token={SECRET}", False),
        ({"authorization": f"Basic {SECRET}"}, "", False),
        ({"authorization": SECRET}, "", False),
        ({"authorization": "Bearer "}, "", False),
        ({}, "access_token=", False),
        ({}, "access_token=%ff", False),
        ({}, "", False),
    ],
)
def test_the_token_is_in_the_header_or_in_the_url(headers: dict[str, str], query: str, verified: bool) -> None:
    sent = request(b"{}", headers, query=query)
    if verified:
        PROVIDER.verify(sent, [SECRET, FORMER], NOW)
    else:
        with pytest.raises(NotVerified) as refusal:
            PROVIDER.verify(sent, [SECRET, FORMER], NOW)
        assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    ("secret", "refused"),
    [(SECRET, False), ("YWJjZGVmZ2g=", False), ("a token with blanks", True), ("kürzel-8", True), ("short", True)],
)
def test_a_secret_must_be_usable_as_a_bearer_token(secret: str, refused: bool) -> None:
    assert bool(PROVIDER.refuse_secret(secret)) == refused


# --- modes and versions


def test_a_structured_event_is_identified_by_source_and_id() -> None:
    parsed = parse(event())
    assert (parsed.id, list(parsed.records)) == ("/shop 1", [RECORD])
    assert parse(event(source="/a b", id="c")).id != parse(event(source="/a", id="b c")).id
    assert parse(event(), "application/json").records == parsed.records


def test_an_event_in_binary_mode_has_its_attributes_in_headers() -> None:
    parsed = parse_binary()
    assert (parsed.id, list(parsed.records)) == ("/shop 1", [RECORD])
    assert parse_binary(ce_id="Euro%20%E2%82%AC%2520").id == "/shop Euro €%20"
    assert parse_binary(ce_id='"a \\"b\\""').id == '/shop a "b"'
    assert parse_binary(ce_id="%C0%A0").problem == "a ce- header is not percent-encoded UTF-8"
    assert parse_binary(content_type="application/vnd.shop+json; charset=utf-8").problem is None
    assert parse_binary(content_type="").problem is None


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"specversion": "0.3"}, None),
        ({"specversion": "1.1"}, None),
        ({"extension": "x", "traceparent": "00-1", "dataschema": "https://shop.example/schema"}, None),
        ({"datacontenttype": "application/vnd.shop+json"}, None),
        ({"data": json.dumps(RECORD)}, None),
        ({"data": None, "data_base64": ENCODED}, None),
        ({"specversion": "0.3", "datacontentencoding": "base64", "data": ENCODED}, None),
        ({"specversion": "0.2"}, "specversion: versions 1.x and 0.3 are read"),
        ({"specversion": "2.0"}, "specversion: versions 1.x and 0.3 are read"),
        ({"specversion": None}, "specversion is missing: the body is no CloudEvents event, and there are no ce- headers"),
        ({"id": None}, "the event has no id"),
        ({"id": "", "source": None}, "the event has no id and no source"),
        ({"data": None}, "the event has no data"),
        ({"data": "hello"}, "the data is not JSON: Expecting value at character 0"),
        ({"data": "<a/>", "datacontenttype": "text/xml"}, "datacontenttype: the data must be JSON"),
        ({"data": None, "data_base64": "AAAA"}, "the data is not JSON: Expecting value at character 0"),
        ({"data": None, "data_base64": "%"}, "data_base64 is not base64"),
    ],
)  # fmt: skip
def test_an_event_is_read_as_far_as_it_can_be(changed: dict[str, Any], problem: str | None) -> None:
    parsed = parse(event(**changed))
    if problem is None:
        assert (parsed.problem, list(parsed.records)) == (None, [RECORD])
    elif problem.startswith("the data is"):
        assert (parsed.problem or "").startswith("the data is not JSON")
    else:
        assert parsed.problem == problem


def test_data_that_is_not_json_is_a_problem_in_binary_mode() -> None:
    assert parse_binary(b"hello", content_type="text/plain").problem == "datacontenttype: the data must be JSON"
    assert parse_binary(b"").problem == "the event has no data"
    assert parse_binary(ce_specversion="0.1").problem == "specversion: versions 1.x and 0.3 are read"


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        (STRUCTURED, True),
        ("Application/CloudEvents-Batch+JSON", True),
        ("application/cloudevents+avro", False),
        ("application/cloudevents+xml", False),
        ("application/cloudevents-batch+protobuf", False),
        ("text/xml", False),
        ("text/plain", True),
    ],
)
def test_formats_of_events_other_than_json_are_not_accepted(content_type: str, accepted: bool) -> None:
    assert PROVIDER.accepts(request(headers={"content-type": content_type})) == accepted


def test_the_token_is_not_stored_with_a_delivery() -> None:
    [delivery] = receive_all(
        connection("cloudevents"), request(b"{}", signing.cloudevents(SECRET, b"{}"), query=f"access_token={SECRET}"), NOW
    )
    assert SECRET not in str(delivery)


# --- batches
TOO_MANY = b"[" + b",".join([b"1"] * 1001) + b"]"


@pytest.mark.parametrize("content_type", [BATCH, "application/json"])
def test_each_event_of_a_batch_is_a_delivery_of_its_own(content_type: str) -> None:
    tool = connection("cloudevents", mapping=CloudEventsSettings())
    body = json.dumps([event(id="1"), event(id="2", data={"type": "review"}), event(id="3", specversion="9")]).encode()
    deliveries = receive_all(tool, request(body, {"content-type": content_type}), NOW)
    assert [one.verdict for one in deliveries] == ["accepted", "quarantined", "quarantined"]
    assert [one.id for one in deliveries][:2] == ["/shop 1", "/shop 2"]
    assert json.loads(deliveries[1].raw) == event(id="2", data={"type": "review"})
    [alone] = receive_all(tool, request(json.dumps(event(id="1")).encode(), {"content-type": STRUCTURED}), NOW)
    assert (alone.id, alone.statements[0].fingerprint) == (deliveries[0].id, deliveries[0].statements[0].fingerprint)


@pytest.mark.parametrize(
    ("body", "verdict", "reason", "code"),
    [
        (b"[]", "ignored", "empty-batch", None),
        (b'[{"a": 1}', "quarantined", "the batch is not a JSON array of events", "malformed_body"),
        (b"{}", "quarantined", "the batch is not a JSON array of events", "malformed_body"),
        (TOO_MANY, "quarantined", "a batch has at most 1000 events: send them in several", "too_large"),
        (b"[[1]]", "quarantined", "a batch within a batch", "unexpected_payload"),
    ],
)
def test_a_batch_that_cannot_be_split_is_one_delivery(body: bytes, verdict: str, reason: str, code: str | None) -> None:
    tool = connection("cloudevents", mapping=CloudEventsSettings())
    [delivery] = receive_all(tool, request(body, {"content-type": BATCH}), NOW)
    assert (delivery.verdict, delivery.reason, delivery.reason_code) == (verdict, reason, code)


def test_an_array_as_data_in_binary_mode_is_no_batch() -> None:
    assert len(PROVIDER.requests(request(b"[{}, {}]", BINARY))) == 1


# --- JSON of the sender's own


def test_the_mapping_names_the_fields_of_a_response() -> None:
    record = mapped()
    assert (record.id, record.channel, record.survey and record.survey.id) == ("1042", "/shop", "s-1")
    assert record.at == record.updated_at
    assert record.customer
    assert (record.customer.id, record.customer.email) == ("c-7", "jo@example.org")
    assert record.dimensions.get("region") == "DE"
    stars, why = record.answers
    assert to_values(stars) == {"question": "stars", "kind": "csat", "scale": (1, 5), "value": 4}
    assert to_values(why) == {"question": "why", "kind": "comment", "text": "Quick."}


def test_without_an_id_in_the_mapping_each_event_is_a_response_of_its_own() -> None:
    mapping = {name: value for name, value in MAPPING.items() if name != "id"}
    ids = [
        parse(event(data=RATED, id=name, source=source), mapping=mapping).records[0]["id"]
        for name, source in (("1", "/a"), ("1", "/b"), ("2", "/a"))
    ]
    assert ids == ["/a 1", "/b 1", "/a 2"]
    [long] = parse(event(data=RATED, id="x" * 300), mapping=mapping).records
    assert len(long["id"]) == 32


def test_the_time_of_the_answer_may_be_a_field_and_the_time_of_the_event_is_that_of_the_edit() -> None:
    mapping = MAPPING | {"at": "rated_at"}
    [record] = parse(event(data=RATED | {"rated_at": "2026-11-19T09:00:00Z"}), mapping=mapping).records
    assert (record["at"], record["updated_at"]) == ("2026-11-19T09:00:00Z", "2026-11-20T10:00:00Z")
    assert parse(event(data=RATED), mapping=mapping).problem == "the event has no field for mapping.at"
    assert parse(event(data=RATED, time=None), mapping=MAPPING).problem == "the event has no time"


@pytest.mark.parametrize(
    ("value", "read"), [(4, 4), (4.0, 4), (True, 1), (None, None)],
)  # fmt: skip
def test_a_rating_is_a_number_a_boolean_or_null(value: Any, read: int | None) -> None:
    assert mapped(data=RATED | {"stars": value}).answers[0].value == read


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (RATED | {"stars": "4"}, "question stars is a rating by the mapping, but its value is no number"),
        (RATED | {"why": 5}, "question why is a comment, but its value is no text"),
        (RATED | {"order": {}}, "the field of mapping.id is missing, or is neither text nor a whole number"),
        ({"order": {"number": 1}}, "the data has none of the mapped questions; `types` leaves out events of other types"),
        ([RATED], "the data is not an object"),
    ],
)
def test_data_that_does_not_fit_the_mapping_is_a_problem(data: Any, problem: str) -> None:
    parsed = parse(event(data=data), mapping=MAPPING)
    assert (parsed.id, parsed.problem) == ("/shop 1", problem)


def test_a_problem_names_the_response_that_the_event_is_about() -> None:
    assert parse(event(data=RATED | {"stars": "4"}), mapping=MAPPING).about == ("response/1042",)


def test_a_question_that_is_ignored_or_absent_is_no_answer() -> None:
    mapping = MAPPING | {"questions": {"stars": {"kind": "ignore"}, "why": {"kind": "comment"}, "nps": {"kind": "nps"}}}
    parsed = parse(event(data=RATED), mapping=mapping)
    assert [answer["question"] for answer in parsed.records[0]["answers"]] == ["why"]
    assert parsed.use.questions == {"stars", "why"}
    assert parsed.use.dimensions == {"order.country", "ce.source"}


def test_a_key_may_have_dots_and_be_in_any_unicode_form() -> None:
    questions = {"a.b": {"kind": "comment"}, "größe": {"kind": "comment"}}
    data = {"a.b": "x", "gro\u0308\u00dfe": "y"}
    [record] = parse(event(data=data), mapping={"questions": questions}).records
    assert [answer["text"] for answer in record["answers"]] == ["x", "y"]


def test_events_of_other_types_are_ignored() -> None:
    mapping = MAPPING | {"types": ["rated"]}
    assert parse(event(data=RATED), mapping=mapping).ignored is None
    assert parse(event(type="viewed"), mapping=mapping).ignored == "viewed"
    assert parse(event(type="viewed"), mapping={"types": ["rated"]}).ignored == "viewed"

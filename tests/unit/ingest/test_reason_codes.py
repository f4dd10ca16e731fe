"""Each reason for quarantine has a stable code."""

import json
from functools import reduce
from pathlib import Path
from typing import Any, get_args

import pytest

from services.ingest.domain.api_outcome import Failure, failure_of_status, reason_code_of
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.reason_codes import REASON_CODES, ReasonCode
from services.ingest.domain.receive import receive
from tests.unit.ingest.making import NOW, connection, delivery_request, nps, receive_body, response

FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
HEADERS = {"webhook-id": "msg_1", "x-intercom": "1", "content-type": "application/json"}
CSAT = {"question": "q1", "kind": "csat", "scale": [1, 5], "value": 7}
ANSWER = {"type": "text", "text": "good", "field": {"id": "x", "ref": "score", "type": "short_text"}}
FORM = {"form_id": "f", "token": "t", "submitted_at": "2026-11-20T10:00:00Z", "answers": [ANSWER]}
MAPPED = {"mapping": {"questions": {"score": {"kind": "nps"}}}}
COMMENTED = {"mapping": {"questions": {"score": {"kind": "comment"}}}}
CHOICE = ANSWER | {"type": "choice", "choice": {"label": "very"}}
RATED = {"mapping": {"id": "id", "at": "at", "questions": {"stars": {"kind": "nps"}, "why": {"kind": "comment"}}}}
RATING = {"id": 1, "at": "2026-11-20T10:00:00Z", "stars": 9}
CHATWOOT = {
    "event": "conversation_status_changed", "id": 1, "status": "odd", "created_at": 1763625600, "updated_at": 1763625600,
    "messages": [],
}  # fmt: skip


def record(value: Any) -> bytes:
    return json.dumps({"data": value}).encode()


def cloud_event(data: Any, **fields: Any) -> bytes:
    """An event; one without data if `data` is None."""
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "rated", "time": "2026-11-20T10:00:00Z"}
    return json.dumps(event | ({} if data is None else {"data": data}) | fields).encode()


def submission(**fields: Any) -> bytes:
    return json.dumps({"event_id": "e", "event_type": "form_response", "form_response": FORM | fields}).encode()


@pytest.mark.parametrize(
    ("provider", "settings", "body", "code"),
    [
        ("standard", {}, b"{broken", "malformed_body"),
        ("standard", {}, b"\xff", "malformed_body"),
        ("standard", {}, b'{"data": ' + b"[" * 70 + b"]" * 70 + b"}", "too_large"),
        ("standard", {}, b'{"data": [' + b"1," * 50_001 + b"1]}", "too_large"),
        ("standard", {}, b"[]", "unexpected_payload"),
        ("standard", {}, record(response(nps(9), odd=1)), "invalid_record"),
        ("standard", {}, record(response(CSAT)), "outside_scale"),
        ("standard", {}, record(response(nps(9), at="2027-01-01T00:00:00Z")), "time_in_future"),
        ("typeform", {}, b'{"event_id": "e", "event_type": "form_response"}', "unexpected_payload"),
        ("typeform", MAPPED, submission(), "mapping_mismatch"),
        ("typeform", COMMENTED, submission(answers=[CHOICE]), "mapping_mismatch"),
        ("chatwoot", {}, json.dumps(CHATWOOT).encode(), "unknown_value"),
        ("freshdesk", {}, b'{"earshot": 1, "event": "solved"}', "unknown_value"),
        ("cloudevents", {}, cloud_event({}, datacontenttype="text/plain"), "malformed_body"),
        ("cloudevents", {}, cloud_event(None, data_base64="?"), "malformed_body"),
        ("cloudevents", RATED, cloud_event({"id": 1}), "mapping_mismatch"),
        ("cloudevents", RATED, cloud_event(RATING | {"id": {}}), "mapping_mismatch"),
        ("cloudevents", RATED, cloud_event({"id": 1, "stars": 9}), "mapping_mismatch"),
        ("cloudevents", {"mapping": {"questions": {"stars": {"kind": "nps"}}}}, cloud_event(RATING, time=None),
         "unexpected_payload"),
        ("cloudevents", RATED, cloud_event(RATING | {"why": 5}), "mapping_mismatch"),
        ("cloudevents", RATED, cloud_event(RATING | {"stars": "9"}), "mapping_mismatch"),
    ],
)  # fmt: skip
def test_a_quarantined_delivery_has_the_code_of_its_reason(
    provider: str, settings: dict[str, Any], body: bytes, code: ReasonCode
) -> None:
    delivery = receive_body(connection(provider, **read(provider, settings)), HEADERS, body, NOW)
    assert (delivery.verdict, delivery.reason_code) == ("quarantined", code), delivery.reason


SURVICATE = {"mapping": {"questions": {"12123": {"kind": "csat", "scale": [1, 5]}, "9": {"kind": "comment"}}}}
FORMBRICKS = {"mapping": {"questions": {"nps_question": {"kind": "nps"}, "open_text": {"kind": "comment"}}}}


@pytest.mark.parametrize(
    ("fixture", "settings", "place", "value", "code"),
    [
        ("delighted__survey_response.created", {}, "event_data/score", "9", "mapping_mismatch"),
        ("formbricks__responseFinished", FORMBRICKS, "data/data/nps_question", "9", "mapping_mismatch"),
        ("formbricks__responseFinished", FORMBRICKS, "data/data/open_text", ["a"], "mapping_mismatch"),
        ("gorgias__ticket_created", {}, "status", "resolved", "unknown_value"),
        ("gorgias__ticket_created", {}, "spam", "maybe", "unknown_value"),
        ("helpscout__convo.status", {}, "body/status", "parked", "unknown_value"),
        ("helpscout__satisfaction.ratings", {}, "body/rating", "Meh", "unknown_value"),
        ("survicate__rating", SURVICATE, "event/questionAnswered/choice/body", "So so", "mapping_mismatch"),
        ("survicate__rating", SURVICATE, "event/questionAnswered/question/id", 9, "mapping_mismatch"),
        ("zammad__agent_reply", {}, "body/article/sender", "Robot", "unknown_value"),
        ("intercom__conversation.user.created", {}, "data/item/state", "parked", "unknown_value"),
        ("intercom__conversation.user.created", {}, "data/item/source/author/type", "robot", "unknown_value"),
        ("intercom__ticket.created", {}, "data/item/ticket_state", {"category": "parked"}, "unknown_value"),
    ],
)
def test_a_value_that_can_not_be_used_has_its_code(
    fixture: str, settings: dict[str, Any], place: str, value: Any, code: ReasonCode
) -> None:
    payload, provider = json.loads((FIXTURES / f"{fixture}.json").read_text()), fixture.partition("__")[0]
    *parents, name = place.split("/")
    reduce(lambda part, key: part[key], parents, payload)[name] = value
    delivery = receive(connection(provider, **read(provider, settings)), delivery_request(payload), NOW)
    assert (delivery.verdict, delivery.reason_code) == ("quarantined", code), delivery.reason


def read(provider: str, settings: dict[str, Any]) -> dict[str, Any]:
    mapping = connection(provider).mapping
    return {name: type(mapping).model_validate(value) for name, value in settings.items()}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_says_that_a_body_is_no_json(provider: str) -> None:
    delivery = receive_body(connection(provider), HEADERS, b"{broken", NOW)
    assert (delivery.verdict, delivery.reason_code) == ("quarantined", "malformed_body"), delivery.reason


def test_an_accepted_delivery_has_no_code() -> None:
    assert receive_body(connection(), HEADERS, record(response(nps(9))), NOW).reason_code is None


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (failure_of_status(403, "", NOW), "api_forbidden"),
        (failure_of_status(422, "", NOW), "api_refused"),
        (failure_of_status(503, "", NOW), "api_unavailable"),
        (Failure("retry", "timeout", ""), "api_unavailable"),
        (Failure("retry", "malformed", ""), "api_unavailable"),
        (Failure("quarantine", "too_large", ""), "too_large"),
        (Failure("quarantine", "unusable", ""), "unexpected_payload"),
        (Failure("quarantine", "fault", ""), "internal_fault"),
    ],
)
def test_a_delivery_that_could_not_be_fetched_has_the_code_of_the_failure(failure: Failure, code: ReasonCode) -> None:
    assert reason_code_of(failure) == code


def test_each_code_has_a_meaning() -> None:
    assert tuple(REASON_CODES) == get_args(ReasonCode)

"""Every provider keeps the same contract, so ingest treats them alike. A fake one shows that all of the interface works."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed, Provider, Request, read_settings
from tests import fake_provider, signing
from tests.fake_provider import FAKE, FakeSettings
from tests.unit.ingest.making import NOW, connection, fixture_request, receive_body, request

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "fixtures" / "providers"
URL = request().url
ALL: dict[str, Provider[Any]] = {**PROVIDERS, "fake": FAKE}
CONTENT_TYPES = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
    "multipart": 'multipart/form-data; boundary="x"',
    "xml": "text/xml; charset=utf-8",
}

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "event_type", "form_response", "detail", "event", "data", "earshot", "kind"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
BODIES = st.binary(max_size=200) | JSON_VALUES.map(lambda value: json.dumps(value).encode())

Signer = Callable[[str, bytes], dict[str, str]]
SIGNERS: dict[str, Signer] = {
    "asknicely": signing.shared_secret,
    "chatwoot": lambda secret, body: signing.chatwoot(secret, body, at=NOW.timestamp()),
    "cloudevents": signing.cloudevents,
    "delighted": signing.delighted,
    "standard": lambda secret, body: signing.standard(secret, body, at=NOW.timestamp()),
    "formbricks": lambda secret, body: signing.standard(secret, body, at=NOW.timestamp()),
    "freshdesk": signing.shared_secret,
    "front": lambda secret, body: signing.front(secret, body, at=NOW.timestamp()),
    "google_forms": lambda secret, body: signing.standard(secret, body, at=NOW.timestamp()),
    "gorgias": signing.shared_secret,
    "helpscout": signing.helpscout,
    "hubspot": lambda secret, body: signing.hubspot(secret, body, url=URL, at=NOW.timestamp()),
    "intercom": signing.intercom,
    "jira": signing.jira,
    "jotform": signing.shared_secret,
    "qualtrics": signing.shared_secret,
    "surveymonkey": signing.surveymonkey,
    "survicate": signing.survicate,
    "tally": signing.tally,
    "trustpilot": signing.shared_secret,
    "typeform": signing.typeform,
    "zammad": signing.zammad,
    "zendesk": lambda secret, body: signing.zendesk(secret, body, at=NOW),
    "fake": lambda secret, body: fake_provider.sign(secret, body, URL, NOW),
}

BEARER = {"asknicely", "cloudevents", "freshdesk", "gorgias", "jotform", "qualtrics", "trustpilot"}
"""Providers whose tools present the secret itself, so that the body is not signed."""
UNSIGNED = (
    "content-type",
    "sm-apikey",
    "x-zendesk-webhook-invocation-id",
    "x-chatwoot-delivery",
    "x-helpscout-event",
    "x-zammad-delivery",
    "x-atlassian-webhook-identifier",
)

every_provider = pytest.mark.parametrize("name", sorted(ALL))


@every_provider
def test_a_new_secret_is_usable_and_its_signature_is_accepted(name: str) -> None:
    provider = ALL[name]
    secret, former = provider.new_secret(bytes(range(32))), provider.new_secret(bytes(32))
    assert provider.refuse_secret(secret) is None
    provider.verify(request(b"{}", SIGNERS[name](secret, b"{}")), [former, secret], NOW)


@every_provider
def test_a_wrong_signature_is_refused(name: str) -> None:
    provider = ALL[name]
    secret, other = provider.new_secret(bytes(range(32))), provider.new_secret(bytes(32))
    headers = SIGNERS[name](secret, b"{}")
    requests = [request(b"{}"), request(b"{}", SIGNERS[name](other, b"{}"))]
    requests += [request(b"{} ", headers)] if name not in BEARER else []
    signed = [header for header in headers if header.lower() not in UNSIGNED]
    requests += [request(b"{}", headers | {header: value}) for header in signed for value in ("", "ü", "AAAA")]
    for forged in requests:
        with pytest.raises(NotVerified):
            provider.verify(forged, [secret], NOW)
    with pytest.raises(NotVerified):
        provider.verify(request(b"{}", headers), [], NOW)


@every_provider
@given(body=BODIES, content_type=st.sampled_from(["", *CONTENT_TYPES.values()]))
def test_parse_never_raises(name: str, body: bytes, content_type: str) -> None:
    provider = ALL[name]
    stored = Request.stored({"content-type": content_type} if content_type else {}, body)
    assert isinstance(provider.parse(stored, provider.settings()), Parsed)


@every_provider
@given(body=BODIES | st.lists(JSON_VALUES, max_size=4).map(lambda value: json.dumps(value).encode()))
def test_a_request_has_at_least_one_delivery_and_each_is_read(name: str, body: bytes) -> None:
    provider = ALL[name]
    deliveries = provider.requests(request(body))
    assert deliveries
    assert all(isinstance(provider.parse(one, provider.settings()), Parsed) for one in deliveries)


@every_provider
@settings(max_examples=30)
@given(body=BODIES, query=st.text(max_size=20), method=st.sampled_from(["GET", "HEAD", "POST"]))
def test_respond_raises_nothing_but_not_verified(name: str, body: bytes, query: str, method: str) -> None:
    respond = ALL[name].respond
    if respond:
        try:
            respond(request(body, method=method, query=query), ["a-secret"], NOW)
        except NotVerified:
            return


@every_provider
def test_only_the_content_types_that_the_tool_sends_are_accepted(name: str) -> None:
    provider = ALL[name]
    for body_type, content_type in CONTENT_TYPES.items():
        sent = request(headers={"Content-Type": content_type.upper() if body_type != "multipart" else content_type})
        assert provider.accepts(sent) == (body_type in provider.body_types)
    for content_type, accepted in (("image/png", False), ("application/octet-stream", False), ("text/plain", True), ("", True)):
        assert provider.accepts(request(headers={"Content-Type": content_type})) == accepted
    assert provider.accepts(request())


@every_provider
def test_the_content_type_is_stored_where_it_decides_how_a_body_is_parsed(name: str) -> None:
    provider = ALL[name]
    assert provider.body_types == ("json",) or "content-type" in provider.stored_headers
    assert all(header == header.lower() for header in provider.stored_headers)


@every_provider
def test_settings_round_trip_as_json_and_have_defaults(name: str) -> None:
    model = ALL[name].settings
    values = model()
    assert model.model_validate(values.model_dump(mode="json", exclude_none=True)) == values
    with pytest.raises(ValidationError):
        model.model_validate({"no such setting": 1})


STORED_MAPPING = {
    "questions": {"q": {"kind": "csat", "scale": [1, 5]}, "r": {"kind": "ces", "polarity": "easy_is_low"}},
    "dimensions": {"plan": "segment"},
}


@pytest.mark.parametrize("name", ["standard", "typeform", "zendesk"])
def test_the_settings_that_connections_have_stored_stay_valid(name: str) -> None:
    stored = read_settings(name, STORED_MAPPING)
    assert isinstance(stored, FieldMapping)
    assert stored.model_dump(mode="json", exclude_none=True, exclude_unset=True) == STORED_MAPPING


def test_a_connection_without_a_provider_of_this_version_has_empty_settings() -> None:
    assert read_settings("api", {}) == read_settings("from-a-newer-version", {"x": 1}) == FieldMapping()


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_a_provider_has_payloads_that_it_reads(name: str) -> None:
    requests = [fixture_request(path) for path in FIXTURES.glob(f"{name}__*.json")]
    assert requests
    provider = PROVIDERS[name]
    for delivery in [one for sent in requests for one in provider.requests(sent)]:
        assert provider.parse(delivery, provider.settings()).problem is None


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_a_payload_without_the_kind_of_its_event_is_quarantined_with_its_body(name: str) -> None:
    delivery = receive_body(connection(name), {}, b"{}", NOW)
    assert (delivery.verdict, delivery.raw) == ("quarantined", b"{}"), delivery.reason


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_the_listed_content_of_a_provider_covers_its_payloads(name: str) -> None:
    provider = PROVIDERS[name]
    contents: set[str] = set()
    for path in FIXTURES.glob(f"{name}__*.json"):
        for delivery in provider.requests(fixture_request(path)):
            parsed = provider.parse(delivery, provider.settings())
            contents |= {"names"} if parsed.names else set()
            for record in parsed.records:
                facts = record.get("facts", ())
                contents |= {f"ticket.{fact['fact']}" for fact in facts} if record["type"] == "ticket" else {record["type"]}
    assert contents <= set(provider.content)
    assert len(set(provider.content)) == len(provider.content)
    assert provider.title


# --- the fake provider uses what the real ones do not


def test_an_array_of_events_states_one_record_for_each_that_is_used() -> None:
    [first, second] = FAKE.parse(request(fake_provider.events(5, 2)), FakeSettings()).records
    assert (first["id"], second["id"], second["answers"][0]["value"]) == ("e-0", "e-1", 2)
    assert FAKE.parse(request(fake_provider.events(5, kind="seen")), FakeSettings()).ignored == "seen"


def test_the_settings_of_a_provider_decide_how_it_reads_a_payload() -> None:
    [record] = FAKE.parse(request(fake_provider.events(9)), FakeSettings(scale=10)).records
    assert record["answers"][0]["scale"] == [1, 10]


def test_a_form_is_read_like_an_event() -> None:
    urlencoded = request(fake_provider.form(4), {"content-type": CONTENT_TYPES["form"]})
    assert FAKE.parse(urlencoded, FakeSettings()).records[0]["answers"][0]["value"] == 4


def test_a_challenge_is_answered_to_whoever_knows_the_secret() -> None:
    assert FAKE.respond
    reply = FAKE.respond(request(method="GET", query="challenge=42%20x&token=a-secret"), ["a-secret"], NOW)
    assert reply
    assert (reply.status, reply.content_type, reply.body) == (200, "text/plain", b"42 x")
    with pytest.raises(NotVerified):
        FAKE.respond(request(method="GET", query="challenge=42&token=other"), ["a-secret"], NOW)
    assert FAKE.respond(request(fake_provider.events(5)), ["a-secret"], NOW) is None

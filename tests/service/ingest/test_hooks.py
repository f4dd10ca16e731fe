"""The public route: authentication, answers, and hostile bodies."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest.domain.providers import PROVIDERS
from tests.service.ingest.client import IngestClient
from tests.signing import SIGN, standard
from tests.unit.ingest.making import comment, fixture_request, nps, response

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "providers").glob("*.json"))
MIB = 1024 * 1024


def wrapped(**fields: Any) -> bytes:
    return json.dumps({"data": response(nps(9)) | fields}).encode()


def number(text: bytes) -> bytes:
    return wrapped().replace(b'"value": 9', b'"value": ' + text)


async def test_a_signed_delivery_is_accepted_and_its_retry_is_a_duplicate(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    body = wrapped(customer={"email": "jo@example.org"})
    assert (await ingest.deliver(connection, body, delivery="msg_1")).json() == {"status": "accepted"}
    again = await ingest.deliver(connection, body, delivery="msg_1", at=time.time() - 60)
    assert (again.status_code, again.json()) == (202, {"status": "duplicate"})
    [event] = await ingest.events()
    assert (event.subject, event.statement, event.source) == (f"{connection['id']}/response/r-1", "msg_1#0", "standard")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
async def test_every_fixture_is_read(ingest: IngestClient, path: Path) -> None:
    provider, sent = path.name.split("__")[0], fixture_request(path)
    connection = await ingest.connect(provider)
    signing = {"url": connection["hook_url"]} if provider == "hubspot" else {}
    headers = SIGN[provider](connection["secret"], sent.body, **signing)
    event_headers = sent.headers.only(PROVIDERS[provider].stored_headers)
    answer = await ingest.http.post(f"/v1/hooks/{connection['id']}", content=sent.body, headers=headers | event_headers)
    unused, thin = ("partial", "tags_changed", "front__tag"), ("surveymonkey__", "qualtrics__")
    if path.stem == "hubspot__events":
        expected = "mixed"
    elif path.stem.startswith(thin):
        expected = "pending"
    else:
        expected = "ignored" if path.stem.endswith(unused) else "accepted"
    assert answer.json()["status"] == expected


async def test_pieces_of_a_ticket_become_statements_of_one_subject(ingest: IngestClient) -> None:
    connection = await ingest.connect("zendesk")
    for path in FIXTURES:
        if path.name.startswith("zendesk__ticket."):
            await ingest.deliver(connection, path.read_bytes())
    events = await ingest.events()
    assert {event.subject for event in events} == {f"{connection['id']}/ticket/35436"}
    assert len({event.statement for event in events}) == len(events) == 8
    assert all(b"5880030" not in message.value for message in ingest.broker.sent)


@pytest.mark.parametrize("changed", [{}, {"webhook-signature": "v1,AAAA"}, {"webhook-id": "other"}, {"webhook-timestamp": "1"}])
async def test_without_a_valid_and_recent_signature_the_answer_is_401(ingest: IngestClient, changed: dict[str, str]) -> None:
    connection = await ingest.connect()
    headers = standard(connection["secret"], wrapped()) | changed if changed else {}
    answer = await ingest.http.post(f"/v1/hooks/{connection['id']}", content=wrapped(), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert await ingest.events() == []


async def test_another_connections_secret_is_401(ingest: IngestClient) -> None:
    mine, other = await ingest.connect(), await ingest.connect()
    assert (await ingest.deliver(mine | {"secret": other["secret"]}, wrapped())).status_code == 401


HOSTILE = {
    "empty": b"",
    "broken": b'{"data": ',
    "not UTF-8": b'{"data": "\xff\xfe"}',
    "NUL": wrapped(id="a\0b"),
    "a lone surrogate": wrapped().replace(b"r-1", b"\\ud800"),
    "10,000 deep": b'{"data": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "1e400": number(b"1e400"),
    "NaN": number(b"NaN"),
    "a huge integer": number(b"9" * 5000),
    "a float": number(b"9.5"),
    "off its scale": number(b"11"),
    "the year 9999": wrapped(at="9999-12-31T23:59:59Z"),
    "the year 1": wrapped(at="0001-01-01T00:00:00+14:00"),
    "a key twice": wrapped().replace(b'"id"', b'"id": "x", "id"'),
    "an unknown field": wrapped(colour="blue"),
    "no record": b'{"type": "ping"}',
    "a list": b"[]",
    "a very long id": wrapped(id="x" * 100_000),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_body_is_quarantined_with_its_reason_and_the_next_is_served(ingest: IngestClient, body: bytes) -> None:
    connection = await ingest.connect()
    answer = await ingest.deliver(connection, body)
    assert (answer.status_code, answer.json()) == (202, {"status": "quarantined"})
    [item] = (await ingest.call("GET", "/v1/quarantine")).json()["items"]
    assert item["reason"]
    assert await ingest.deliver_record(connection, response(nps(9))) == "accepted"


@given(body=st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "id", "at", "answers", "facts", "x"]), inner),
).map(lambda value: json.dumps({"data": value}).encode()))  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_no_body_makes_a_5xx(ingest: IngestClient, body: bytes) -> None:
    connection = await ingest.connect()
    assert (await ingest.deliver(connection, body)).status_code == 202


async def test_a_time_in_the_future_is_quarantined(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    for minutes, status in ((4, "accepted"), (6, "quarantined")):
        at = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        assert await ingest.deliver_record(connection, response(nps(9), id=f"r-{minutes}", at=at)) == status


async def test_an_oversized_body_is_413_and_drained(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    assert (await ingest.deliver(connection, b"x" * MIB)).json() == {"status": "quarantined"}
    for size in (MIB + 1, 4 * MIB):
        answer = await ingest.deliver(connection, b"x" * size)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "multipart/form-data; boundary=x"}, {"content-type": "application/xml"}, {"content-encoding": "gzip"}],
)
async def test_other_media_types_and_compressed_bodies_are_415(ingest: IngestClient, headers: dict[str, str]) -> None:
    connection = await ingest.connect()
    signed = standard(connection["secret"], wrapped()) | headers
    answer = await ingest.http.post(f"/v1/hooks/{connection['id']}", content=wrapped(), headers=signed)
    assert answer.status_code == 415


async def test_only_a_connection_that_never_existed_is_404(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    assert (await ingest.http.post("/v1/hooks/con_never", content=b"{}")).status_code == 404
    built_in = (await ingest.call("GET", "/v1/connections")).json()["connections"][0]
    assert (await ingest.http.post(f"/v1/hooks/{built_in['id']}", content=b"{}")).status_code == 404
    await ingest.call("DELETE", f"/v1/connections/{connection['id']}")
    answer = await ingest.deliver(connection, wrapped())
    assert (answer.status_code, answer.json()) == (202, {"status": "ignored"})
    assert await ingest.events() == []


async def test_handshakes_of_tools_are_answered(ingest: IngestClient) -> None:
    hook = f"/v1/hooks/{(await ingest.connect())['id']}"
    assert (await ingest.http.head(hook)).status_code == 200
    assert (await ingest.http.get(hook)).status_code == 200
    answer = await ingest.http.options(hook, headers={"WebHook-Request-Origin": "events.example"})
    assert (answer.status_code, answer.headers["webhook-allowed-origin"]) == (200, "events.example")
    assert (await ingest.http.put(hook)).status_code == 405
    assert (await ingest.http.head("/v1/hooks/con_never")).status_code == 404


@pytest.mark.parametrize("connection", ["%00", "%ff", "con_" + "0" * 31 + "%00", "x" * 60_000, "con_" + "A" * 32])
async def test_a_text_that_is_no_connection_id_is_404(ingest: IngestClient, connection: str) -> None:
    assert (await ingest.http.get(f"/v1/hooks/{connection}")).status_code == 404
    assert (await ingest.call("GET", f"/v1/connections/{connection}")).status_code == 404


async def test_identities_in_comments_are_redacted(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    texts = comment("I am jane.doe@example.com, +49 30 1234567, card 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00")
    await ingest.deliver_record(connection, response(texts, customer={"id": "c-1", "email": "jane.doe@example.com"}))
    [event] = await ingest.events()
    assert event.body.answers[0].text == "I am [email], [phone], card [card], [iban]"  # type: ignore[union-attr]
    assert event.customer

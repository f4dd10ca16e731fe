"""Bodies of any form are searched for a customer's ids and addresses."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.customer_search import parse_stored, pseudonyms_in, shared_addresses, subjects_of, tokens
from services.ingest.domain.providers import Parsed
from services.ingest.domain.pseudonym import pseudonym_of_email, pseudonym_of_id
from tests.unit.ingest.making import connection

KEY = b"k" * 32
ANNA = {pseudonym_of_id(KEY, "c-77"), pseudonym_of_email(KEY, "anna@example.org")}


def names_anna(raw: bytes) -> bool:
    return not ANNA.isdisjoint(pseudonyms_in(raw, KEY))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": {"b": [1, {"c": "c-77"}]}}',
        b'{"c-77": true}',
        b'{"id": "c-77", "id": "other"}',
        b'{"customer": {"email": "Anna@Example.ORG"}}',
        b'{"text": "write to anna@example.org."}',
        b'{"text": "customer c-77, again"}',
        b'{"html": "<a href=\\"mailto:anna@example.org\\">me</a>"}',
        b'{"html": "anna&#64;example.org"}',
        b'{"url": "https://example.com/?who=anna%40example.org&x=1"}',
        b'{"json": "{\\"id\\": \\"c-77\\"}"}',
        b'{"text": "anna\\u0040example.org"}',
        '{"text": "\u90ae\u7bb1anna@example.org\u8c22\u8c22"}'.encode(),
        b'{"requester": "c-77", "comment": "she said "no", twice"}',
        b'{"comment": "a "quoted", word", "requester": "c-77"',
        b'{"x": "anna\\u0040example.org", ',
        b"customer=c-77&score=9",
        b"email=anna%40example.org&score=9",
        b"c-77",
        b"\xff\xfe c-77",
        "{'id': 'c-77'}".encode("utf-16"),
        b'\xef\xbb\xbf{"id": "c-77"}',
        b'["' * 3000 + b"c-77",
    ],
)
def test_a_body_that_names_the_customer_matches(raw: bytes) -> None:
    assert names_anna(raw)


def test_numbers_of_any_size_and_values_of_several_words_are_tokens() -> None:
    body = json.dumps({"requester": 1234567890123456789012, "name": "Anna Smith"}).encode()
    assert {"1234567890123456789012", "Anna Smith"} <= tokens(body)


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"id": "c-770", "email": "joanna@example.org"}', b"c-7 7", b"\x00\xff", b'{"n": 77}']
)
def test_a_body_that_does_not_name_the_customer_does_not_match(raw: bytes) -> None:
    assert not names_anna(raw)


def test_only_tokens_with_an_at_sign_count_as_addresses() -> None:
    assert set(pseudonyms_in(b"c-77", KEY)) == {pseudonym_of_id(KEY, "c-77")}
    longest = "c" * 200
    assert set(pseudonyms_in(longest.encode(), KEY)) == {pseudonym_of_id(KEY, longest)}
    assert set(pseudonyms_in(longest.encode() + b"c", KEY)) == set()
    address = "a@" + "b" * 318
    assert pseudonym_of_email(KEY, address) in set(pseudonyms_in(address.encode(), KEY))
    assert pseudonym_of_email(KEY, address + "b") not in set(pseudonyms_in(address.encode() + b"b", KEY))


def test_an_id_in_a_body_of_a_tool_may_be_one_of_the_tool() -> None:
    body = b'{"requester": 351}'
    assert pseudonym_of_id(KEY, "zendesk:351") in set(pseudonyms_in(body, KEY, "zendesk"))
    assert pseudonym_of_id(KEY, "351") in set(pseudonyms_in(body, KEY, "zendesk"))
    assert pseudonym_of_id(KEY, "zendesk:351") not in set(pseudonyms_in(body, KEY, "typeform"))
    assert pseudonym_of_id(KEY, "zendesk:351") in set(pseudonyms_in(b'{"alias": "zendesk:351"}', KEY))


def test_a_body_with_half_a_surrogate_pair_is_searched() -> None:
    assert pseudonym_of_id(KEY, "c-77") in set(pseudonyms_in(b'{"x": "\\ud800", "id": "c-77"}', KEY))


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_can_be_searched(raw: bytes) -> None:
    list(pseudonyms_in(raw, KEY))


ANYTHING: Any = st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()), ANYTHING)
def test_an_id_matches_at_any_depth(name: str, beside: Any) -> None:
    raw = json.dumps({"x": [beside, {"who": name}]}).encode()
    assert pseudonym_of_id(KEY, name) in set(pseudonyms_in(raw, KEY))


@pytest.mark.timing
@pytest.mark.parametrize("piece", [b"@", b"a@b.", b"a@b.cc", b'"', b"\\", b"a ", b"%41", b"&#64;", b"[", b"a:b="])
def test_searching_a_hostile_body_takes_linear_time(piece: bytes) -> None:
    def seconds(count: int) -> float:
        begun = time.process_time()
        list(pseudonyms_in(piece * count, KEY))
        return time.process_time() - begun

    seconds(1000)
    short, long = seconds(10_000 // len(piece)), seconds(80_000 // len(piece))
    assert long < 40 * short + 0.2


def test_the_subjects_of_a_body_are_read_from_invalid_records() -> None:
    records: list[Any] = [
        {"type": "response", "id": "r-1", "answers": "broken"},
        {"type": "override", "id": "o", "subject": "con_2/ticket/T"},
        {"type": "erasure", "id": "e"},
        {"type": "ticket", "id": 7},
        {},
        7,
    ]
    assert subjects_of(connection(), Parsed(None, records)) == {"con_1/response/r-1", "con_2/ticket/T"}
    assert subjects_of(connection(), Parsed(None, problem="why", about=("ticket/7",))) == {"con_1/ticket/7"}
    body = json.dumps({"data": records[0]}).encode()
    assert parse_stored(connection(), {}, body).records == [records[0]]
    assert parse_stored(connection("api"), {}, json.dumps(records[0]).encode()).records == [records[0]]
    assert not parse_stored(connection("api"), {}, b"{").records
    broken = {"type": "number", "field": {"id": "q", "type": "nps"}}
    form = {"event_type": "form_response", "form_response": {"token": "t-1", "answers": [broken, {**broken, "type": "text"}]}}
    assert subjects_of(connection("typeform"), parse_stored(connection("typeform"), {}, json.dumps(form).encode())) == {
        "con_1/response/t-1"
    }


def test_an_address_that_another_customer_shares_is_listed() -> None:
    carl = {"customer": {"id": "carl", "email": "Anna@example.org"}}
    assert shared_addresses(Parsed(None, [carl]), KEY, ANNA) == {pseudonym_of_email(KEY, "anna@example.org")}
    assert shared_addresses(Parsed(None, [{"customer": {"id": "c-77", "email": "anna@example.org"}}]), KEY, ANNA) == set()
    assert shared_addresses(Parsed(None, [{"customer": {"email": "anna@example.org"}}, {"customer": 7}, {}]), KEY, ANNA) == set()

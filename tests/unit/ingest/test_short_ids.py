"""Short ids, such as `9`: the search of an erasure finds their customers and leaves the bodies of others."""

import json
from typing import Any

import pytest

from services.ingest.domain.customer_search import pseudonyms_in
from services.ingest.domain.pseudonym import pseudonym_of_id
from services.ingest.eraser import search_body
from services.ingest.inbox.erasure_jobs import Body, ErasureJob
from tests.unit.ingest.making import connection, nps, response

TOOL = connection()
NINE = pseudonym_of_id(TOOL.key, "9")


def names_nine(value: Any, *, read: bool = False, name: str = "9") -> bool:
    """Whether the search for the customer `name` takes this body for one of theirs."""
    pseudonym = pseudonym_of_id(TOOL.key, name)
    job = ErasureJob(2, TOOL.tenant, frozenset({pseudonym}), frozenset({pseudonym}), 0)
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return search_body(Body(1, TOOL.id, read, {}, raw), [job], TOOL.key, TOOL).names_customer


@pytest.mark.parametrize("read", [True, False], ids=["accepted", "unread"])
def test_in_a_readable_body_only_the_customers_of_its_records_count(read: bool) -> None:
    others = response(nps(9), customer={"id": "c-1"}, dimensions={"team": "9"})
    assert not names_nine({"data": others}, read=read)
    assert not names_nine({"data": response(nps(9))}, read=read)
    assert names_nine({"data": response(nps(3), customer={"id": "9"})}, read=read)
    aliases = [{"email": "a@example.org"}, {"id": "9"}]
    assert names_nine({"data": response(nps(3), customer={"id": "c-1", "aliases": aliases})}, read=read)


def test_a_record_that_breaks_a_rule_is_readable_too() -> None:
    invalid = response({"question": "q", "kind": "csat", "value": 9, "scale": [1, 5]})
    assert not names_nine({"data": invalid | {"customer": {"id": "c-1"}}})
    assert names_nine({"data": invalid | {"customer": {"id": "9"}}})


def test_longer_ids_count_wherever_they_are() -> None:
    record = response(nps(9), customer={"id": "c-1"}, dimensions={"team": "123"})
    assert names_nine({"data": record}, name="123")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"requester": 9}',
        b'{"requester": " 9 "}',
        b'{"requesters": [1, "9"]}',
        b'{"fields": [{"name": "customer number", "value": 9}]}',
        b"customer=9&score=7",
        b'{"requester": "9", "comment": "she said "no", twice"}',
        b"9",
    ],
)
def test_in_an_unreadable_body_a_whole_value_counts(raw: bytes) -> None:
    assert NINE in set(pseudonyms_in(raw, TOOL.key))
    assert names_nine(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"score": 9, "Rating": "9"}',
        b'{"scale": [1, 9]}',
        b'{"comment": "9 out of 10, at 9:30"}',
        b'{"9": true, "url": "https://example.org/9?page=9"}',
        b"customer=c-1&score=9",
        b'{"comment": "she said "9 days", twice"',
    ],
)
def test_measures_words_and_keys_do_not_count(raw: bytes) -> None:
    assert NINE not in set(pseudonyms_in(raw, TOOL.key))
    assert not names_nine(raw)

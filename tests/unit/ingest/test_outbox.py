"""An event gets its sequence number last, and its bytes are those of the whole event."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.ingest.domain.receive import receive_record
from services.ingest.inbox.outbox import drafts
from shared.events import comments, decode_event, encode
from tests.unit.ingest.making import NOW, comment, connection, nps, response, ticket

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@given(NAMES, NAMES, st.integers(1, 2**62), st.integers(1, 5))
def test_the_bytes_are_those_of_the_numbered_event(subject: str, delivery: str, seq: int, revision: int) -> None:
    made = receive_record(connection(revision=revision), response(nps(9), id=subject), delivery, b"", NOW)
    [stored] = [draft.numbered(seq) for draft in drafts(made)]
    assert stored.encoded == encode(stored.event)
    assert decode_event(stored.encoded).seq == seq


@pytest.mark.parametrize("name", ['"seq":0', '\\"seq":0', '{"seq":0,'])
def test_a_name_that_looks_like_the_sequence_number_is_unchanged(name: str) -> None:
    [stored] = [draft.numbered(7) for draft in drafts(receive_record(connection(), response(nps(9), id=name), name, b"", NOW))]
    assert stored.encoded == encode(stored.event)


def test_a_retry_has_the_same_statement_id_and_a_delivery_without_an_id_has_its_own() -> None:
    made = receive_record(connection(), response(nps(9)), "msg_1", b"", NOW)
    assert [draft.event.statement for draft in drafts(made)] == ["msg_1#0"]
    without_id = replace(made, id=None)
    assert drafts(without_id)[0].event.statement != drafts(without_id)[0].event.statement


@pytest.mark.parametrize(
    "record",
    [
        response(nps(9)),
        response(comment("Quick.")),
        {"type": "review", "id": "v", "at": NOW.isoformat(), "title": "Great"},
        {"type": "review", "id": "v", "at": NOW.isoformat(), "stars": 5},
        ticket({"fact": "opened", "at": NOW.isoformat(), "text": "It is broken."}),
        ticket({"fact": "message", "at": NOW.isoformat(), "by": "agent", "text": "It is fixed."}),
    ],
)
def test_a_loaded_event_has_the_comments_of_the_whole_event(record: dict[str, Any]) -> None:
    [stored] = [draft.numbered(7) for draft in drafts(receive_record(connection(), record, "msg_1", b"", NOW))]
    loaded = replace(stored, event=None)
    assert stored.event
    assert (comments(loaded.body) if loaded.body else []) == comments(stored.event.body)
    assert (loaded.tenant, loaded.subject, loaded.received_at) == ("acme", stored.event.subject, NOW)

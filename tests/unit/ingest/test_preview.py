"""Previews and reasons are redacted like stored records."""

from typing import Any

import msgspec
import pytest

from services.ingest.domain.normalise import normalise
from services.ingest.domain.preview import redacted
from services.ingest.domain.record import Erasure, Invalid, read_record
from services.ingest.domain.redaction import MAX_EXAMINED
from tests.unit.ingest.making import NOW, comment, connection, nps, receive_body, response, ticket

AT = "2026-11-20T09:00:00Z"
IDENTITIES = "a@b.de, 4111 1111 1111 1111 12/28, DE89 3704 0044 0532 0130 00, +49 30 1234567"
PLACEHOLDERS = "[email], [card], [iban], [phone]"
RECORDS = [
    response(nps(9, raw=IDENTITIES), comment(IDENTITIES), customer={"id": "c-77", "email": "jo@example.org"}),
    {"type": "review", "id": "v-1", "at": AT, "stars": 5, "title": IDENTITIES, "text": IDENTITIES, "customer": {"id": "c-77"}},
    ticket(
        {"fact": "opened", "at": AT, "text": IDENTITIES},
        {"fact": "message", "at": AT, "by": "customer", "text": f"{IDENTITIES} again"},
        {"fact": "message", "at": AT, "by": "agent", "text": f"As your agent, {IDENTITIES}"},
        {"fact": "rating", "at": AT, "scale": [0, 1], "value": 1, "raw": IDENTITIES, "text": IDENTITIES},
        customer={"email": "jo@example.org"},
    ),
    response(*({**comment("0815 4711 2001 or 0815 4711 2002"), "question": f"q{n}"} for n in range(2 * MAX_EXAMINED))),
]


def texts_in(value: Any) -> list[str]:
    """The texts of a record or an event's body, as JSON values, in their order."""
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts_in(one)]
    if not isinstance(value, dict):
        return []
    own = [value[name] for name in ("raw", "title", "text") if value.get(name)]
    return own + [text for name in ("answers", "facts") for text in texts_in(value.get(name))]


def stored_texts(record: dict[str, Any]) -> list[str]:
    read = read_record(record, NOW)
    assert not isinstance(read, Erasure)
    return texts_in(msgspec.to_builtins(normalise(read, connection(), NOW).event.body))


@pytest.mark.parametrize("record", RECORDS, ids=["response", "review", "ticket", "beyond the budget"])
def test_a_preview_has_the_texts_that_are_stored(record: dict[str, Any]) -> None:
    assert texts_in(redacted(record, connection().key)) == stored_texts(record) != texts_in(record)


@pytest.mark.parametrize("record", RECORDS[:3], ids=["response", "review", "ticket"])
def test_a_preview_has_no_identity_and_no_text_of_an_agent(record: dict[str, Any]) -> None:
    preview = redacted(record, connection().key)
    for identity in ("a@b.de", "4111", "12/28", "DE89", "1234567", "c-77", "jo@example.org", "As your agent"):
        assert identity not in str(preview)
    assert PLACEHOLDERS in str(preview)
    read = read_record(record, NOW)
    assert not isinstance(read, Erasure)
    assert preview["customer"] == {"id": normalise(read, connection(), NOW).event.customer}


def test_other_values_of_a_record_are_unchanged_in_the_preview() -> None:
    record = ticket({"fact": "status", "at": AT, "status": "solved"}, dimensions={"team": "billing"})
    assert redacted(record, connection().key) == record
    override = {"type": "override", "id": "o", "at": AT, "subject": "c/ticket/1", "comment": "0" * 32, "label": "positive"}
    assert redacted(override, connection().key) == override


def test_the_places_of_an_invalid_record_are_redacted() -> None:
    with pytest.raises(Invalid) as error:
        read_record(response(nps(9), **{"jane@example.com": 1, "card 4111 1111 1111 1111": 2}), NOW)
    assert [place["name"] for place in error.value.places] == ["[email]", "card [card]"]
    assert "jane@example.com" not in str(error.value)


def test_the_reason_of_a_delivery_that_is_not_used_is_redacted() -> None:
    ignored = receive_body(connection("typeform"), {}, b'{"event_id": "e", "event_type": "4111111111111111"}', NOW)
    assert (ignored.verdict, ignored.reason) == ("ignored", "[card]")
    body = b'{"data": {"type": "response", "id": "r", "at": "2026-11-20T09:00:00Z", "4111111111111111": 1}}'
    quarantined = receive_body(connection(), {"webhook-id": "w"}, body, NOW)
    assert quarantined.verdict == "quarantined"
    assert quarantined.reason is not None
    assert quarantined.reason.startswith("[card]: is not a field here. Allowed: id, at, ")

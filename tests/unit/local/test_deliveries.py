"""Ingest's providers verify and parse every delivery of the trickle."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.demo import typeform, zendesk
from deploy.local.demo.history import history, tickets
from deploy.local.demo.signing import SIGN
from deploy.local.demo.story import Story
from deploy.local.demo.tenant import CONNECTIONS
from deploy.local.demo.tickets import ticket
from deploy.local.demo.trickle import CHAT_LIFE, chat_deliveries, envelope, load_chats, remaining_deliveries, save_chat
from services.ingest.domain.providers import PROVIDERS, NotVerified
from services.ingest.domain.record import read_record
from tests.unit.ingest.making import request

UNTIL = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
Record = dict[str, Any]


def understood(provider: str, payload: Record) -> list[Record]:
    """The records that ingest makes of the payload, each found valid."""
    mapping = PROVIDERS[provider].settings.model_validate(CONNECTIONS[provider].get("mapping", {}))
    parsed = PROVIDERS[provider].parse(request(json.dumps(payload).encode()), mapping)
    assert parsed.problem is None
    assert parsed.ignored is None
    for record in parsed.records:
        read_record(record, UNTIL + timedelta(days=30))
    return list(parsed.records)


@pytest.mark.parametrize("provider", SIGN)
def test_a_signature_verifies_for_its_body_only(provider: str) -> None:
    rules = PROVIDERS[provider]
    secret = rules.new_secret(bytes(range(32)))
    headers = SIGN[provider](secret, b'{"a": 1}', "d-1", UNTIL)
    rules.verify(request(b'{"a": 1}', headers), [secret], UNTIL)
    with pytest.raises(NotVerified):
        rules.verify(request(b'{"a": 2}', headers), [secret], UNTIL)


def test_a_typeform_payload_parses_to_its_record() -> None:
    surveys = [record for provider, record in history(UNTIL) if provider == "typeform"][:50]
    for record in surveys:
        [back] = understood("typeform", typeform.payload(record))
        assert back["id"] == record["id"]
        assert back["dimensions"] == record["dimensions"]
        assert [(a["kind"], a.get("value"), a.get("text")) for a in back["answers"]] == [
            (a["kind"], a.get("value"), a.get("text")) for a in record["answers"]
        ]


def test_a_standard_webhook_payload_is_its_record() -> None:
    record = next(record for provider, record in history(UNTIL) if provider == "standard")
    assert understood("standard", envelope(record)) == [record]


def test_zendesk_events_of_a_ticket_parse_to_its_record() -> None:
    for record in tickets(UNTIL)[:40]:
        facts = [fact for _, event in zendesk.events(record) for back in understood("zendesk", event) for fact in back["facts"]]
        for kind, keys in (("status", ("status",)), ("rating", ("value", "raw"))):
            assert {key_of(f, keys) for f in record["facts"] if f["fact"] == kind} <= {
                key_of(f, keys) for f in facts if f["fact"] == kind
            }
        assert {f["at"] for f in facts if f["fact"] == "opened"} == {record["facts"][0]["at"].replace("+00:00", "Z")}
        assert [f["agent"] for f in facts if f["fact"] == "message" and f["by"] == "agent" and f["public"]] == [
            f["agent"] for f in record["facts"] if f["fact"] == "message" and f["by"] == "agent" and f["public"]
        ]


def test_facts_after_the_history_are_sent_later_with_the_same_ids_each_time() -> None:
    waiting = remaining_deliveries(UNTIL)
    assert waiting
    assert all(delivery.due > UNTIL for delivery in waiting)
    assert [delivery.id for delivery in waiting] == [delivery.id for delivery in remaining_deliveries(UNTIL)]
    assert len({delivery.id for delivery in waiting}) == len(waiting)


def test_a_restart_does_not_change_the_deliveries_of_a_chat(tmp_path: Path) -> None:
    begun = [int((time.time() - ago) * 1000) for ago in (2 * CHAT_LIFE, 600, 5)]
    for number in begun:
        save_chat(tmp_path / "chats.json", number)
    assert load_chats(tmp_path / "chats.json") == begun[1:]
    first, again = (chat_deliveries(begun[1], Story(UNTIL)) for _ in range(2))
    assert first == again
    assert [delivery.payload for delivery in first] == [delivery.payload for delivery in again]


def test_a_chat_is_closed_within_minutes() -> None:
    chats = [ticket(1, number, UNTIL, Story(UNTIL), channel="chat", pace=1 / 12) for number in range(60)]
    spans = [solved - UNTIL for chat in chats if chat and (solved := first_solved(chat))]
    assert len(spans) > 40
    assert sorted(spans)[len(spans) // 2] < timedelta(minutes=20)


def first_solved(record: Record) -> datetime | None:
    return next((datetime.fromisoformat(f["at"]) for f in record["facts"] if f.get("status") == "solved"), None)


def key_of(fact: Record, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Words are compared without case: Zendesk writes GOOD where we write good."""
    return tuple(str(fact[key]).lower() for key in keys)

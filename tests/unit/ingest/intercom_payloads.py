"""Payloads of Intercom, and the facts that are read from them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, Parsed
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, request

PROVIDER = PROVIDERS["intercom"]
FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"
OPENED = 1768031789
ADMIN = {"type": "admin", "id": "501", "name": "Ada Byron"}


def fixture(topic: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((FIXTURES / f"intercom__{topic}.json").read_text())
    return payload


def parse(payload: Any, mapping: FieldMapping | None = None) -> Parsed:
    return PROVIDER.parse(request(json.dumps(payload).encode()), mapping or FieldMapping())


def record(payload: Any, mapping: FieldMapping | None = None) -> Ticket:
    parsed = parse(payload, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    read = read_record(value, NOW)
    assert isinstance(read, Ticket)
    return read


def facts(payload: Any, kind: str) -> list[Any]:
    return [fact for fact in record(payload).facts if fact.fact == kind]


def changed(topic: str, sent_as: str | None = None, **item: Any) -> dict[str, Any]:
    """A fixture with other fields in its conversation or ticket, possibly under another topic."""
    payload = fixture(topic)
    payload["data"]["item"] |= item
    return payload | {"topic": sent_as or topic}


def with_part(kind: str = "comment", topic: str = "conversation.admin.replied", **part: Any) -> dict[str, Any]:
    """A notification about one new part."""
    fields = {"id": "1", "part_type": kind, "body": "<p>Hello</p>", "created_at": OPENED + 60, "author": ADMIN} | part
    return changed("conversation.user.created", topic, conversation_parts={"conversation_parts": [fields]})


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(OPENED + seconds, UTC)

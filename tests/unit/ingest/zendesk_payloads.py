"""Payloads of Zendesk, and the facts that are read from them."""

import json
from pathlib import Path
from typing import Any

from services.ingest.domain.providers import PROVIDERS, Parsed
from services.ingest.domain.providers.zendesk.events import PREFIX
from services.ingest.domain.providers.zendesk.settings import ZendeskSettings
from services.ingest.domain.record import Ticket, read_record
from tests.unit.ingest.making import NOW, request

PROVIDER = PROVIDERS["zendesk"]


FIXTURES = Path(__file__).parents[2] / "fixtures" / "providers"


TRIGGER = (FIXTURES / "zendesk__trigger.json").read_bytes()


def parse(body: bytes, mapping: ZendeskSettings | None = None, headers: dict[str, str] | None = None) -> Parsed:
    return PROVIDER.parse(request(body, headers), mapping or ZendeskSettings())


def mapping_of(**dimensions: str) -> ZendeskSettings:
    return ZendeskSettings.model_validate({"dimensions": dimensions})


def fixture(kind: str) -> bytes:
    return (FIXTURES / f"zendesk__ticket.{kind}.json").read_bytes()


def record(body: bytes, mapping: ZendeskSettings | None = None) -> Ticket:
    parsed = parse(body, mapping)
    assert parsed.problem is None, parsed.problem
    read = read_record(parsed.records[0], NOW)
    assert isinstance(read, Ticket)
    return read


def facts(body: bytes, kind: str) -> list[Any]:
    return [fact for fact in record(body).facts if fact.fact == kind]


def event(kind: str, happened: dict[str, Any], **detail: Any) -> bytes:
    payload = json.loads(fixture("created"))
    payload |= {"type": PREFIX + kind, "event": happened, "time": "2026-11-16T13:00:00Z"}
    payload["detail"] |= detail
    return json.dumps(payload).encode()


def filled(**fields: Any) -> bytes:
    """Our trigger's body as Zendesk sends it."""
    payload = {
        "earshot": "ticket",
        "id": "7",
        "status": "Open",
        "created_at": "2026-11-16T07:15Z",
        "updated_at": "2026-11-16T07:15Z",
    }
    return json.dumps(payload | fields).encode()

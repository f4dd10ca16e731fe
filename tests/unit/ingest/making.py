"""Connections and records for tests of the pure parts."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.providers import Headers, Request, read_settings
from services.ingest.domain.receive import receive

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def connection(provider: str = "standard", **changed: Any) -> Connection:
    fields: dict[str, Any] = {
        "id": "con_1",
        "tenant": "acme",
        "provider": provider,
        "name": "test",
        "state": "active",
        "revision": 1,
        "mapping": read_settings(provider, {}),
        "dimensions": {},
        "secrets": (),
        "key": bytes(32),
    }
    return Connection(**(fields | changed))


def request(body: bytes = b"", headers: dict[str, str] | None = None, *, method: str = "POST", query: str = "") -> Request:
    """A request to the hook of a connection, received at NOW."""
    url = "https://ingest.example/v1/hooks/con_1" + (f"?{query}" if query else "")
    return Request(method, url, Headers(headers or {}), body, NOW)


def delivery_request(payload: Any) -> Request:
    """A request with this JSON as its body. A payload that needs headers is written as `{"headers": …, "body": …}`."""
    if isinstance(payload, dict) and payload.keys() == {"headers", "body"}:
        return request(json.dumps(payload["body"]).encode(), payload["headers"])
    return request(json.dumps(payload).encode())


def fixture_request(path: Path) -> Request:
    """A request as a fixture file has it: a body, which may be no JSON, or headers and a body."""
    raw = path.read_bytes()
    try:
        return delivery_request(json.loads(raw))
    except json.JSONDecodeError:
        return request(raw)


def receive_body(connection: Connection, headers: dict[str, str], body: bytes, now: datetime) -> Delivery:
    """Receive a webhook with these headers and this body."""
    return receive(connection, request(body, headers), now)


def response(*answers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "response", "id": "r-1", "at": "2026-11-20T10:00:00Z", "answers": list(answers), **fields}


def ticket(*facts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "ticket", "id": "t-1", "at": "2026-11-20T08:00:00Z", "facts": list(facts), **fields}


def nps(value: Any = 9, **fields: Any) -> dict[str, Any]:
    return {"question": "q1", "kind": "nps", "value": value, **fields}


def comment(text: str) -> dict[str, Any]:
    return {"question": "q2", "kind": "comment", "text": text}


def to_values(part: msgspec.Struct) -> dict[str, Any]:
    """The fields of a record, or of a part of one, that are not defaults."""
    values: dict[str, Any] = msgspec.to_builtins(part, builtin_types=(datetime,))
    return values

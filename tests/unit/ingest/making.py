"""Connections and records for tests of the pure parts."""

from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.connection import Connection, Mapping

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def connection(provider: str = "standard", **changed: Any) -> Connection:
    fields: dict[str, Any] = {
        "id": "con_1",
        "tenant": "acme",
        "provider": provider,
        "name": "test",
        "state": "active",
        "revision": 1,
        "mapping": Mapping(),
        "dimensions": {},
        "secrets": (),
        "key": bytes(32),
    }
    return Connection(**(fields | changed))


def response(*answers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "response", "id": "r-1", "at": "2026-11-20T10:00:00Z", "answers": list(answers), **fields}


def ticket(*facts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "ticket", "id": "t-1", "at": "2026-11-20T08:00:00Z", "facts": list(facts), **fields}


def nps(value: Any = 9, **fields: Any) -> dict[str, Any]:
    return {"question": "q1", "kind": "nps", "value": value, **fields}


def comment(text: str) -> dict[str, Any]:
    return {"question": "q2", "kind": "comment", "text": text}

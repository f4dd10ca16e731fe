"""Zendesk's ids of people, groups and organizations: numbers, of which 0 stands for nobody."""

from collections.abc import Mapping
from typing import Any

from services.ingest.domain.providers.provider import text

TRIGGER_IDS = ("group", "assignee", "requester")
"""The keys of our trigger's body that hold an id."""


def id_of(value: object) -> str | None:
    """The id as text; None for nobody: null, empty, 0 or "0"."""
    found = text(value)
    return found if found != "0" else None


def without_nobody(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a payload, with None as the id of nobody."""
    return {name: id_of(value) if name.endswith("_id") or name in TRIGGER_IDS else value for name, value in fields.items()}

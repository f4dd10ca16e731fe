"""Zendesk's ids of people, groups and organizations: numbers, of which 0 stands for nobody."""

from collections.abc import Mapping
from typing import Any

from services.ingest.domain.providers.provider import text

TRIGGER_IDS = ("group", "assignee", "requester", "submitter")
"""The keys of our trigger's body that hold an id."""


def id_of(value: object) -> str | None:
    """The id as text; None for nobody: null, empty, 0 or "0"."""
    found = text(value)
    return found if found != "0" else None


def opener(submitter: object, requester: object) -> dict[str, str]:
    """Who opened a ticket: one whose submitter isn't its requester was opened by an agent on the customer's behalf."""
    agent, customer = id_of(submitter), id_of(requester)
    by_agent = agent is not None and customer is not None and agent != customer
    return {"by": "agent", "agent": agent} if agent and by_agent else {"by": "customer"}


def without_nobody(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a payload, with None as the id of nobody."""
    return {name: id_of(value) if name.endswith("_id") or name in TRIGGER_IDS else value for name, value in fields.items()}

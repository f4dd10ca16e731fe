"""Freshdesk: the action *Trigger Webhook* of automation rules, with the content that we publish (`template.py`).

Freshdesk signs nothing and sends no id, no event and no time. So a rule presents the connection's secret in a header of its own,
or as the password of basic authentication; the template names the event; and the time of receipt counts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.freshdesk.history import HISTORY
from services.ingest.domain.providers.freshdesk.settings import FreshdeskSettings, status_of
from services.ingest.domain.providers.freshdesk.template import parse_body
from services.ingest.domain.providers.html_text import plain_text
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    dimensions_of,
    occurring_dimensions,
    parse_payload,
    trimmed_text,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.shared_secret import verify_shared_secret

MESSAGES = {"customer_replied": ("customer", True), "agent_replied": ("agent", True), "note_added": ("agent", False)}
"""Author and visibility of the message that an event announces."""
EVENTS = ("created", "updated", *MESSAGES, "deleted")

EMPTY = ("", "--")
"""Values of a placeholder without a value."""

Facts = list[dict[str, Any]]


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_shared_secret(request, secrets, in_url=False)


def _parse(request: Request, settings: FreshdeskSettings) -> Parsed:
    return parse_payload(
        request,
        lambda fields: DeliveryIdentity(None, "ticket", as_text(fields.get("id"))),
        lambda identity, fields: _read(identity, fields, request.received_at, settings),
        decode=parse_body,
    )


def _read(
    identity: DeliveryIdentity, fields: dict[str, Any], received_at: datetime | None, settings: FreshdeskSettings
) -> Parsed:
    """The record of an event. Raises Unusable if its event, its id, its time or its status is missing or unknown."""
    event = as_text(fields.get("event"))
    if event not in EVENTS:
        raise Unusable(f"event: unknown; known are {', '.join(EVENTS)}", "unknown_value")
    if identity.id is None:
        raise Unusable("id is missing")
    if received_at is None:
        raise Unusable("the delivery has no time")
    at = received_at.isoformat()
    usable = {name: value for name, value in fields.items() if as_text(value) not in (None, *EMPTY)}
    dimensions = dimensions_of(usable, settings)
    channel = dimensions.pop("channel", None) or (as_text(usable.get("source")) or "").lower()
    customer = customer_fields("freshdesk", own_id=own_id(usable, settings), email=as_text(usable.get("requester")))
    record = {
        "type": "ticket",
        "id": identity.id,
        "at": at,
        "updated_at": at,
        "facts": [{"fact": "deleted", "at": at}] if event == "deleted" else _facts(event, fields, at, settings),
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    return Parsed(None, [record], use=MappingUse(dimensions=occurring_dimensions(usable, settings)))


def _facts(event: str, fields: dict[str, Any], at: str, settings: FreshdeskSettings) -> Facts:
    """The change, and the assignment, the priority and the status after it."""
    facts: Facts = []
    text = plain_text(fields.get("text"))
    words = {"text": text} if text else {}
    if event == "created":
        facts.append({"fact": "opened", "at": at, **words})
    if event in MESSAGES:
        by, public = MESSAGES[event]
        agent = {"agent": name} if by == "agent" and (name := _name(fields, "agent")) else {}
        facts.append({"fact": "message", "at": at, "by": by, "public": public, **agent, **(words if public else {})})
    assigned = {dimension: _name(fields, key) for dimension, key in (("team", "group"), ("agent", "agent")) if key in fields}
    if assigned:
        facts.append({"fact": "assigned", "at": at, **assigned})
    if priority := _name(fields, "priority"):
        facts.append({"fact": "priority", "at": at, "priority": priority.lower()})
    if status := _name(fields, "status"):
        facts.append({"fact": "status", "at": at, "status": status_of(status, settings)})
    return facts


def _name(fields: dict[str, Any], key: str) -> str | None:
    value = trimmed_text(fields.get(key))
    return None if value in EMPTY else value


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FreshdeskSettings,
    title="Freshdesk",
    content=("ticket.opened", "ticket.message", "ticket.status", "ticket.assigned", "ticket.priority", "ticket.deleted"),
    history=HISTORY,
)

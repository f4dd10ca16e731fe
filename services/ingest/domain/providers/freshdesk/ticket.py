"""Read a ticket of Freshdesk's API together with its messages, as `history.py` stores them.

The API has no history of a ticket's fields. Its statistics state when it was resolved, closed and reopened last, and when the
present status began; group, agent and priority are known as they are now.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.freshdesk.settings import FreshdeskSettings, status_of
from services.ingest.domain.providers.payload import (
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    objects_in,
    occurring_dimensions,
    problem_of,
)
from services.ingest.domain.providers.provider import Parsed, Request
from services.ingest.domain.providers.tool_api import Documents
from shared.events import Status

STATUS_NUMBERS = {"2": "Open", "3": "Pending", "4": "Resolved", "5": "Closed"}
"""Names of Freshdesk's own statuses, for an API key that may not read the fields of tickets."""
PRIORITIES = {"1": "low", "2": "medium", "3": "high", "4": "urgent"}
SOURCES = {"1": "email", "2": "portal", "3": "phone", "7": "chat", "9": "feedback widget", "10": "outbound email"}
OUTBOUND = "10"
"""The source of a ticket that an agent opened by an e-mail to the customer."""

Facts = list[dict[str, Any]]


def parse(request: Request, documents: Documents, settings: FreshdeskSettings) -> Parsed:
    """The record of a ticket, up to the first webhook of the connection."""
    ticket = object_in(documents, "ticket")
    identity = as_text(ticket.get("id"))
    if identity is None:
        return Parsed(None, problem="ticket.id is missing")
    about = (f"ticket/{identity}",)
    try:
        return _read(identity, ticket, objects_in(documents, "messages"), documents.get("until"), settings)
    except Unusable as error:
        return problem_of(error, None, about)


def _read(identity: str, ticket: dict[str, Any], messages: Facts, until: object, settings: FreshdeskSettings) -> Parsed:
    created, updated = _time(ticket, "created_at"), _time(ticket, "updated_at")
    limit = _parsed(until)
    facts = [
        _opening(ticket, created),
        *map(_message, messages),
        *_statuses(ticket, updated, settings),
        *_present(ticket, updated),
    ]
    fields = _fields(ticket)
    dimensions = dimensions_of(fields, settings)
    channel = dimensions.pop("channel", None) or SOURCES.get(as_text(ticket.get("source")) or "")
    customer = customer_fields("freshdesk", own_id=own_id(fields, settings), email=as_text(ticket.get("requester")))
    record = {
        "type": "ticket",
        "id": identity,
        "at": created,
        "updated_at": updated if limit is None or _is_before(updated, limit) else limit.isoformat(),
        "facts": [fact for fact in facts if limit is None or _is_before(fact["at"], limit)],
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    return Parsed(None, [record], use=MappingUse(dimensions=occurring_dimensions(fields, settings)))


def _time(value: Mapping[str, Any], name: str) -> str:
    """A time. Raises Unusable if it is missing or none."""
    text = as_text(value.get(name)) or ""
    if _parsed(text) is None:
        raise Unusable(f"{name} is no RFC 3339 time")
    return text


def _parsed(text: object) -> datetime | None:
    try:
        return parse_time(text)
    except ValueError:
        return None


def _is_before(text: object, limit: datetime) -> bool:
    at = _parsed(text)
    return at is not None and at < limit


def _opening(ticket: Mapping[str, Any], created: str) -> dict[str, Any]:
    """The opening: of an agent if it is an outbound e-mail, else of the customer."""
    text = ticket.get("description_text")
    by = "agent" if as_text(ticket.get("source")) == OUTBOUND else "customer"
    return {"fact": "opened", "at": created, "by": by, **({"text": text} if isinstance(text, str) and text.strip() else {})}


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    """A reply or a note. Raises Unusable if it has no time."""
    by_customer, text = message.get("incoming") is True, message.get("body_text")
    identity, agent = as_text(message.get("id")), as_text(message.get("agent"))
    public = message.get("private") is not True
    return {
        "fact": "message",
        "at": _time(message, "created_at"),
        "by": "customer" if by_customer else "agent",
        "public": public,
        **({"id": identity} if identity else {}),
        **({"agent": agent} if agent and not by_customer else {}),
        **({"text": text} if public and isinstance(text, str) and text.strip() else {}),
    }


def _statuses(ticket: Mapping[str, Any], updated: str, settings: FreshdeskSettings) -> Facts:
    """The statuses whose times the statistics state, and the present one. Raises Unusable if that is unknown."""
    number, stats = as_text(ticket.get("status")) or "", object_in(ticket, "stats")
    name = as_text(ticket.get("status_name")) or STATUS_NUMBERS.get(number)
    if name is None:
        raise Unusable("status: its number has no name; the API key may not read the fields of tickets", "unknown_value")
    present = status_of(name, settings)
    known: list[tuple[str, Status]] = [("resolved_at", "solved"), ("closed_at", "closed"), ("reopened_at", "open")]
    times = [(at, status) for field, status in known if (at := as_text(stats.get(field)))]
    facts: Facts = [{"fact": "status", "at": at, "status": status} for at, status in times if _parsed(at)]
    since = as_text(stats.get("status_updated_at"))
    begins = since if _parsed(since) else next((at for at, status in reversed(times) if status == present), updated)
    if not any(fact["status"] == present and fact["at"] == begins for fact in facts):
        facts.append({"fact": "status", "at": begins, "status": present})
    return facts


def _present(ticket: Mapping[str, Any], updated: str) -> Facts:
    """Assignment, priority, spam and deletion as they are now."""
    assigned = {name: value for name, key in (("team", "group"), ("agent", "agent")) if (value := as_text(ticket.get(key)))}
    facts: Facts = [{"fact": "assigned", "at": updated, **assigned}] if assigned else []
    if priority := PRIORITIES.get(as_text(ticket.get("priority")) or ""):
        facts.append({"fact": "priority", "at": updated, "priority": priority})
    facts += [{"fact": name, "at": updated} for name in ("spam", "deleted") if ticket.get(name) is True]
    return facts


def _fields(ticket: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `mapping.dimensions` may name: of the ticket, and its custom fields, with and without `cf_`."""
    custom = object_in(ticket, "custom_fields")
    fields = {
        **{name.removeprefix("cf_"): value for name, value in custom.items()},
        **custom,
        **{name: value for name, value in ticket.items() if name not in ("stats", "custom_fields")},
    }
    return {name: value for name, value in fields.items() if value not in (None, "", "--")}

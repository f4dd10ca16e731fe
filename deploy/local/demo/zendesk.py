"""Tickets as Zendesk posts them: one event per fact, each with the state of the ticket at that time."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Payload = dict[str, Any]
Fact = dict[str, Any]

ACCOUNT = 22129848
KINDS = {
    "opened": "created",
    "message": "comment_added",
    "status": "status_changed",
    "priority": "priority_changed",
    "rating": "csat_received",
    "spam": "marked_as_spam",
}
"""Fact of the canonical record → kind of event."""


def events(record: Payload) -> Iterator[tuple[datetime, Payload]]:
    """(time of sending, event) of each fact of a canonical ticket record. Equal records give equal events, including ids."""
    detail = opening(record)
    for position, fact in enumerate(record["facts"]):
        at = datetime.fromisoformat(fact["at"])
        content = event(fact, detail)
        detail = {**detail, **changes(fact), "updated_at": stamp(at)}
        yield (
            at,
            {
                "account_id": ACCOUNT,
                "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"zendesk/{record['id']}/{position}")),
                "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
                "type": f"zen:event-type:ticket.{kind(fact)}",
                "zendesk_event_version": "2022-11-06",
                "subject": f"zen:ticket:{record['id']}",
                "detail": detail,
                "event": content,
            },
        )


def opening(record: Payload) -> Payload:
    """The state of a new ticket."""
    opened = record["facts"][0]
    created = stamp(datetime.fromisoformat(record["at"]))
    return {
        "id": record["id"],
        "status": "NEW",
        "subject": opened["text"].split(".")[0][:80],
        "description": opened["text"],
        "requester_id": record["customer"]["id"],
        "submitter_id": record["customer"]["id"],
        "brand_id": record["dimensions"]["product"],
        "organization_id": record["dimensions"]["segment"],
        "form_id": record["dimensions"]["region"],
        "group_id": None,
        "assignee_id": None,
        "priority": None,
        "is_public": True,
        "tags": [],
        "created_at": created,
        "updated_at": created,
        "via": {"channel": record["channel"]},
    }


def kind(fact: Fact) -> str:
    """Zendesk's name for the event of a fact."""
    if fact["fact"] == "assigned":
        return "group_assignment_changed" if "team" in fact else "agent_assignment_changed"
    return KINDS[fact["fact"]]


def changes(fact: Fact) -> Payload:
    """The fields of the ticket that a fact changes."""
    match fact["fact"]:
        case "status":
            return {"status": status(fact["status"])}
        case "priority":
            return {"priority": fact["priority"].upper()}
        case "assigned":
            return {field: fact[name] for name, field in (("team", "group_id"), ("agent", "assignee_id")) if name in fact}
        case _:
            return {}


def event(fact: Fact, before: Payload) -> Payload:
    """The `event` of a payload, for a fact about a ticket in the state `before`."""
    match fact["fact"]:
        case "message":
            return {"comment": comment(fact, before)}
        case "rating":
            comment_field = {"comment": fact["text"]} if "text" in fact else {}
            return {"satisfaction_score": {"score": fact["raw"].upper(), **comment_field}}
        case _:
            return {
                name: value
                for field, new in changes(fact).items()
                for name, value in (("previous", before[field]), ("current", new))
            }


def comment(fact: Fact, ticket: Payload) -> Payload:
    """A message, public or internal. Agents' texts are left empty; a bot counts as staff, and its messages are internal."""
    author = ticket["requester_id"] if fact["by"] == "customer" else fact.get("agent", "bot")
    return {
        "id": f"{ticket['id']}-{fact['id']}",
        "author": {"id": author, "is_staff": fact["by"] != "customer"},
        "body": fact.get("text", ""),
        "is_public": fact.get("public", True) and not fact.get("auto", False),
    }


def status(name: str) -> str:
    """Zendesk's name for a status of a ticket."""
    return "HOLD" if name == "on_hold" else name.upper()


def stamp(at: datetime) -> str:
    """A time as in the fields of a ticket, without decimals."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

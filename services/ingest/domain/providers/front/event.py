"""Read an event of Front: the conversation, who did it (`source`) and what it is about (`target`)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.ingest.domain.fields import is_email
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.front.settings import FrontSettings
from services.ingest.domain.providers.html_text import plain_text
from services.ingest.domain.providers.payload import (
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    occurring_dimensions,
    trimmed_text,
)
from services.ingest.domain.value_names import ValueName
from shared.events import Status

MESSAGES = ("inbound", "outbound", "out_reply")
STATUSES: dict[str, Status] = {"archive": "solved", "reopen": "open", "snooze": "pending", "reminder": "open"}
"""The status after an event of this type."""
CATEGORIES: dict[str, Status] = {"open": "open", "waiting": "pending", "resolved": "solved"}
"""Statuses by the categories of Front's ticket statuses."""
AUTOMATIC_SOURCES = ("rule", "api")
"""Types of sources whose messages no teammate wrote."""

TEAMMATE = "tea_"
"""Begins the ids of teammates. Others are never named."""

BEGINS_WITHIN = timedelta(seconds=5)
"""The most time from the creation of a conversation to the event of the message that began it."""
LAST_SECOND = 10_000_000_000

Facts = list[dict[str, Any]]


def lacks_content(event: Mapping[str, Any], kind: str) -> bool:
    """Whether the event is the preview of a message: one without its text."""
    return kind in MESSAGES and not {"text", "body"} & _target(event).keys()


def read_event(
    event: dict[str, Any], kind: str, identity: str, settings: FrontSettings
) -> tuple[dict[str, Any], MappingUse, tuple[ValueName, ...]]:
    """The record of an event, how it fits the mapping, and names. Raises Unusable if it can't be read."""
    conversation = object_in(event, "conversation")
    emitted, created = _time(event, "emitted_at"), _time(conversation, "created_at")
    if emitted is None:
        raise Unusable("emitted_at is missing")
    fields = _fields(event, conversation)
    dimensions = dimensions_of(fields, settings)
    message = _target(event) if kind in MESSAGES else object_in(conversation, "last_message")
    channel = dimensions.pop("channel", None) or as_text(message.get("type"))
    customer = _customer(object_in(conversation, "recipient"), own_id(fields, settings))
    record = {
        "type": "ticket",
        "id": identity,
        "at": (created or emitted).isoformat(),
        "updated_at": emitted.isoformat(),
        "facts": [
            fact | {"at": (fact.get("at") or emitted).isoformat()} for fact in _facts(event, kind, emitted, created, settings)
        ],
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    return record, MappingUse(dimensions=occurring_dimensions(fields, settings)), _names(event, conversation)


def _target(event: Mapping[str, Any]) -> dict[str, Any]:
    return object_in(object_in(event, "target"), "data")


def _time(value: Mapping[str, Any], name: str) -> datetime | None:
    """The time of Unix seconds, which may have decimals. None if it is missing. Raises Unusable if it is no such number."""
    seconds = value.get(name)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < LAST_SECOND:
        raise Unusable(f"{name} is no Unix time in seconds")
    return datetime.fromtimestamp(seconds, UTC)


def _facts(event: dict[str, Any], kind: str, emitted: datetime, created: datetime | None, settings: FrontSettings) -> Facts:
    """The facts of an event. Those without a time have that of the event."""
    conversation = object_in(event, "conversation")
    match kind:
        case "inbound" | "outbound" | "out_reply":
            return _message(event, kind, emitted, created)
        case "comment":
            return [_comment(event, emitted)]
        case "assign" | "unassign":
            return [{"fact": "assigned", "agent": as_text(object_in(conversation, "assignee").get("id"))}]
        case "trash" | "restore":
            return [{"fact": "deleted", "value": kind == "trash"}]
        case "ticket_status_update":
            return [{"fact": "status", "status": _ticket_status(event, conversation, settings)}]
        case _:
            return [{"fact": "status", "status": STATUSES[kind]}] if kind in STATUSES else []


def _message(event: dict[str, Any], kind: str, emitted: datetime, created: datetime | None) -> Facts:
    """The message, or the opening if it began the conversation.

    A message's own time is that of its headers, which the sender may have set: it counts if it is not after the event.
    """
    message = _target(event)
    content = _content(event, message, kind)
    if kind != "out_reply" and created is not None and abs(emitted - created) <= BEGINS_WITHIN:
        return [{"fact": "opened", "at": created, **content}]
    written, identity = _time(message, "created_at") or emitted, as_text(message.get("id"))
    return [
        {
            "fact": "message",
            "at": min(written, emitted),
            **content,
            **({"auto": True} if content["by"] == "bot" else {}),
            **({"id": identity} if identity else {}),
        }
    ]


def _content(event: Mapping[str, Any], message: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Author and text of a message."""
    text = message.get("text")
    words = text.strip().replace("\0", "") if isinstance(text, str) and text.strip() else plain_text(message.get("body"))
    author = as_text(object_in(message, "author").get("id"))
    is_automatic = author is None and _source_type(event) in AUTOMATIC_SOURCES
    by = "customer" if kind == "inbound" else "bot" if is_automatic else "agent"
    return {
        "by": by,
        "public": True,
        **({"agent": author} if by == "agent" and author else {}),
        **({"text": words} if words else {}),
    }


def _source_type(event: Mapping[str, Any]) -> str | None:
    return as_text(object_in(object_in(event, "source"), "_meta").get("type"))


def _comment(event: Mapping[str, Any], emitted: datetime) -> dict[str, Any]:
    """A comment among teammates. Its text is left out."""
    comment = _target(event)
    author = as_text(object_in(comment, "author").get("id")) or _teammate(event)
    identity = as_text(comment.get("id"))
    return {
        "fact": "message",
        "at": min(_time(comment, "posted_at") or emitted, emitted),
        "by": "agent",
        "public": False,
        **({"agent": author} if author else {}),
        **({"id": identity} if identity else {}),
    }


def _teammate(event: Mapping[str, Any]) -> str | None:
    """The teammate who caused the event, if it was one."""
    source = object_in(event, "source")
    return as_text(object_in(source, "data").get("id")) if _source_type(event) == "teammate" else None


def _ticket_status(event: Mapping[str, Any], conversation: Mapping[str, Any], settings: FrontSettings) -> Status:
    """The status of a ticket: by the mapping, else by its category. Raises Unusable if neither says so."""
    status = _target(event)
    for name in (as_text(status.get("id")), as_text(status.get("name")), as_text(conversation.get("status_id"))):
        if name in settings.statuses:
            return settings.statuses[name]
    for category in (as_text(status.get("category")), as_text(conversation.get("status_category"))):
        if category in CATEGORIES:
            return CATEGORIES[category]
    raise Unusable("ticket status: unknown; declare your own in `statuses` of the mapping", "unknown_value")


def _fields(event: Mapping[str, Any], conversation: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a mapping may name."""
    source = object_in(event, "source").get("data")
    inbox = _first_name(source) if _source_type(event) == "inboxes" else None
    tag = _first_name(conversation.get("tags"))
    return {
        **object_in(conversation, "custom_fields"),
        **({"inbox": inbox} if inbox else {}),
        **({"tag": tag} if tag else {}),
    }


def _first_name(listed: Any) -> str | None:
    """The name of the first object in a list."""
    return as_text(object_in({"": listed[0]}, "").get("name")) if isinstance(listed, list) and listed else None


def _customer(recipient: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    """The customer by the mapped id, by the contact's id in Front, and by the handle, an e-mail address or else."""
    link = as_text(object_in(object_in(recipient, "_links"), "related").get("contact"))
    handle = trimmed_text(recipient.get("handle"))
    identity = link.rstrip("/").rpartition("/")[2] if link else None
    tool_id = identity or (handle if handle and not is_email(handle) else None)
    return customer_fields("front", tool_id=tool_id, own_id=own, email=handle)


def _names(event: Mapping[str, Any], conversation: Mapping[str, Any]) -> tuple[ValueName, ...]:
    """The names of the teammates: the assignee, the author, and the one who caused the event."""
    author = object_in(_target(event), "author")
    source = object_in(object_in(event, "source"), "data") if _source_type(event) == "teammate" else {}
    names = []
    for person in (object_in(conversation, "assignee"), author, source):
        parts = [part for key in ("first_name", "last_name") if (part := as_text(person.get(key)))]
        if (identity := as_text(person.get("id"))) and identity.startswith(TEAMMATE) and parts:
            names.append(ValueName("agent", identity, " ".join(parts)))
    return tuple(dict.fromkeys(names))

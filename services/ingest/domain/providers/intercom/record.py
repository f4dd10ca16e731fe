"""The ticket record of a notification.

`data.item` is the conversation or the ticket after the event, with the parts that are new; a ticket comes with all of its parts.
So every notification yields the opening, the assignment and the priority as facts with their times: notifications may arrive in
any order, and some may be missing. Parts keep their ids, so a part that is repeated, edited or redacted replaces itself.

The status is read where the topic may have changed it. Times have whole seconds: the status in the notification of a reply that
was sent with "reply and close" could be taken for a reopening in the second of the closing.
"""

from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import own_id
from services.ingest.domain.providers.html_text import plain_text
from services.ingest.domain.providers.intercom.values import (
    author_of,
    customer_of,
    id_of,
    status_of,
    status_of_state,
    status_of_ticket_state,
    time_of,
)
from services.ingest.domain.providers.payload import Unusable, as_text, dimensions_of, object_in, occurring_dimensions
from services.ingest.domain.providers.provider import Parsed
from services.ingest.domain.value_names import ValueName

REPLIES = (
    "conversation.admin.replied",
    "conversation.operator.replied",
    "conversation.user.replied",
    "ticket.admin.replied",
    "ticket.contact.replied",
)
NOTES = ("conversation.admin.noted", "ticket.note.created")
RATINGS = ("conversation.rating.added", "ticket.rating.provided")
CLOSED, DELETED = "ticket.closed", "conversation.deleted"
STATUS_TOPICS = (
    *RATINGS,
    "conversation.admin.closed",
    "conversation.admin.open.assigned",
    "conversation.admin.opened",
    "conversation.admin.single.created",
    "conversation.admin.snoozed",
    "conversation.admin.unsnoozed",
    "conversation.user.created",
    "conversation.user.replied",
    "ticket.contact.replied",
    "ticket.created",
    "ticket.resolved",
    "ticket.state.updated",
)
"""Topics whose notification states the status; a customer's reply may reopen."""
OTHER_TOPICS = (
    "conversation.admin.assigned",
    "conversation.priority.updated",
    "conversation_part.redacted",
    "ticket.admin.assigned",
    "ticket.team.assigned",
)
READ_TOPICS = frozenset((*REPLIES, *NOTES, *STATUS_TOPICS, *OTHER_TOPICS, CLOSED, DELETED))

LISTED = "listed"
"""In place of a topic: the conversation or the ticket is of Intercom's list API."""

PUBLIC_PARTS = ("comment", "open", "close", "quick_reply", "channel_and_reply_time_expectation")
"""Types of parts whose body the customer sees. The body of an assignment is a reply only if the topic says so."""
NOTE_PARTS = ("note", "note_and_reopen")
STATE_OF_PART = {"open": "open", "close": "closed", "snoozed": "snoozed", "unsnoozed": "open", "note_and_reopen": "open"}
MAX_PARTS = 250
"""The latest parts of a ticket that are read: a record has at most 1,000 facts."""

Facts = list[dict[str, Any]]


def subject_id(item: dict[str, Any]) -> str | None:
    """The id of the conversation or the ticket."""
    unwrapped = _unwrapped(item)
    return id_of(unwrapped.get("id")) or id_of(unwrapped.get("conversation_id"))


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """The conversation or the ticket, which some topics wrap together with the part that is new."""
    return item if "id" in item else object_in(item, "ticket") or object_in(item, "conversation") or item


def parse_item(delivery: str | None, topic: str, item: dict[str, Any], created_at: object, mapping: FieldMapping) -> Parsed:
    """The record of a notification that was created at `created_at`. Raises Unusable if it can't be read."""
    identity, conversation, notified = subject_id(item), _unwrapped(item), time_of(created_at)
    if identity is None:
        raise Unusable("data.item has no id")
    updated = time_of(conversation.get("updated_at")) or notified
    if updated is None:
        raise Unusable("created_at of the notification is missing")
    parts = _parts(conversation)
    new = [part for key in ("ticket_part", "conversation_part") if (part := object_in(item, key))]
    if not _is_ticket(conversation):
        new += parts
    if topic == DELETED:
        facts: Facts = [{"fact": "deleted", "at": updated}]
    else:
        facts = [
            *_opening(conversation),
            *[fact for part in parts for fact in _part_facts(part, updated)],
            *_messages(topic, parts, new),
            *_current(conversation, updated),
            *_status(topic, conversation, updated),
            *_rating(topic, item, conversation, notified),
        ]
    fields = _fields(conversation)
    dimensions = dimensions_of(fields, mapping)
    channel = dimensions.pop("channel", None) or _channel(conversation)
    customer = customer_of(conversation, own_id(fields, mapping))
    record = {
        "type": "ticket",
        "id": identity,
        "at": time_of(conversation.get("created_at")) or updated,
        "updated_at": notified or updated,
        "facts": facts,
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(dimensions=occurring_dimensions(fields, mapping))
    return Parsed(delivery, [record], use=use, names=_names(conversation, [*parts, *new]))


def _is_ticket(conversation: dict[str, Any]) -> bool:
    return "ticket_parts" in conversation or "ticket_state" in conversation


def _parts(conversation: dict[str, Any]) -> list[dict[str, Any]]:
    """The latest parts, in the order of the payload."""
    for key in ("conversation_parts", "ticket_parts"):
        parts = object_in(conversation, key).get(key)
        if isinstance(parts, list):
            return [part for part in parts if isinstance(part, dict)][-MAX_PARTS:]
    return []


def _opening(conversation: dict[str, Any]) -> Facts:
    """The opening. A ticket does not say who wrote its description, so that is not read."""
    at = time_of(conversation.get("created_at"))
    if at is None:
        return []
    if _is_ticket(conversation):
        internal = object_in(conversation, "ticket_type").get("is_internal") is True
        return [{"fact": "opened", "at": at, "by": "customer" if customer_of(conversation) else "agent", "public": not internal}]
    source = object_in(conversation, "source") or object_in(conversation, "conversation_message")
    if not object_in(source, "author"):
        return [{"fact": "opened", "at": at}]
    text = "" if source.get("redacted") is True else plain_text(source.get("body"))
    return [{"fact": "opened", "at": at, **author_of(object_in(source, "author")), **({"text": text} if text else {})}]


def _current(conversation: dict[str, Any], updated: str) -> Facts:
    """The assignment and the priority after the event."""
    assigned = {
        name: id_of(conversation[key])
        for name, key in (("agent", "admin_assignee_id"), ("team", "team_assignee_id"))
        if key in conversation
    } or _assignment(object_in(conversation, "assignee"))
    facts: Facts = [{"fact": "assigned", "at": updated, **assigned}] if assigned else []
    if "priority" in conversation:
        priority = as_text(conversation["priority"])
        facts.append({"fact": "priority", "at": updated, "priority": priority if priority != "not_priority" else None})
    return facts


def _status(topic: str, conversation: dict[str, Any], updated: str) -> Facts:
    """The status after the event. `ticket.closed` is about the conversation of a ticket, whose state is another one."""
    status = "closed" if topic == CLOSED else status_of(conversation) if topic in (*STATUS_TOPICS, LISTED) else None
    return [{"fact": "status", "at": updated, "status": status}] if status else []


def _assignment(assignee: dict[str, Any]) -> dict[str, str | None]:
    """The assignment to an admin or a team; the types `nobody_admin` and `nobody_team` end one."""
    match assignee.get("type"):
        case "admin" | "nobody_admin":
            return {"agent": id_of(assignee.get("id"))}
        case "team" | "nobody_team":
            return {"team": id_of(assignee.get("id"))}
    return {}


def _part_facts(part: dict[str, Any], updated: str) -> Facts:
    """The status and the assignment that a part states, with its time. Those of the event itself are current ones."""
    at = time_of(part.get("created_at"))
    if at is None:
        return []
    facts: Facts = []
    state = STATE_OF_PART.get(str(part.get("part_type")))
    status = status_of_ticket_state(part["ticket_state"]) if "ticket_state" in part else status_of_state(state)
    if status:
        facts.append({"fact": "status", "at": at, "status": status})
    assigned = _assignment(object_in(part, "assigned_to"))
    if assigned and at != updated:
        facts.append({"fact": "assigned", "at": at, **assigned})
    return facts


def _messages(topic: str, parts: list[dict[str, Any]], new: list[dict[str, Any]]) -> Facts:
    """The messages among the parts. A part that is both new and listed is one message.

    Raises Unusable if the topic says that there is a reply or a note, and the payload has no part.
    """
    if topic in (*REPLIES, *NOTES) and not parts and not new:
        raise Unusable("the part with the reply is missing")
    messages: dict[object, dict[str, Any]] = {}
    for part in [*parts, *new]:
        is_new = any(part is fact or (part.get("id") and part.get("id") == fact.get("id")) for fact in new)
        if message := _message(topic if is_new else "", part):
            messages[message.get("id") or len(messages)] = message
    return list(messages.values())


def _message(topic: str, part: dict[str, Any]) -> dict[str, Any] | None:
    """The message of a part; None if it is none. `topic` is that of the notification if the part is new.

    Raises Unusable if a reply or a note has no time.
    """
    kind, redacted = part.get("part_type"), part.get("redacted") is True
    is_note = topic in NOTES or kind in NOTE_PARTS
    at = time_of(part.get("created_at"))
    if at is None and (is_note or topic in REPLIES):
        raise Unusable("created_at of the part is missing")
    has_content = bool(plain_text(part.get("body")) or "<img" in str(part.get("body")) or part.get("attachments"))
    if at is None or not (is_note or topic in REPLIES or kind in PUBLIC_PARTS) or not (has_content or redacted):
        return None
    author = author_of(object_in(part, "author"))
    is_automatic = author["by"] == "bot" and object_in(part, "author").get("from_ai_agent") is not True
    identity, text = id_of(part.get("id")), "" if redacted else plain_text(part.get("body"))
    return {
        "fact": "message",
        "at": at,
        **author,
        "public": not is_note,
        **({"auto": True} if is_automatic else {}),
        **({"id": identity} if identity else {}),
        **({"text": text} if text else {}),
    }


def _rating(topic: str, item: dict[str, Any], conversation: dict[str, Any], notified: str | None) -> Facts:
    """The rating. Its fixed id lets a changed rating replace the former one.

    `created_at` of a rating is when it was requested; only `updated_at` is when it was given. Without that, the time is known in
    the notification of the rating alone.
    """
    rating = object_in(conversation, "conversation_rating") or object_in(item, "conversation_rating")
    at = time_of(rating.get("updated_at")) or (notified if topic in RATINGS else None)
    if rating.get("rating") is None or at is None:
        if topic in RATINGS:
            raise Unusable("conversation_rating.rating is missing")
        return []
    text = plain_text(rating.get("remark"))
    fact = {"fact": "rating", "at": at, "id": "rating", "scale": [1, 5], "value": rating["rating"]}
    return [fact | ({"text": text} if text else {})]


def _fields(conversation: dict[str, Any]) -> dict[str, Any]:
    """The fields that `mapping.dimensions` may name: of the conversation, and its attributes. The id 0 of nobody is None."""
    ids = {name: id_of(value) for name, value in conversation.items() if name.endswith("_id")}
    attributes = object_in(conversation, "custom_attributes") | object_in(conversation, "ticket_attributes")
    kind = as_text(object_in(conversation, "ticket_type").get("name"))
    return conversation | ids | attributes | ({"ticket_type": kind} if kind else {})


def _channel(conversation: dict[str, Any]) -> str | None:
    """The channel in Intercom's words. `conversation` is its word for the Messenger."""
    channel = as_text(conversation.get("channel")) or as_text(object_in(conversation, "source").get("type"))
    return "messenger" if channel == "conversation" else channel


def _names(conversation: dict[str, Any], parts: list[dict[str, Any]]) -> tuple[ValueName, ...]:
    """The names of admins and teams. Customers and bots are left out."""
    people = [object_in(part, key) for part in parts for key in ("author", "assigned_to")]
    people += [object_in(conversation, "assignee"), object_in(object_in(conversation, "source"), "author")]
    dimensions = {"admin": "agent", "team": "team"}
    names = (
        ValueName(dimensions[person["type"]], value, name)
        for person in people
        if person.get("type") in ("admin", "team")
        and person.get("from_ai_agent") is not True
        and (value := id_of(person.get("id")))
        and (name := as_text(person.get("name")))
    )
    return tuple(dict.fromkeys(names))

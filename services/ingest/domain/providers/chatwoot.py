"""Chatwoot (chatwoot.com/docs, github.com/chatwoot/chatwoot): webhooks of an account about conversations and messages.

Since 4.13: `X-Chatwoot-Signature: sha256=<hex HMAC-SHA256 of "{timestamp}.{raw body}">`, with `X-Chatwoot-Timestamp` in Unix
seconds and the literal secret as key. Earlier releases sign nothing: the secret is part of the URL, `?token=`.

A payload is a conversation or a message with its conversation, as it is after the event. The opening is known from the
conversation's creation and from its first message alone: other payloads don't say who began it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    occurring_dimensions,
    parse_payload,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.signatures import NotVerified, parse_unix_time, verify_hmac, verify_recent, verify_secret
from services.ingest.domain.value_names import ValueName

CONVERSATION_EVENTS = ("conversation_created", "conversation_updated", "conversation_status_changed")
MESSAGE_EVENTS = ("message_created", "message_updated")

STATUSES = {"open": "open", "pending": "pending", "snoozed": "pending", "resolved": "solved"}
MESSAGE_TYPES = ("incoming", "outgoing", "activity", "template")
"""Types of messages. Older payloads have the position in this list."""
BEGINS_WITHIN = timedelta(seconds=5)
"""The most time from the creation of a conversation to the message that began it."""

Facts = list[dict[str, Any]]


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    scheme, _, signature = request.headers.get("x-chatwoot-signature").partition("=")
    timestamp = request.headers.get("x-chatwoot-timestamp")
    if not scheme and (token := request.query.get("token")):
        verify_secret(token, secrets)
        return
    if scheme != "sha256" or not timestamp:
        raise NotVerified("x-chatwoot-signature and x-chatwoot-timestamp are needed, or token in the URL")
    verify_recent(parse_unix_time(timestamp), now)
    verify_hmac(signature, timestamp.encode() + b"." + request.body, [secret.encode() for secret in secrets], "sha256", "hex")


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    delivery = as_text(request.headers.get("x-chatwoot-delivery"))
    sent_at = as_text(request.headers.get("x-chatwoot-timestamp"))

    def identify(payload: dict[str, Any]) -> DeliveryIdentity:
        conversation = _conversation(payload)
        return DeliveryIdentity(delivery, "ticket", as_text(conversation.get("id")) or as_text(conversation.get("display_id")))

    return parse_payload(
        request, identify, lambda identity, payload: _read(identity, payload, sent_at, mapping), delivery=delivery
    )


def _conversation(payload: dict[str, Any]) -> dict[str, Any]:
    """The conversation of an event: in that of a message, or the payload itself."""
    return object_in(payload, "conversation") if payload.get("event") in MESSAGE_EVENTS else payload


def _read(identity: DeliveryIdentity, payload: dict[str, Any], sent_at: str | None, mapping: FieldMapping) -> Parsed:
    """The record of an event. Raises Unusable if it can't be read."""
    event, conversation = as_text(payload.get("event")), _conversation(payload)
    if event is None:
        return Parsed(identity.delivery, problem="event is missing")
    message = payload if event in MESSAGE_EVENTS else {}
    if event not in (*CONVERSATION_EVENTS, *MESSAGE_EVENTS) or (message and _type_of(message) == "activity"):
        return Parsed(identity.delivery, ignored=event)
    if identity.id is None:
        raise Unusable("the conversation has no id")
    created = _time(conversation.get("created_at"))
    changed = _time(conversation.get("updated_at")) or _time(conversation.get("timestamp"))
    written = _time(message.get("created_at"))
    updated = _time(message.get("updated_at")) or _time(sent_at) or changed or written
    if updated is None:
        raise Unusable("the event has no time")
    facts = [
        *_opening(event, conversation, message, created, written),
        *_message(message, written),
        *_rating(message, updated),
        *_current(event, conversation, created, changed or updated),
    ]
    fields = _fields(conversation, message)
    dimensions = dimensions_of(fields, mapping)
    channel = dimensions.pop("channel", None) or (as_text(conversation.get("channel")) or "").removeprefix("Channel::")
    customer = _customer(conversation, message, own_id(fields, mapping))
    record = {
        "type": "ticket",
        "id": identity.id,
        "at": _text(created or written or updated),
        "updated_at": _text(updated),
        "facts": [fact | {"at": _text(fact["at"])} for fact in facts],
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(dimensions=occurring_dimensions(fields, mapping))
    return Parsed(identity.delivery, [record], use=use, names=_names(conversation, message))


def _time(value: object) -> datetime | None:
    """A time, which Chatwoot writes as Unix seconds, as RFC 3339, or as `2020-03-03 13:05:57 UTC`. None for null, "" and 0.

    Raises Unusable if it is none of these.
    """
    if not value:
        return None
    try:
        if isinstance(value, str) and not value.isdigit():
            return parse_time(value.replace(" UTC", "Z").replace(" ", "T", 1))
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("neither a number nor a text")
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        raise Unusable("a time is neither Unix seconds nor RFC 3339") from None


def _text(at: datetime) -> str:
    return at.isoformat()


def _type_of(message: dict[str, Any]) -> str:
    kind = message.get("message_type")
    if type(kind) is int and 0 <= kind < len(MESSAGE_TYPES):
        return MESSAGE_TYPES[kind]
    return str(kind)


def _author(message: dict[str, Any]) -> dict[str, Any]:
    """The party of a message. One that goes out without a person as its sender is automatic.

    Raises Unusable if nothing says whether the sender is a person.
    """
    if _type_of(message) == "incoming":
        return {"by": "customer"}
    sender = object_in(message, "sender")
    if _is_person(sender, message.get("sender_type")):
        agent = as_text(sender.get("id"))
        return {"by": "agent", **({"agent": agent} if agent else {})}
    return {"by": "bot", "auto": True}


def _is_person(sender: dict[str, Any], sender_type: object) -> bool:
    """Whether a sender is a user. Some releases leave out the type; of all senders only users have an e-mail address.

    Raises Unusable if there is a sender of whom nothing says so.
    """
    kind = as_text(sender.get("type")) or as_text(sender_type)
    if kind is None and as_text(sender.get("id")) and not sender.get("email"):
        raise Unusable("sender.type is missing: it is not known whether a person wrote the message")
    return kind.lower() == "user" if kind else bool(sender.get("email"))


def _content(message: dict[str, Any]) -> dict[str, str]:
    """The text of a message. A deleted one has none."""
    content, deleted = message.get("content"), object_in(message, "content_attributes").get("deleted") is True
    return {"text": content} if isinstance(content, str) and content.strip() and not deleted else {}


def _opening(
    event: str, conversation: dict[str, Any], message: dict[str, Any], created: datetime | None, written: datetime | None
) -> Facts:
    """The opening, with the author and the text of the first message. A bot's greeting is not taken for the first message."""
    if created is None:
        return []
    first = message if written and abs(written - created) <= BEGINS_WITHIN else {}
    if event == "conversation_created":
        messages = conversation.get("messages")
        first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], dict) else {}
    is_first = _type_of(first) in ("incoming", "outgoing") and first.get("private") is not True and _author(first)["by"] != "bot"
    if is_first:
        return [{"fact": "opened", "at": created, **_author(first), **_content(first)}]
    return [{"fact": "opened", "at": created}] if event == "conversation_created" else []


def _message(message: dict[str, Any], written: datetime | None) -> Facts:
    """The message, if it is one of a customer, an agent or a bot. Templates, such as a survey, are none."""
    if not message or _type_of(message) == "template":
        return []
    if _type_of(message) not in ("incoming", "outgoing") or written is None:
        raise Unusable("message_type or created_at is missing or unknown")
    identity = as_text(message.get("id"))
    return [
        {
            "fact": "message",
            "at": written,
            **_author(message),
            "public": message.get("private") is not True,
            **({"id": identity} if identity else {}),
            **_content(message),
        }
    ]


def _rating(message: dict[str, Any], updated: datetime) -> Facts:
    """The rating that a customer submitted in a survey. It has the message's id, so that a later remark replaces it."""
    submitted = object_in(object_in(message, "content_attributes"), "submitted_values")
    survey = object_in(submitted, "csat_survey_response")
    if message.get("content_type") != "input_csat" or survey.get("rating") is None:
        return []
    text = survey.get("feedback_message")
    rating = {"fact": "rating", "at": updated, "id": f"csat-{message.get('id')}", "scale": [1, 5], "value": survey["rating"]}
    return [rating | ({"text": text} if isinstance(text, str) and text.strip() else {})]


def _current(event: str, conversation: dict[str, Any], created: datetime | None, changed: datetime) -> Facts:
    """The assignment and the priority, and the status where the event states it."""
    meta = object_in(conversation, "meta")
    assigned: dict[str, str | None] = {}
    if "assignee" in meta:
        assigned["agent"] = None if meta.get("assignee_type") == "AgentBot" else as_text(object_in(meta, "assignee").get("id"))
    if "team" in meta:
        assigned["team"] = as_text(object_in(meta, "team").get("id"))
    at = created if event == "conversation_created" and created else changed
    facts: Facts = [{"fact": "assigned", "at": at, **assigned}] if assigned else []
    if "priority" in conversation:
        facts.append({"fact": "priority", "at": at, "priority": as_text(conversation["priority"])})
    if event in ("conversation_created", "conversation_status_changed"):
        status = str(conversation.get("status"))
        if status not in STATUSES:
            raise Unusable(f"status: unknown; known are {', '.join(STATUSES)}", "unknown_value")
        facts.append({"fact": "status", "at": at, "status": STATUSES[status]})
    return facts


def _customer(conversation: dict[str, Any], message: dict[str, Any], own: str | None) -> dict[str, Any]:
    """The contact: the mapped id, else the one that the tenant's own app gave; Chatwoot's; and the address, if it is one."""
    sender = object_in(message, "sender") if _type_of(message) == "incoming" else {}
    contact = object_in(object_in(conversation, "meta"), "sender") or sender or object_in(message, "contact")
    return customer_fields(
        "chatwoot",
        tool_id=as_text(contact.get("id")),
        own_id=own or as_text(contact.get("identifier")),
        email=as_text(contact.get("email")),
    )


def _fields(conversation: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """The fields that `mapping.dimensions` may name: of the conversation, its attributes, and the name of the inbox."""
    attributes = object_in(conversation, "additional_attributes") | object_in(conversation, "custom_attributes")
    language = object_in(conversation, "additional_attributes").get("browser_language")
    inbox = as_text(object_in(message, "inbox").get("name"))
    return conversation | attributes | {"browser_language": language} | ({"inbox": inbox} if inbox else {})


def _names(conversation: dict[str, Any], message: dict[str, Any]) -> tuple[ValueName, ...]:
    """The names of the assigned agent and team, and of the agent who wrote."""
    meta, sender = object_in(conversation, "meta"), object_in(message, "sender")
    people = [("team", object_in(meta, "team"))]
    if meta.get("assignee_type") != "AgentBot":
        people.append(("agent", object_in(meta, "assignee")))
    if _type_of(message) == "outgoing" and _is_person(sender, message.get("sender_type")):
        people.append(("agent", sender))
    names = (
        ValueName(dimension, value, name)
        for dimension, person in people
        if (value := as_text(person.get("id"))) and (name := as_text(person.get("name")))
    )
    return tuple(dict.fromkeys(names))


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=HelpDeskMapping,
    title="Chatwoot",
    content=("ticket.opened", "ticket.message", "ticket.status", "ticket.assigned", "ticket.priority", "ticket.rating", "names"),
    stored_headers=("x-chatwoot-delivery", "x-chatwoot-timestamp"),
)

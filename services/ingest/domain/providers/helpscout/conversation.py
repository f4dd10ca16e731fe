"""Read a conversation of Help Scout, as it is after an event."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.html_text import plain_text
from services.ingest.domain.providers.payload import (
    Unusable,
    as_object,
    as_objects,
    as_text,
    dimensions_of,
    object_in,
    objects_in,
    occurring_dimensions,
)
from services.ingest.domain.providers.provider import Parsed
from services.ingest.domain.value_names import ValueName

CREATED, STATUS, ASSIGNED = "convo.created", "convo.status", "convo.assigned"
CUSTOMER_REPLY, AGENT_REPLY, NOTE = "convo.customer.reply.created", "convo.agent.reply.created", "convo.note.created"
READ_EVENTS = (CREATED, STATUS, ASSIGNED, CUSTOMER_REPLY, AGENT_REPLY, NOTE, "convo.tags", "convo.moved", "convo.custom-fields")

STATUSES = {"active": "open", "open": "open", "pending": "pending", "closed": "closed"}
PARTIES = {"customer": "customer", "user": "agent", "team": "agent"}
MESSAGE_TYPES = {"customer": True, "message": True, "reply": True, "chat": True, "phone": True, "note": False}
"""Types of threads that are messages, and whether the customer sees them. Others are log lines."""

BEGINS_WITHIN = timedelta(seconds=5)
"""The most time from the creation of a conversation to the thread that began it."""

Facts = list[dict[str, Any]]


def read_conversation(
    delivery: str, event: str, subject: str, conversation: dict[str, Any], mapping: FieldMapping, *, is_fetched: bool = False
) -> Parsed:
    """The record of a conversation. Raises Unusable if it can't be read.

    `is_fetched`: its threads are fetched later, so the message that the event announces may be unknown.
    """
    created = _time(conversation, "createdAt")
    if created is None:
        raise Unusable("createdAt is missing")
    changed = _changed(conversation, created)
    threads = _threads(conversation)
    facts = [
        *_opening(event, conversation, threads, created),
        *(_messages(threads, created) or ([] if is_fetched else _reply(event, conversation))),
        *_assignment(event, conversation, created, changed),
        *_status(event, conversation, created, changed),
    ]
    fields = _fields(conversation)
    dimensions = dimensions_of(fields, mapping)
    source = object_in(conversation, "source")
    channel = dimensions.pop("channel", None) or as_text(source.get("type")) or as_text(conversation.get("type"))
    customer = _customer(conversation, own_id(fields, mapping))
    record = {
        "type": "ticket",
        "id": subject,
        "at": created,
        "updated_at": changed,
        "facts": facts,
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(dimensions=occurring_dimensions(fields, mapping))
    return Parsed(delivery, [record], use=use, names=_names(_assignee(conversation)))


def _changed(conversation: dict[str, Any], created: str) -> str:
    """The latest time in the conversation. Raises Unusable if one is no time."""
    names = ("userUpdatedAt", "userModifiedAt", "modifiedAt", "closedAt")
    times = [created, *(at for name in names if (at := _time(conversation, name)))]
    if waiting := _time(object_in(conversation, "customerWaitingSince"), "time"):
        times.append(waiting)
    return max(times, key=parse_time)


def _time(value: Mapping[str, Any], name: str) -> str | None:
    """A time in RFC 3339. Raises Unusable if it is none."""
    text = as_text(value.get(name))
    try:
        return text if text is None or parse_time(text) else None
    except ValueError:
        raise Unusable(f"{name} is no RFC 3339 time") from None


def _threads(conversation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The published messages of the payload, the oldest first. Usually none."""
    embedded = object_in(conversation, "_embedded").get("threads")
    threads = as_objects(embedded if isinstance(embedded, list) else conversation.get("threads"))
    published = [thread for thread in threads if thread.get("state", "published") == "published"]
    messages = [thread for thread in published if as_text(thread.get("type")) in MESSAGE_TYPES]
    timed = [(at, message) for message in messages if (at := _time(message, "createdAt"))]
    return [message for _, message in sorted(timed, key=lambda pair: parse_time(pair[0]))]


def _author(author: Mapping[str, Any], kind: object = None) -> dict[str, str]:
    """The author of a message, by the type of the author, else of the thread."""
    by = PARTIES.get(str(author.get("type"))) or ("customer" if kind == "customer" else "agent")
    agent = as_text(author.get("id")) if by == "agent" else None
    return {"by": by, **({"agent": agent} if agent else {})}


def _opening(event: str, conversation: dict[str, Any], threads: Sequence[dict[str, Any]], created: str) -> Facts:
    """The opening. Its text is that of the first thread, else of the preview, which `convo.created` has of the first message."""
    creator, via = object_in(conversation, "createdBy"), object_in(conversation, "source").get("via")
    author = _author(creator if as_text(creator.get("type")) in PARTIES else {"type": via})
    text = as_text(conversation.get("preview")) if event == CREATED else None
    if threads and _begins(threads[0], created):
        text = plain_text(threads[0].get("body"))
    is_public = {"public": MESSAGE_TYPES[str(threads[0]["type"])]} if threads and _begins(threads[0], created) else {}
    return [{"fact": "opened", "at": created, **author, **is_public, **({"text": text} if text else {})}]


def _begins(thread: Mapping[str, Any], created: str) -> bool:
    return abs(parse_time(thread["createdAt"]) - parse_time(created)) <= BEGINS_WITHIN


def _messages(threads: Sequence[dict[str, Any]], created: str) -> Facts:
    facts: Facts = []
    for place, thread in enumerate(threads):
        identity, text = as_text(thread.get("id")), plain_text(thread.get("body"))
        if place == 0 and _begins(thread, created):
            continue
        facts.append(
            {
                "fact": "message",
                "at": thread["createdAt"],
                **_author(object_in(thread, "createdBy"), thread.get("type")),
                "public": MESSAGE_TYPES[str(thread["type"])],
                **({"id": identity} if identity else {}),
                **({"text": text} if text else {}),
            }
        )
    return facts


def _reply(event: str, conversation: dict[str, Any]) -> Facts:
    """The message that the event announces, without its text. The API does not say who of the agents wrote it.

    A customer who was answered since does not wait any more, so the time of that reply is lost. Raises Unusable if another time
    is missing.
    """
    if event == CUSTOMER_REPLY:
        waiting = object_in(conversation, "customerWaitingSince")
        if waiting.get("latestReplyFrom", "customer") != "customer":
            return []
        if at := _time(waiting, "time"):
            return [{"fact": "message", "at": at, "by": "customer"}]
        raise Unusable("customerWaitingSince.time, the time of the reply, is missing")
    if event in (AGENT_REPLY, NOTE):
        if at := _time(conversation, "userUpdatedAt") or _time(conversation, "userModifiedAt"):
            return [{"fact": "message", "at": at, "by": "agent", "public": event == AGENT_REPLY}]
        raise Unusable("userUpdatedAt, the time of the reply, is missing")
    return []


def _assignee(conversation: Mapping[str, Any]) -> dict[str, Any]:
    return object_in(conversation, "assignee") or object_in(conversation, "owner")


def _assignment(event: str, conversation: dict[str, Any], created: str, changed: str) -> Facts:
    """The assignee, a user or a team. A conversation without one is unassigned."""
    if event not in (CREATED, ASSIGNED) or not ("assignee" in conversation or "owner" in conversation or event == ASSIGNED):
        return []
    assignee = _assignee(conversation)
    identity = as_text(assignee.get("id"))
    at = created if event == CREATED else changed
    if assignee.get("type") == "team":
        return [{"fact": "assigned", "at": at, "team": identity}]
    return [{"fact": "assigned", "at": at, "agent": identity}]


def _status(event: str, conversation: dict[str, Any], created: str, changed: str) -> Iterator[dict[str, Any]]:
    """The status where the event may have changed it. Raises Unusable if it is unknown."""
    status = as_text(conversation.get("status"))
    if event not in (CREATED, STATUS, CUSTOMER_REPLY, AGENT_REPLY) or status is None:
        return
    at = created if event == CREATED else changed
    if status == "spam":
        yield {"fact": "spam", "at": at}
        return
    if status not in STATUSES:
        raise Unusable(f"status: unknown; known are {', '.join([*STATUSES, 'spam'])}", "unknown_value")
    if event == STATUS:
        yield {"fact": "spam", "at": at, "value": False}
    yield {
        "fact": "status",
        "at": (_time(conversation, "closedAt") or at) if status == "closed" else at,
        "status": STATUSES[status],
    }


def _customer(conversation: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    creator = object_in(conversation, "createdBy")
    customer = object_in(conversation, "primaryCustomer") or object_in(conversation, "customer")
    if creator.get("type") == "customer" and (not customer or as_text(customer.get("id")) == as_text(creator.get("id"))):
        customer = creator | {name: value for name, value in customer.items() if value}
    return customer_of(customer, own)


def customer_of(customer: Mapping[str, Any], own: str | None = None) -> dict[str, Any]:
    """The customer: the mapped id, the id in Help Scout, and the first e-mail address."""
    emails = customer.get("emails")
    first = emails[0] if isinstance(emails, list) and emails else None
    email = as_text(customer.get("email")) or as_text(as_object(first).get("value")) or ""
    return customer_fields("helpscout", tool_id=as_text(customer.get("id")), own_id=own, email=email)


def _fields(conversation: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `mapping.dimensions` may name: of the conversation, and custom fields by name, with their text."""
    named = {
        name: as_text(field.get("text")) or as_text(field.get("value"))
        for field in objects_in(conversation, "customFields")
        if (name := as_text(field.get("name")))
    }
    mailbox = object_in(conversation, "mailbox")
    former = {"mailboxId": as_text(mailbox.get("id")), "mailbox": as_text(mailbox.get("name"))} if mailbox else {}
    return dict(conversation) | former | named


def _names(assignee: Mapping[str, Any]) -> tuple[ValueName, ...]:
    identity = as_text(assignee.get("id"))
    parts = [
        as_text(assignee.get(new)) or as_text(assignee.get(old)) for new, old in (("first", "firstName"), ("last", "lastName"))
    ]
    name = " ".join(part for part in parts if part)
    dimension = "team" if assignee.get("type") == "team" else "agent"
    return (ValueName(dimension, identity, name),) if identity and name else ()

"""Values in Intercom's payloads: times, authors, states."""

import re
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.providers.customers import customer_fields
from services.ingest.domain.providers.payload import Unusable, as_text, object_in, objects_in

CUSTOMERS = ("user", "lead", "contact", "visitor")
AUTHORS = {"admin": "agent", "bot": "bot", "operator": "bot"} | dict.fromkeys(CUSTOMERS, "customer")
"""Parties by the type of an author."""

STATES = {"open": "open", "closed": "closed", "snoozed": "pending"}
"""Statuses by the state of a conversation."""
TICKET_STATES = {"submitted": "new", "in_progress": "open", "waiting_on_customer": "pending", "resolved": "solved"}
"""Statuses by the category of a ticket's state. States of the workspace's own belong to one of these categories."""

SPACED_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?: ?(?:UTC|(Z|[+-]\d\d:\d\d)))?", re.ASCII)
FIRST_MILLISECOND = 100_000_000_000
"""A larger Unix time is in milliseconds."""


def time_of(value: object) -> str | None:
    """A time in RFC 3339. None for null, "" and 0. Intercom writes Unix seconds, in statistics also RFC 3339, all in UTC. A
    time with a blank in place of the T may lack its offset.

    Raises Unusable if it is neither.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:14])
    if not value:
        return None
    if isinstance(value, str):
        return f"{spaced[1]}T{spaced[2]}{spaced[3] or 'Z'}" if (spaced := SPACED_TIME.fullmatch(value)) else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < FIRST_MILLISECOND * 1000:
        raise Unusable("a time is neither Unix seconds nor RFC 3339")
    seconds = value / 1000 if value >= FIRST_MILLISECOND else value
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def id_of(value: object) -> str | None:
    """The id as text. None for null, "" and 0, which is the id of nobody in a ticket."""
    identity = as_text(value)
    return identity if identity != "0" else None


def author_of(author: dict[str, Any]) -> dict[str, str]:
    """The party of an author as `by`, with `agent` if it is one. Raises Unusable if its type is unknown."""
    by = "bot" if author.get("from_ai_agent") is True else AUTHORS.get(str(author.get("type")))
    if by is None:
        raise Unusable("author: unknown type; known are user, lead, contact, visitor, admin, bot", "unknown_value")
    agent = id_of(author.get("id")) if by == "agent" else None
    return {"by": by, **({"agent": agent} if agent else {})}


def status_of(item: dict[str, Any]) -> str | None:
    """The status of a conversation or a ticket; None if the payload has none. Raises Unusable if its state is unknown."""
    return status_of_ticket_state(item["ticket_state"]) if "ticket_state" in item else status_of_state(item.get("state"))


def status_of_state(state: object) -> str | None:
    """The status of a conversation's state; None for null. Raises Unusable if it is unknown."""
    if state is None:
        return None
    if str(state) not in STATES:
        raise Unusable(f"state: unknown; known are {', '.join(STATES)}", "unknown_value")
    return STATES[str(state)]


def status_of_ticket_state(state: object) -> str | None:
    """The status of a ticket's state: an object with a category, or the category itself. Raises Unusable if it is unknown."""
    category = state.get("category") if isinstance(state, dict) else state
    if category is None:
        return None
    if str(category) not in TICKET_STATES:
        raise Unusable(f"ticket_state: unknown category; known are {', '.join(TICKET_STATES)}", "unknown_value")
    return TICKET_STATES[str(category)]


def customer_of(item: dict[str, Any], own: str | None = None) -> dict[str, Any]:
    """The customer: the mapped id, else the one that the workspace's own app gave them; Intercom's; and the e-mail address.

    A conversation may have several contacts, in any order. Its customer is the contact who began it, whom every notification
    about it names; else the first one. An address of somebody else is left out.
    """
    contacts = objects_in(object_in(item, "contacts"), "contacts")
    user, author = object_in(item, "user"), object_in(object_in(item, "source"), "author")
    begun_by = author if author.get("type") in CUSTOMERS else {}
    writer = id_of(begun_by.get("id"))
    contact = next(
        (person for person in contacts if writer and id_of(person.get("id")) == writer), contacts[0] if contacts else {}
    )
    tool_id = id_of(contact.get("id")) or id_of(user.get("id"))
    is_same = writer == tool_id if writer and tool_id else len(contacts) <= 1
    return customer_fields(
        "intercom",
        tool_id=tool_id,
        own_id=own or id_of(contact.get("external_id")) or id_of(user.get("user_id")),
        email=(as_text(begun_by.get("email")) if is_same else None) or as_text(user.get("email")),
    )

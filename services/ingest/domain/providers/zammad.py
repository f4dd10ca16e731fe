"""Zammad (github.com/zammad/zammad): webhooks of triggers, with the ticket and the article that fired them.

`X-Hub-Signature: sha1=<hex HMAC-SHA1 of the raw body>`; the key is the webhook's HMAC token. There is no timestamp.
`X-Zammad-Delivery` is the same for each of the five attempts. Nothing names the event: the default payload is the ticket after
it, and an article if one was written. `article` is null for other changes.

States and priorities are records of each installation. Those that Zammad creates are known; the connection's `states` declares
others. Documented payloads repeat a key within one object; its last value counts.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import Field

from services.ingest.domain.fields import GroupName, parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.html_text import plain_text
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    occurring_dimensions,
    parse_object,
    parse_payload,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.signatures import verify_named_hmac
from services.ingest.domain.value_names import ValueName
from shared.events import Status

STATES: dict[str, Status] = {
    "new": "new",
    "open": "open",
    "pending reminder": "pending",
    "pending close": "pending",
    "closed": "closed",
}
"""Statuses by the states that Zammad creates."""
MERGED, REMOVED = "merged", "removed"

SENDERS = {"customer": "customer", "agent": "agent", "system": "bot"}
NOBODY = "1"
"""The id of Zammad's own user, which owns tickets without an owner."""
PRIORITY_NUMBER = re.compile(r"^\d+ +")
"""Begins the name of a priority: "2 normal"."""

BEGINS_WITHIN = timedelta(seconds=5)
"""The most time from the creation of a ticket to the article that began it."""

Facts = list[dict[str, Any]]


class ZammadSettings(HelpDeskMapping):
    """`dimensions` name fields and attributes of tickets, and `organization`."""

    states: dict[GroupName, Status] = Field(
        default_factory=dict, max_length=500, description="Zammad: statuses by the names of your own ticket states"
    )


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_named_hmac(
        request.headers.get("x-hub-signature"),
        request.body,
        secrets,
        "sha1",
        "hex",
        missing="x-hub-signature is needed: set an HMAC token in the webhook",
    )


def _parse(request: Request, settings: ZammadSettings) -> Parsed:
    delivery = as_text(request.headers.get("x-zammad-delivery"))

    def identify(payload: dict[str, Any]) -> DeliveryIdentity:
        return DeliveryIdentity(delivery, "ticket", as_text(object_in(payload, "ticket").get("id")))

    return parse_payload(
        request,
        identify,
        lambda identity, payload: _read(identity, payload, settings),
        delivery=delivery,
        decode=partial(parse_object, last_key_counts=True),
    )


def _read(identity: DeliveryIdentity, payload: dict[str, Any], settings: ZammadSettings) -> Parsed:
    """The record of a ticket. Raises Unusable if its id, its times or its state can't be read."""
    ticket, article = object_in(payload, "ticket"), object_in(payload, "article")
    if identity.id is None:
        raise Unusable("ticket.id is missing: use Zammad's default payload")
    created, updated = _time(ticket, "created_at"), _time(ticket, "updated_at")
    if created is None or updated is None:
        raise Unusable("created_at and updated_at of the ticket are needed")
    facts = [
        *_opening(ticket, article, created),
        *_message(ticket, article, created),
        *_current(ticket, updated),
        _status(ticket, created, updated, settings),
    ]
    fields = dict(ticket) | {"organization": _name(ticket.get("organization"))}
    dimensions = dimensions_of(fields, settings)
    channel = dimensions.pop("channel", None) or _name(ticket.get("create_article_type"))
    customer = _customer(ticket, own_id(fields, settings))
    record = {
        "type": "ticket",
        "id": identity.id,
        "at": created,
        "updated_at": updated,
        "facts": facts,
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(dimensions=occurring_dimensions(fields, settings))
    return Parsed(identity.delivery, [record], use=use, names=_names(ticket, article))


def _time(value: Mapping[str, Any], name: str) -> str | None:
    """A time in RFC 3339. Raises Unusable if it is none."""
    text = as_text(value.get(name))
    try:
        return text if text is None or parse_time(text) else None
    except ValueError:
        raise Unusable(f"{name} is no RFC 3339 time") from None


def _name(value: Any) -> str | None:
    """The name of a state, a priority or an article's type, which is a text or an object with a name."""
    return as_text(value.get("name")) if isinstance(value, dict) else as_text(value)


def _sender(name: Any, person: Any) -> dict[str, Any]:
    """The author of an article, by its sender. Raises Unusable if it is unknown."""
    by = SENDERS.get((_name(name) or "").lower())
    if by is None:
        raise Unusable(f"sender: unknown; known are {', '.join(SENDERS)}", "unknown_value")
    agent = as_text(person) if by == "agent" else None
    return {"by": by, **({"agent": agent} if agent and agent != NOBODY else {})}


def _is_first(ticket: Mapping[str, Any], article: Mapping[str, Any], created: str) -> bool:
    """Whether the article began the ticket."""
    ids, written = ticket.get("article_ids"), _time(article, "created_at")
    if written is None or abs(parse_time(written) - parse_time(created)) > BEGINS_WITHIN:
        return False
    numbers = [number for number in ids if isinstance(number, int)] if isinstance(ids, list) else []
    return not numbers or article.get("id") == min(numbers)


def _opening(ticket: Mapping[str, Any], article: Mapping[str, Any], created: str) -> Facts:
    """The opening, with text and visibility if the article is the one that began the ticket."""
    sender, person = ticket.get("create_article_sender"), ticket.get("created_by_id")
    if not article or not _is_first(ticket, article, created):
        return [{"fact": "opened", "at": created, **(_sender(sender, person) if sender else {})}]
    text = _text(article)
    author = _sender(article.get("sender") or sender, article.get("created_by_id"))
    return [
        {
            "fact": "opened",
            "at": created,
            **author,
            "public": article.get("internal") is not True,
            **({"text": text} if text else {}),
        }
    ]


def _message(ticket: Mapping[str, Any], article: Mapping[str, Any], created: str) -> Facts:
    """The article, unless it began the ticket."""
    if not article or _is_first(ticket, article, created):
        return []
    written = _time(article, "created_at")
    if written is None:
        raise Unusable("created_at of the article is missing")
    identity, text = as_text(article.get("id")), _text(article)
    author = _sender(article.get("sender"), article.get("created_by_id"))
    return [
        {
            "fact": "message",
            "at": written,
            **author,
            "public": article.get("internal") is not True,
            **({"auto": True} if author["by"] == "bot" else {}),
            **({"id": identity} if identity else {}),
            **({"text": text} if text else {}),
        }
    ]


def _text(article: Mapping[str, Any]) -> str:
    body = article.get("body")
    if article.get("content_type") == "text/plain" and isinstance(body, str):
        return body.strip().replace("\0", "")
    return plain_text(body)


def _current(ticket: Mapping[str, Any], updated: str) -> Facts:
    """The assignment and the priority after the event."""
    assigned: dict[str, str | None] = {}
    if "owner_id" in ticket:
        owner = as_text(ticket["owner_id"])
        assigned["agent"] = None if owner == NOBODY else owner
    if "group_id" in ticket:
        assigned["team"] = as_text(ticket["group_id"])
    facts: Facts = [{"fact": "assigned", "at": updated, **assigned}] if assigned else []
    if priority := _name(ticket.get("priority")):
        facts.append({"fact": "priority", "at": updated, "priority": PRIORITY_NUMBER.sub("", priority).lower()})
    return facts


def _status(ticket: Mapping[str, Any], created: str, updated: str, settings: ZammadSettings) -> dict[str, Any]:
    """The status, or the merge or removal that Zammad writes as a state. Raises Unusable if the state is unknown."""
    state = _name(ticket.get("state")) or ""
    status = settings.states.get(state) or STATES.get(state.lower())
    if status is not None:
        return {"fact": "status", "at": created if status == "new" else updated, "status": status}
    if state.lower() in (MERGED, REMOVED):
        return {"fact": "merged" if state.lower() == MERGED else "deleted", "at": updated}
    raise Unusable("state: unknown; declare your own states in `states` of the mapping", "unknown_value")


def _customer(ticket: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    customer = object_in(ticket, "customer")
    identity = as_text(ticket.get("customer_id")) or as_text(customer.get("id"))
    return customer_fields("zammad", tool_id=identity, own_id=own, email=as_text(customer.get("email")))


def _names(ticket: Mapping[str, Any], article: Mapping[str, Any]) -> tuple[ValueName, ...]:
    """The names of the owner and the group, and of the agent who wrote."""
    group, owner = object_in(ticket, "group"), object_in(ticket, "owner")
    names = [ValueName("team", as_text(group.get("id")) or "", as_text(group.get("name")) or "")]
    people = [owner] if as_text(owner.get("id")) != NOBODY else []
    if (_name(article.get("sender")) or "").lower() == "agent":
        people.append(object_in(article, "created_by"))
    for person in people:
        parts = [part for key in ("firstname", "lastname") if (part := as_text(person.get(key)))]
        names.append(ValueName("agent", as_text(person.get("id")) or "", " ".join(parts)))
    return tuple(dict.fromkeys(name for name in names if name.value and name.name))


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=ZammadSettings,
    title="Zammad",
    content=(
        "ticket.opened",
        "ticket.message",
        "ticket.status",
        "ticket.assigned",
        "ticket.priority",
        "ticket.merged",
        "ticket.deleted",
        "names",
    ),
    stored_headers=("x-zammad-delivery",),
)

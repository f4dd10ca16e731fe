"""Gorgias (developers.gorgias.com): HTTP integrations, with the bodies that we publish (`template.py`).

Gorgias signs nothing and sends no id of a delivery. So an integration presents the connection's secret in a header of its own.
Each body states the ticket as it is after the event, with Gorgias' own times, and the message if one was written. So a body that
arrives twice changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.gorgias.template import parse_body, read_time, read_truth
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    dimensions_of,
    occurring_dimensions,
    parse_payload,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.shared_secret import verify_shared_secret
from services.ingest.domain.value_names import ValueName

BEGINS_WITHIN = timedelta(seconds=5)
"""The most time from the creation of a ticket to the message that began it."""
RATING = "satisfaction"
"""The id of a ticket's rating. A ticket has one survey."""
SCALE = (1, 5)

Fields = dict[str, str | None]
Facts = list[dict[str, Any]]


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_shared_secret(request, secrets, in_url=False)


def _parse(request: Request, settings: HelpDeskMapping) -> Parsed:
    return parse_payload(
        request,
        lambda fields: DeliveryIdentity(None, "ticket", fields.get("id")),
        lambda identity, fields: _read(identity, fields, settings),
        decode=parse_body,
    )


def _read(identity: DeliveryIdentity, fields: Fields, settings: HelpDeskMapping) -> Parsed:
    """The record of a ticket. Raises Unusable if its id, its times or its status can't be read."""
    if identity.id is None:
        raise Unusable("id is missing")
    created, updated = read_time(fields, "created"), read_time(fields, "updated")
    if created is None:
        raise Unusable("created is missing")
    updated = updated or read_time(fields, "written") or created
    usable = {name: value for name, value in fields.items() if value is not None}
    dimensions = dimensions_of(usable, settings)
    channel = dimensions.pop("channel", None) or fields.get("channel")
    customer = customer_fields(
        "gorgias", tool_id=fields.get("customer"), own_id=own_id(usable, settings), email=fields.get("email")
    )
    record = {
        "type": "ticket",
        "id": identity.id,
        "at": created,
        "updated_at": updated,
        "facts": [
            *_opening(fields, created),
            *_message(fields, created),
            *_current(fields, updated),
            *_rating(fields),
        ],
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(dimensions=occurring_dimensions(usable, settings))
    return Parsed(None, [record], use=use, names=_names(fields))


def _begins(fields: Fields, created: str) -> bool:
    """Whether the message began the ticket: it is of the ticket's author, and as old as the ticket."""
    written = read_time(fields, "written")
    if fields.get("message") is None or written is None:
        return False
    is_of_opener = read_truth(fields, "written_by_agent") == read_truth(fields, "opened_by_agent")
    return is_of_opener and abs(parse_time(written) - parse_time(created)) <= BEGINS_WITHIN


def _opening(fields: Fields, created: str) -> Facts:
    """The opening, with text, visibility and the agent if the message is the one that began the ticket."""
    by_agent = read_truth(fields, "opened_by_agent")
    if _begins(fields, created):
        return [{"fact": "opened", "at": created, **_content(fields)}]
    return [{"fact": "opened", "at": created, **({"by": _party(by_agent)} if by_agent is not None else {})}]


def _message(fields: Fields, created: str) -> Facts:
    """The message, unless it began the ticket."""
    identity = fields.get("message")
    if identity is None or _begins(fields, created):
        return []
    written = read_time(fields, "written")
    if written is None:
        raise Unusable("written is missing")
    content = _content(fields)
    return [
        {"fact": "message", "at": written, "id": identity, **content, **({"auto": True} if content["by"] == "bot" else {})},
    ]


def _content(fields: Fields) -> dict[str, Any]:
    """Author, visibility and text of the message. Raises Unusable if the body does not state who wrote it."""
    by_agent, public = read_truth(fields, "written_by_agent"), read_truth(fields, "public")
    if by_agent is None:
        raise Unusable("written_by_agent is missing")
    sender, text = fields.get("sender"), fields.get("text")
    is_bot = by_agent and fields.get("rule") is not None
    return {
        "by": "bot" if is_bot else _party(by_agent),
        "public": public is not False,
        **({"agent": sender} if by_agent and not is_bot and sender else {}),
        **({"text": text} if text else {}),
    }


def _party(by_agent: bool) -> str:
    return "agent" if by_agent else "customer"


def _current(fields: Fields, updated: str) -> Facts:
    """Assignment, priority, status, spam and deletion after the event, as far as the body states them."""
    facts: Facts = []
    assigned: dict[str, Any] = {name: fields[name] for name in ("team", "agent") if name in fields}
    if assigned:
        facts.append({"fact": "assigned", "at": updated, **assigned})
    if priority := fields.get("priority"):
        facts.append({"fact": "priority", "at": updated, "priority": priority.lower()})
    if status := fields.get("status"):
        facts.append(_status(status.lower(), fields, updated))
    if (spam := read_truth(fields, "spam")) is not None:
        facts.append({"fact": "spam", "at": updated, "value": spam})
    if "trashed" in fields:
        trashed = read_time(fields, "trashed")
        facts.append({"fact": "deleted", "at": trashed or updated, "value": trashed is not None})
    return facts


def _status(status: str, fields: Fields, updated: str) -> dict[str, Any]:
    """The status. A ticket that is closed until a time is pending. Raises Unusable if the status is unknown."""
    if status == "open":
        return {"fact": "status", "at": updated, "status": "open"}
    if status != "closed":
        raise Unusable("status: unknown; known are open, closed", "unknown_value")
    if read_time(fields, "snoozed"):
        return {"fact": "status", "at": updated, "status": "pending"}
    return {"fact": "status", "at": read_time(fields, "closed") or updated, "status": "closed"}


def _rating(fields: Fields) -> Facts:
    """The rating, if the administrator added its fields. `text` is its comment in a body without a message."""
    score, scored = fields.get("score"), read_time(fields, "scored")
    if score is None:
        return []
    if scored is None or not score.isascii() or not score.isdecimal():
        raise Unusable("score must be a whole number, and scored its time")
    text = fields.get("text") if fields.get("message") is None else None
    rating = {"fact": "rating", "at": scored, "id": RATING, "kind": "csat", "value": int(score), "scale": list(SCALE)}
    return [rating | ({"text": text} if text else {})]


def _names(fields: Fields) -> tuple[ValueName, ...]:
    """The name of the agent who wrote."""
    sender, name = fields.get("sender"), fields.get("sender_name")
    is_agent = fields.get("message") is not None and read_truth(fields, "written_by_agent")
    return (ValueName("agent", sender, name),) if is_agent and sender and name else ()


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=HelpDeskMapping,
    title="Gorgias",
    content=(
        "ticket.opened",
        "ticket.message",
        "ticket.status",
        "ticket.assigned",
        "ticket.priority",
        "ticket.rating",
        "ticket.spam",
        "ticket.deleted",
        "names",
    ),
)

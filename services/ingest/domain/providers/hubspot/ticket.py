"""Read a ticket of HubSpot, with the history of its stage, owner, team and priority, and the messages of its conversation.

HubSpot's own stages can be renamed and reused, so nothing but the pipeline's `ticketState` and the connection's `stages` says
what a stage means.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.hubspot.documents import (
    INCOMING,
    OWNER,
    PRIORITY,
    STATUS_PROPERTY,
    TEAM,
    closed_stages,
    contact_id,
    contact_properties,
    history,
    time_of,
)
from services.ingest.domain.providers.hubspot.settings import HubSpotSettings
from services.ingest.domain.providers.payload import Unusable, as_text, dimensions_of, object_in, objects_in, occurring_dimensions
from services.ingest.domain.providers.tool_api import Documents
from services.ingest.domain.value_names import ValueName

CREATED_BY_USER = "CRM_UI"
"""The source of a ticket that a user of HubSpot created by hand."""

AGENT = "A"
"""Begins the id of an actor of a conversation who is a user of HubSpot. Others that send messages are bots and integrations."""

Facts = list[dict[str, Any]]
Read = tuple[dict[str, Any], MappingUse, tuple[ValueName, ...]]
"""A record, how it fits the mapping, and the names that the documents state."""


def read_ticket(documents: Documents, settings: HubSpotSettings) -> Read:
    """Raises Unusable if the ticket has no time of creation, or its current stage has no status."""
    fetched = dict(documents)
    ticket = object_in(fetched, "object")
    properties = object_in(ticket, "properties")
    created = time_of(properties.get("createdate")) or time_of(ticket.get("createdAt"))
    changed = time_of(properties.get("hs_lastmodifieddate")) or time_of(ticket.get("updatedAt")) or created
    if created is None:
        raise Unusable("the ticket has no createdate")
    facts = [
        _opening(properties, created),
        *_statuses(ticket, changed, fetched.get("pipelines"), settings),
        *_assignments(ticket),
        *(
            {"fact": "priority", "at": at, "priority": value.lower() if value else None}
            for at, value in history(ticket, PRIORITY)
        ),
        *_messages(fetched, created),
    ]
    fields = {name: value for name, value in properties.items() if value not in (None, "")}
    dimensions = dimensions_of(fields, settings)
    channel = dimensions.pop("channel", None) or (as_text(properties.get("source_type")) or "").lower()
    customer = customer_of(ticket, fetched, settings)
    record = {
        "type": "ticket",
        "id": as_text(ticket.get("id")),
        "at": created,
        "updated_at": changed,
        "facts": facts,
        "dimensions": dimensions,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    return (
        record,
        MappingUse(dimensions=occurring_dimensions([*fields, *contact_properties(fetched)], settings)),
        _names(object_in(fetched, "owner")),
    )


def customer_of(subject: Mapping[str, Any], documents: Mapping[str, Any], settings: HubSpotSettings) -> dict[str, Any]:
    """The contact: its mapped property, its id in HubSpot, and its e-mail address if we may read it."""
    properties = contact_properties(documents)
    return customer_fields(
        "hubspot", tool_id=contact_id(subject), own_id=own_id(properties, settings), email=as_text(properties.get("email"))
    )


def _opening(properties: Mapping[str, Any], created: str) -> dict[str, Any]:
    """The opening with its description: of an agent if a user created the ticket by hand, else of the customer."""
    text = as_text(properties.get("content")) or ""
    by = "agent" if properties.get("hs_object_source") == CREATED_BY_USER else "customer"
    return {"fact": "opened", "at": created, "by": by, **({"text": text} if text.strip() else {})}


def _statuses(
    ticket: Mapping[str, Any], changed: str | None, pipelines: Any, settings: HubSpotSettings
) -> Iterator[dict[str, Any]]:
    """The statuses of all stages. A former stage that was deleted since is left out.

    Raises Unusable if the current stage is unknown.
    """
    closed = closed_stages(pipelines)
    current = as_text(object_in(ticket, "properties").get(STATUS_PROPERTY))
    for at, identity in history(ticket, STATUS_PROPERTY) or [(str(changed), current)]:
        if identity in settings.stages:
            yield {"fact": "status", "at": at, "status": settings.stages[identity]}
        elif identity in closed:
            yield {"fact": "status", "at": at, "status": "closed" if closed[identity] else "open"}
        elif identity and identity == current:
            raise Unusable(
                "hs_pipeline_stage: no pipeline says whether it is closed; name it in `stages` of the mapping", "mapping_mismatch"
            )


def _assignments(ticket: Mapping[str, Any]) -> Facts:
    return [
        {"fact": "assigned", "at": at, name: value}
        for name, key in (("agent", OWNER), ("team", TEAM))
        for at, value in history(ticket, key)
    ]


def _messages(documents: Mapping[str, Any], created: str) -> Iterator[dict[str, Any]]:
    """The messages since the ticket was created. Its description is the first one before."""
    owner = object_in(documents, "owner")
    for message in objects_in(documents.get("messages"), "results"):
        at, kind, identity = time_of(message.get("createdAt")), message.get("type"), as_text(message.get("id"))
        if at is None or kind not in ("MESSAGE", "COMMENT") or _moment(at) <= _moment(created):
            continue
        text = as_text(message.get("text")) or ""
        yield {
            "fact": "message",
            "at": at,
            **_author(message, owner),
            "public": kind == "MESSAGE",
            **({"id": identity} if identity else {}),
            **({"text": text} if text.strip() else {}),
        }


def _moment(text: str) -> datetime:
    """The time. If the text is none, the earliest time."""
    try:
        return parse_time(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _author(message: Mapping[str, Any], owner: Mapping[str, Any]) -> dict[str, Any]:
    """The party of a message. A message names a user, but agents are owners: only the ticket's present owner is known as both."""
    if message.get("direction") == INCOMING:
        return {"by": "customer"}
    kind, _, actor = (as_text(message.get("createdBy")) or "").partition("-")
    if kind != AGENT:
        return {"by": "bot", "auto": True}
    identity = as_text(owner.get("id")) if actor == as_text(owner.get("userId")) else None
    return {"by": "agent", **({"agent": identity} if identity else {})}


def _names(owner: Mapping[str, Any]) -> tuple[ValueName, ...]:
    """The names of the owner and of the owner's teams."""
    identity = as_text(owner.get("id"))
    name = " ".join(part for key in ("firstName", "lastName") if (part := as_text(owner.get(key))))
    names = [ValueName("agent", identity, name)] if identity and name else []
    for team in objects_in(owner, "teams"):
        if (team_id := as_text(team.get("id"))) and (team_name := as_text(team.get("name"))):
            names.append(ValueName("team", team_id, team_name))
    return tuple(names)

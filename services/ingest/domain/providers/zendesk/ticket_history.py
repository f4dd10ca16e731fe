"""Read a ticket of Zendesk's API together with its audits, as `history.py` stores them."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.payload import Unusable, as_text, dimensions_of, object_in, objects_in, occurring_dimensions
from services.ingest.domain.providers.provider import Parsed, Request
from services.ingest.domain.providers.tool_api import Documents
from services.ingest.domain.providers.zendesk.values import (
    id_of,
    opener,
    priority_of,
    rating_fact,
    status_fact,
    without_nobody,
)
from services.ingest.domain.value_names import ValueName

Facts = list[dict[str, Any]]


def parse(request: Request, documents: Documents, mapping: FieldMapping) -> Parsed:
    """The record of a ticket with its history."""
    ticket = object_in(documents, "ticket")
    identity = id_of(ticket.get("id"))
    if identity is None:
        return Parsed(None, problem="ticket.id is missing")
    try:
        created = _time(ticket, "created_at")
        updated = _time(ticket, "updated_at")
        facts = [*_facts(ticket, objects_in(documents, "audits"), created), *_present(ticket, updated)]
    except Unusable as error:
        return Parsed(None, problem=str(error), problem_code=error.code, about=(f"ticket/{identity}",))
    fields = dimensions_of(without_nobody(ticket), mapping)
    channel = fields.pop("channel", None) or as_text(object_in(ticket, "via").get("channel"))
    customer = customer_fields("zendesk", tool_id=id_of(ticket.get("requester_id")), own_id=own_id(ticket, mapping))
    record = {
        "type": "ticket",
        "id": identity,
        "at": created,
        "updated_at": updated,
        "facts": facts,
        "dimensions": fields,
        **({"channel": channel} if channel else {}),
        **({"customer": customer} if customer else {}),
    }
    use = MappingUse(dimensions=occurring_dimensions(ticket, mapping))
    return Parsed(None, [record], use=use, names=_names(objects_in(documents, "audits")))


def _names(audits: Sequence[Mapping[str, Any]]) -> tuple[ValueName, ...]:
    """The names of staff who commented."""
    comments = [event for audit in audits for event in objects_in(audit, "events") if event.get("is_staff") is True]
    pairs = [(id_of(comment.get("author_id")), as_text(comment.get("author_name"))) for comment in comments]
    return tuple(dict.fromkeys(ValueName("agent", agent, name) for agent, name in pairs if agent and name))


def _time(value: Mapping[str, Any], name: str) -> str:
    """A time. Raises Unusable if it is missing or none."""
    text = as_text(value.get(name))
    try:
        parse_time(text)
    except ValueError:
        raise Unusable(f"{name} is no RFC 3339 time") from None
    return str(text)


def _facts(ticket: Mapping[str, Any], audits: Sequence[Mapping[str, Any]], created: str) -> Facts:
    """The opening and everything that happened since."""
    first = next((event for event in objects_in(audits[0], "events") if event.get("type") == "Comment"), {}) if audits else {}
    text = ticket.get("description")
    visibility = {"public": first.get("public") is not False} if first else {}
    words = {"text": text} if isinstance(text, str) and text.strip() else {}
    by = opener(ticket.get("submitter_id"), ticket.get("requester_id"))
    facts: Facts = [{"fact": "opened", "at": created, **by, **visibility, **words}]
    for place, audit in enumerate(audits):
        at = created if place == 0 else _time(audit, "created_at")
        rated: dict[str, Any] = {}
        for event in objects_in(audit, "events"):
            if event.get("type") == "Comment":
                facts += [] if event is first else [_message(ticket, event, at)]
            elif str(event.get("field_name")).startswith("satisfaction_"):
                rated[str(event.get("field_name"))] = event.get("value")
            else:
                facts += _change(event, at)
        if rated and (rating := rating_fact(rated.get("satisfaction_score"), at, rated.get("satisfaction_comment"))):
            facts.append(rating)
    return facts


def _message(ticket: Mapping[str, Any], event: Mapping[str, Any], at: str) -> dict[str, Any]:
    """A comment. Without a known author it is an agent's unless the requester wrote it, as in webhooks."""
    author, identity, text = id_of(event.get("author_id")), as_text(event.get("id")), event.get("body")
    is_staff = event.get("is_staff")
    by_agent = is_staff if isinstance(is_staff, bool) else author != id_of(ticket.get("requester_id"))
    return {
        "fact": "message",
        "at": at,
        "by": "agent" if by_agent else "customer",
        "public": event.get("public") is not False,
        **({"id": identity} if identity else {}),
        **({"agent": author} if by_agent and author else {}),
        **({"text": text} if isinstance(text, str) and text.strip() else {}),
    }


def _change(event: Mapping[str, Any], at: str) -> Facts:
    """The fact of a field that was set or changed."""
    value = event.get("value")
    match event.get("field_name"):
        case "status":
            return [status_fact(value, at)]
        case "priority":
            return [{"fact": "priority", "at": at, "priority": priority_of(value)}]
        case "assignee_id":
            return [{"fact": "assigned", "at": at, "agent": id_of(value)}]
        case "group_id":
            return [{"fact": "assigned", "at": at, "team": id_of(value)}]
        case _:
            return []


def _present(ticket: Mapping[str, Any], updated: str) -> Facts:
    """The state of the ticket now, in case that its audits are not complete: assignment, priority and deletion.

    A status closed by Zendesk itself, some days after it was solved, is in no audit either.
    """
    assigned = {name: id_of(ticket[key]) for name, key in (("team", "group_id"), ("agent", "assignee_id")) if key in ticket}
    facts: Facts = [{"fact": "assigned", "at": updated, **assigned}] if assigned else []
    if "priority" in ticket:
        facts.append({"fact": "priority", "at": updated, "priority": priority_of(ticket["priority"])})
    if ticket.get("status"):
        facts.append(status_fact(ticket["status"], updated))
    return facts

"""The documents of HubSpot's API: which calls an event needs, and which fields of the answers are stored.

A ticket needs its pipelines, which say whether a stage is closed, its contact, its owner, and the messages of the conversation
from which it was created. An event about a conversation needs the conversation first, which names its ticket. A feedback
submission needs its contact.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.providers.hubspot.settings import HubSpotSettings
from services.ingest.domain.providers.payload import Unusable, as_text, object_in, objects_in
from services.ingest.domain.providers.tool_api import Documents, Fetch, is_path_id

TICKET, SUBMISSION, THREAD = "ticket", "feedback_submission", "thread"

STATUS_PROPERTY, OWNER, TEAM, PRIORITY = "hs_pipeline_stage", "hubspot_owner_id", "hubspot_team_id", "hs_ticket_priority"
HISTORY = (STATUS_PROPERTY, OWNER, TEAM, PRIORITY)
THREAD_PROPERTY = "hs_conversations_originating_thread_id"
TICKET_PROPERTIES = (
    THREAD_PROPERTY, "createdate", "hs_lastmodifieddate", "content", "source_type", "hs_object_source", "hs_pipeline", *HISTORY,
)  # fmt: skip
SUBMISSION_PROPERTIES = (
    "hs_survey_type", "hs_value", "hs_response_group", "hs_content", "hs_survey_channel", "hs_survey_id", "hs_survey_name",
    "hs_submission_timestamp", "hs_contact_id", "hs_ticket_id", "hs_createdate", "hs_lastmodifieddate",
)  # fmt: skip
"""`hs_submission_name` is not among them: it holds the respondent's e-mail address."""

CONTACT_DEFAULTS = ("createdate", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
"""Properties of contacts that HubSpot returns without being asked, and that are not read."""

PROPERTY = re.compile(r"[a-z0-9_]{1,100}", re.ASCII)

MILLISECONDS = re.compile(r"\d{10,14}", re.ASCII)

PIPELINES = "/crm/v3/pipelines/tickets"
THREADS = "/conversations/v3/conversations/threads"
INCOMING = "INCOMING"
MESSAGE_FIELDS = ("id", "type", "createdAt", "createdBy", "direction")
"""The fields of a message that are stored. The text of a customer's is stored too."""


def fetches(target: str, identity: str, documents: Documents, settings: HubSpotSettings) -> Sequence[Fetch]:
    """The calls that are still missing. Raises Unusable if a document is no object."""
    dimension_properties = sorted(name for name in settings.dimensions if PROPERTY.fullmatch(name))
    if target == THREAD and "thread" not in documents:
        return (Fetch("thread", f"{THREADS}/{identity}", {"association": TICKET.upper()}, optional=True),)
    if target == THREAD:
        target, identity = TICKET, ticket_of_thread(documents) or ""
        if not is_path_id(identity):
            return ()
    if "object" not in documents:
        return _first_calls(target, identity, dimension_properties)
    subject = documents.get("object")
    if not isinstance(subject, dict):
        raise Unusable("the fetched object is no JSON object")
    related = [*_people(target, subject, settings), *messages_of(target, subject, "messages")]
    if missing := [call for call in related if call.name not in documents]:
        return missing
    if target == TICKET and "new_pipelines" not in documents and not _knows_stages(subject, documents.get("pipelines"), settings):
        return (Fetch("new_pipelines", PIPELINES),)  # a stage that is newer than the cached pipelines
    return ()


def _first_calls(target: str, identity: str, dimension_properties: Iterable[str]) -> Sequence[Fetch]:
    if target == SUBMISSION:
        query = {"properties": ",".join(dict.fromkeys([*SUBMISSION_PROPERTIES, *dimension_properties]))}
        return (Fetch("object", f"/crm/v3/objects/feedback_submissions/{identity}", query),)
    query = {
        "properties": ",".join(dict.fromkeys([*TICKET_PROPERTIES, *dimension_properties])),
        "propertiesWithHistory": ",".join(HISTORY),
        "associations": "contacts",
    }
    return (Fetch("object", f"/crm/v3/objects/tickets/{identity}", query), Fetch("pipelines", PIPELINES, shared=True))


def _people(target: str, subject: Mapping[str, Any], settings: HubSpotSettings) -> Iterator[Fetch]:
    """The contact with its mapped property, and the owner of a ticket, as far as the object names them."""
    contact, owner = contact_id(subject), as_text(object_in(subject, "properties").get(OWNER))
    if is_path_id(contact):
        query = {"properties": ",".join(contact_properties_of(settings))}
        yield Fetch("contact", f"/crm/v3/objects/contacts/{contact}", query, optional=True)
    if target == TICKET and is_path_id(owner):
        yield Fetch("owner", f"/crm/v3/owners/{owner}", shared=True, optional=True)


def messages_of(target: str, subject: Mapping[str, Any], name: str) -> Iterator[Fetch]:
    """The call for the messages of a ticket, if it was created from a conversation. A token may lack the scope for it."""
    thread = as_text(object_in(subject, "properties").get(THREAD_PROPERTY))
    if target == TICKET and is_path_id(thread):
        yield Fetch(name, f"{THREADS}/{thread}/messages", {"limit": "100"}, optional=True)


def ticket_of_thread(documents: Documents) -> str | None:
    """The id of the ticket of a conversation. None if it has none."""
    return as_text(object_in(object_in(documents, "thread"), "threadAssociations").get("associatedTicketId"))


def contact_properties_of(settings: HubSpotSettings) -> list[str]:
    """The properties of a contact that are requested."""
    return ["email", *([settings.customer] if settings.customer and PROPERTY.fullmatch(settings.customer) else [])]


def contact_id(subject: Mapping[str, Any]) -> str | None:
    """The id of the customer: of a submission its contact, of a ticket the first associated contact."""
    contacts = object_in(object_in(subject, "associations"), "contacts").get("results")
    first = contacts[0] if isinstance(contacts, list) and contacts and isinstance(contacts[0], dict) else {}
    return as_text(object_in(subject, "properties").get("hs_contact_id")) or as_text(first.get("id"))


def contact_properties(documents: Documents) -> dict[str, Any]:
    """The properties of the fetched contact."""
    return object_in(object_in(dict(documents), "contact"), "properties")


def time_of(value: object) -> str | None:
    """A time in RFC 3339; HubSpot writes Unix milliseconds too. None if there is none."""
    text = as_text(value)
    return datetime.fromtimestamp(int(text) / 1000, UTC).isoformat() if text and MILLISECONDS.fullmatch(text) else text


def history(subject: Mapping[str, Any], name: str) -> list[tuple[str, str | None]]:
    """The values of a property with the times from which they were valid, the oldest first. None: it was empty."""
    entries = objects_in(object_in(subject, "propertiesWithHistory"), name)
    pairs = [(at, as_text(entry.get("value"))) for entry in entries if (at := time_of(entry.get("timestamp")))]
    return sorted(pairs, key=lambda pair: pair[0])


def closed_stages(pipelines: Any) -> dict[str, bool]:
    """Whether a stage is closed, by its id, for all stages whose pipeline says so."""
    closed: dict[str, bool] = {}
    for pipeline in objects_in(pipelines, "results"):
        for status in objects_in(pipeline, "stages"):
            identity, state = as_text(status.get("id")), object_in(status, "metadata").get("ticketState")
            if identity and state in ("OPEN", "CLOSED"):
                closed[identity] = state == "CLOSED"
    return closed


def _knows_stages(subject: Mapping[str, Any], pipelines: Any, settings: HubSpotSettings) -> bool:
    """Whether the current stage of a ticket has a status."""
    current = as_text(object_in(subject, "properties").get(STATUS_PROPERTY))
    return current is None or current in settings.stages or current in closed_stages(pipelines)


def condense(documents: Documents) -> Documents:
    """The documents with those fields that are read; of the pipelines only the stages that the ticket was in."""
    subject = object_in(dict(documents), "object")
    condensed: dict[str, Any] = {
        "object": {
            "id": subject.get("id"),
            **{name: subject[name] for name in ("createdAt", "updatedAt") if name in subject},
            "properties": object_in(subject, "properties"),
            "propertiesWithHistory": {name: _entries(subject, name) for name in HISTORY if _entries(subject, name)},
            "associations": {"contacts": {"results": [{"id": contact}]}} if (contact := contact_id(subject)) else {},
        }
    }
    person = contact_properties(documents)
    if properties := {name: value for name, value in person.items() if value and name not in CONTACT_DEFAULTS}:
        condensed["contact"] = {"properties": properties}
    if thread := ticket_of_thread(documents):
        condensed["thread"] = {"threadAssociations": {"associatedTicketId": thread}}
    if messages := objects_in(documents.get("messages"), "results"):
        condensed["messages"] = {"results": [_condensed_message(message) for message in messages]}
    if owner := object_in(dict(documents), "owner"):
        teams = [{name: team.get(name) for name in ("id", "name")} for team in objects_in(owner, "teams")]
        condensed["owner"] = {**{name: owner.get(name) for name in ("id", "userId", "firstName", "lastName")}, "teams": teams}
    if pipelines := documents.get("new_pipelines") or documents.get("pipelines"):
        condensed["pipelines"] = _condensed_pipelines(subject, pipelines)
    return condensed


def _condensed_message(message: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: message[name] for name in MESSAGE_FIELDS if name in message}
    return fields | ({"text": message.get("text")} if message.get("direction") == INCOMING else {})


def _entries(subject: Mapping[str, Any], name: str) -> list[dict[str, str | None]]:
    return [{"timestamp": at, "value": value} for at, value in history(subject, name)]


def _condensed_pipelines(subject: Mapping[str, Any], pipelines: Any) -> dict[str, Any]:
    used = {value for _, value in history(subject, STATUS_PROPERTY)} | {
        as_text(object_in(subject, "properties").get(STATUS_PROPERTY))
    }
    stages = [
        {"id": identity, "metadata": {"ticketState": "CLOSED" if closed else "OPEN"}}
        for identity, closed in closed_stages(pipelines).items()
        if identity in used
    ]
    return {"results": [{"stages": stages}]}

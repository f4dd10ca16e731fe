"""The history of tickets and feedback submissions by HubSpot's CRM API (developers.hubspot.com/docs/api/crm).

`GET /crm/v3/objects/tickets` and `/crm/v3/objects/feedback_submissions` list all objects by their ids, which never change, so no
page moves while it is read. HubSpot can't filter this list by time: objects that were last changed before `since` are left out
here. Each object becomes the thin event of its creation with the documents that complete it, so it is read like a fetched one.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.fields import parse_time
from services.ingest.domain.providers.hubspot.documents import (
    HISTORY as HISTORY_PROPERTIES,
)
from services.ingest.domain.providers.hubspot.documents import (
    OWNER,
    PIPELINES,
    PROPERTY,
    SUBMISSION,
    SUBMISSION_PROPERTIES,
    TICKET,
    TICKET_PROPERTIES,
    condense,
    contact_id,
    contact_properties_of,
    messages_of,
    time_of,
)
from services.ingest.domain.providers.hubspot.settings import HubSpotSettings
from services.ingest.domain.providers.payload import Unusable, as_text, object_in, objects_in
from services.ingest.domain.providers.tool_api import Documents, Fetch, is_path_id
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage, ListedDelivery, as_fetched

PAGE = 50
"""Objects on a page, the most that HubSpot allows together with the history of properties."""
PAUSE_SECONDS = 1.0
"""A private app may make 100 calls in ten seconds; events that are completed meanwhile need some of them."""

MOST_CALLS = PAGE + 10
MESSAGES = "messages:"
"""Begins the name of the document with the messages of one ticket."""

PATHS = {TICKET: "/crm/v3/objects/tickets", SUBMISSION: "/crm/v3/objects/feedback_submissions"}
CONTACTS = "/crm/v3/objects/contacts/batch/read"
OWNERS = Fetch("owners", "/crm/v3/owners", {"limit": "500"}, shared=True, optional=True)


def begin(since: datetime, surveys: Sequence[str]) -> Cursor:
    """The cursor of the first page: tickets come first, then feedback submissions."""
    return {"target": TICKET, "since": since.astimezone(UTC).isoformat(), "after": None, "size": PAGE}


def fetches(cursor: Cursor, documents: Documents, settings: HubSpotSettings) -> Sequence[Fetch]:
    """The list with the pipelines and the owners; then the contacts. A portal without surveys, or a token without their scope,
    has no feedback submissions."""
    target = cursor["target"]
    if not documents:
        query = (
            _query(target, settings) | {"limit": str(cursor["size"])} | ({"after": cursor["after"]} if cursor["after"] else {})
        )
        listed = Fetch("list", PATHS[target], query, optional=target == SUBMISSION)
        return (listed, Fetch("pipelines", PIPELINES, shared=True), OWNERS) if target == TICKET else (listed,)
    objects = _objects(cursor, documents)
    messages = [call for item in objects for call in messages_of(target, item, f"{MESSAGES}{as_text(item.get('id'))}")]
    missing = [call for call in messages if call.name not in documents]
    contacts = sorted({contact for item in objects if (contact := contact_id(item)) and is_path_id(contact)})
    if not contacts or "contacts" in documents:
        return missing
    body = {"properties": contact_properties_of(settings), "inputs": [{"id": contact} for contact in contacts]}
    return [Fetch("contacts", CONTACTS, optional=True, body=body), *missing]


def _query(target: str, settings: HubSpotSettings) -> dict[str, str]:
    own = sorted(name for name in settings.dimensions if PROPERTY.fullmatch(name))
    names = TICKET_PROPERTIES if target == TICKET else SUBMISSION_PROPERTIES
    query = {"properties": ",".join(dict.fromkeys([*names, *own]))}
    return query | (
        {"propertiesWithHistory": ",".join(HISTORY_PROPERTIES), "associations": "contacts"} if target == TICKET else {}
    )


def _objects(cursor: Cursor, documents: Documents) -> list[dict[str, Any]]:
    """The objects of the page that were changed since. Raises Unusable if the answer is no list."""
    answer = documents["list"]
    if answer is None:
        return []
    if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
        raise Unusable("the answer of the tool's API has no `results`")
    listed = [result for result in objects_in(answer, "results") if is_path_id(as_text(result.get("id")))]
    return [one for one in listed if _is_since(one, cursor["since"])]


def _is_since(one: Mapping[str, Any], since: str) -> bool:
    """Whether an object was changed since; one without a usable time is taken."""
    changed = time_of(object_in(one, "properties").get("hs_lastmodifieddate")) or time_of(one.get("updatedAt"))
    try:
        return parse_time(changed) >= datetime.fromisoformat(since)
    except ValueError:
        return True


def read(cursor: Cursor, documents: Documents, settings: HubSpotSettings) -> HistoryPage:
    """The page: a delivery for each object."""
    objects = _objects(cursor, documents)
    contacts = {as_text(contact.get("id")): contact for contact in objects_in(documents.get("contacts"), "results")}
    owners = {as_text(owner.get("id")): owner for owner in objects_in(documents.get("owners"), "results")}
    deliveries = [_delivery(cursor["target"], item, documents, contacts, owners) for item in objects]
    after = as_text(object_in(object_in(documents["list"], "paging"), "next").get("after"))
    if after is not None and after == cursor["after"]:
        raise Unusable("the tool's API returned the same page again")
    return HistoryPage(deliveries, _next(cursor, after), len(deliveries))


def _next(cursor: Cursor, after: str | None) -> Cursor | None:
    if after is not None:
        return {**cursor, "after": after}
    return {**cursor, "target": SUBMISSION, "after": None} if cursor["target"] == TICKET else None


def _delivery(
    target: str,
    one: dict[str, Any],
    fetched: Documents,
    contacts: Mapping[str | None, dict[str, Any]],
    owners: Mapping[str | None, dict[str, Any]],
) -> ListedDelivery:
    """The event of the object's creation, with its documents as a fetch stores them."""
    event = {"subscriptionType": f"{target}.creation", "objectId": as_text(one.get("id"))}
    documents: dict[str, Any] = {"object": one, "contact": contacts.get(contact_id(one))}
    if target == TICKET:
        owner = as_text(object_in(one, "properties").get(OWNER))
        messages = fetched.get(f"{MESSAGES}{as_text(one.get('id'))}")
        documents |= {"pipelines": fetched.get("pipelines"), "owner": owners.get(owner), "messages": messages}
    return as_fetched(event, condense(documents))

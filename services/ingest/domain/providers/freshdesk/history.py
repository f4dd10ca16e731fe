"""The history of tickets by Freshdesk's API (developers.freshdesk.com/api).

`GET /api/v2/tickets` lists tickets by their last change, `GET /api/v2/tickets/{id}/conversations` the messages of one. Pages of
the list shift while tickets change, and at most 300 follow the first one, so each query begins at the time of the last ticket of
the page before. The API states ids where our template of webhooks states names, so the names of groups, agents and statuses are
fetched too.

Webhooks have no ids and count at their receipt, so a message in both a webhook and a back-fill would count twice. Therefore a
back-fill leaves out whatever happened after the first webhook (`cursor["until"]`).
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from services.ingest.domain.fields import parse_time
from services.ingest.domain.providers.freshdesk.settings import FreshdeskSettings
from services.ingest.domain.providers.freshdesk.ticket import parse
from services.ingest.domain.providers.payload import Unusable, as_objects, as_text, object_in
from services.ingest.domain.providers.provider import ToolHistory
from services.ingest.domain.providers.tool_api import Credentials, Documents, Fetch
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage, ListedDelivery, as_fetched, halve_page

PAGE = 10
"""Tickets on a page. Each needs a call of its own."""
PAUSE_SECONDS = 8.0
"""The smallest plan allows 100 calls a minute to all apps of an account."""
MOST_CALLS = 60
MESSAGES_PAGE = 100
MOST_MESSAGES = 300
"""Messages of a ticket that are fetched, the oldest first."""
PEOPLE_PAGE = 100
MOST_PEOPLE = 1_000
"""Agents, and groups, whose names are fetched."""

TICKETS, STATUSES, MESSAGES = "tickets", "statuses", "messages:"
PEOPLE = ("groups", "agents")

TICKET_FIELDS = (
    "id", "created_at", "updated_at", "status", "priority", "source", "type", "subject", "requester_id", "responder_id",
    "group_id", "product_id", "company_id", "spam", "deleted", "description_text",
)  # fmt: skip
MESSAGE_FIELDS = ("id", "created_at", "incoming", "private", "user_id", "body_text", "source")
STATS_FIELDS = ("resolved_at", "closed_at", "reopened_at", "pending_since", "status_updated_at")


class FreshdeskCredentials(Credentials):
    """The API key of an agent of Freshdesk."""

    domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] = Field(
        description="The account's part of `https://<domain>.freshdesk.com`", examples=["acme"]
    )
    api_key: Annotated[str, StringConstraints(min_length=8, max_length=200, pattern=r"^[\x21-\x39\x3b-\x7e]+$")] = Field(
        description="The API key of an agent who may see all tickets", examples=["the-api-key-0"]
    )


def base_url(credentials: FreshdeskCredentials) -> str:
    """The account's API. The domain is one label, so the host is Freshdesk's."""
    return f"https://{credentials.domain}.freshdesk.com"


def headers(credentials: FreshdeskCredentials) -> Mapping[str, str]:
    """Basic authentication with the key as user and any password."""
    return {"authorization": f"Basic {base64.b64encode(f'{credentials.api_key}:X'.encode()).decode()}"}


def begin(since: datetime, surveys: Sequence[str]) -> Cursor:
    """The cursor of the first page."""
    return {"since": _text(since), "page": 1, "size": PAGE, "until": None}


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fetches(cursor: Cursor, documents: Documents, settings: FreshdeskSettings) -> Sequence[Fetch]:
    """The tickets and the names of statuses; then the names of groups and agents, and the messages, page by page."""
    if not documents:
        query = {
            "updated_since": cursor["since"],
            "order_by": "updated_at",
            "order_type": "asc",
            "include": "stats,requester,description",
            "per_page": str(cursor["size"]),
            "page": str(cursor["page"]),
        }
        fields = Fetch(STATUSES, "/api/v2/ticket_fields", {"type": "default_status"}, shared=True, optional=True)
        return (Fetch(TICKETS, "/api/v2/tickets", query), fields)
    return [
        *(
            fetch
            for kind in PEOPLE
            for fetch in _missing(kind, f"/api/v2/{kind}", PEOPLE_PAGE, MOST_PEOPLE, documents, shared=True)
        ),
        *(fetch for ticket in _tickets(documents) for fetch in _missing_messages(ticket, documents)),
    ]


def _missing(name: str, path: str, size: int, most: int, documents: Documents, *, shared: bool = False) -> Iterator[Fetch]:
    """The next page of a list, if one is missing. A list that we may not read is empty."""
    for page in range(1, most // size + 1):
        document = f"{name}:{page}"
        if document not in documents:
            yield Fetch(document, path, {"per_page": str(size), "page": str(page)}, shared=shared, optional=True)
            return
        listed = documents[document]
        if not isinstance(listed, list) or len(listed) < size:
            return


def _missing_messages(ticket: Mapping[str, Any], documents: Documents) -> Iterator[Fetch]:
    identity = as_text(ticket.get("id"))
    path = f"/api/v2/tickets/{identity}/conversations"
    yield from _missing(f"{MESSAGES}{identity}", path, MESSAGES_PAGE, MOST_MESSAGES, documents)


def _tickets(documents: Documents) -> list[dict[str, Any]]:
    """The tickets of the page. Raises Unusable if the answer is no list."""
    listed = documents[TICKETS]
    if not isinstance(listed, list):
        raise Unusable("the answer of the tool's API is no list of tickets")
    return [ticket for ticket in as_objects(listed) if (as_text(ticket.get("id")) or "").isdecimal()]


def _pages(name: str, documents: Documents) -> list[dict[str, Any]]:
    """The objects on all pages of a list."""
    return [item for key, page in documents.items() if key.startswith(f"{name}:") for item in as_objects(page)]


def read(cursor: Cursor, documents: Documents, settings: FreshdeskSettings) -> HistoryPage:
    """The page: a delivery for each ticket that was opened before the first webhook."""
    tickets = _tickets(documents)
    names = {kind: _names(kind, documents) for kind in PEOPLE} | {STATUSES: _status_names(documents.get(STATUSES))}
    listed = [_delivery(ticket, cursor["until"], documents, names) for ticket in tickets if _is_before(ticket, cursor["until"])]
    return HistoryPage(listed, _next(cursor, tickets), len(listed))


def _is_before(ticket: Mapping[str, Any], until: str | None) -> bool:
    try:
        return until is None or parse_time(ticket.get("created_at")) < parse_time(until)
    except ValueError:
        return True


def _next(cursor: Cursor, tickets: Sequence[Mapping[str, Any]]) -> Cursor | None:
    """The cursor after a page: from the time of its last ticket. If all of a page is of one second, the next page number follows.

    Raises Unusable if that ticket has no time.
    """
    if len(tickets) < cursor["size"]:
        return None
    try:
        last = _text(parse_time(tickets[-1].get("updated_at")))
    except ValueError:
        raise Unusable("a ticket in the list has no `updated_at`") from None
    if last == cursor["since"]:
        return {**cursor, "page": cursor["page"] + 1}
    return {**cursor, "since": last, "page": 1}


def _names(kind: str, documents: Documents) -> dict[str | None, str]:
    """The names of groups, or of agents, by their ids. The name of an agent is that of the contact."""
    pairs = [
        (as_text(item.get("id")), as_text(item.get("name")) or as_text(object_in(item, "contact").get("name")))
        for item in _pages(kind, documents)
    ]
    return {identity: name for identity, name in pairs if name}


def _status_names(fields: Any) -> dict[str | None, str]:
    """The names of statuses by their numbers, as agents see them."""
    choices = next((field.get("choices") for field in as_objects(fields) if field.get("name") == "status"), None)
    names = {number: labels[0] if isinstance(labels, list) and labels else labels for number, labels in _items(choices)}
    return {number: name for number, name in names.items() if isinstance(name, str)}


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _delivery(
    ticket: Mapping[str, Any], until: str | None, documents: Documents, names: Mapping[str, Mapping[str | None, str]]
) -> ListedDelivery:
    """The ticket with its messages, those fields of both that are read, and names in place of ids."""
    identity = as_text(ticket.get("id"))
    status = as_text(ticket.get("status"))
    fields: dict[str, Any] = {name: ticket[name] for name in TICKET_FIELDS if name in ticket}
    fields |= {
        "requester": object_in(ticket, "requester").get("email"),
        "stats": {name: value for name, value in object_in(ticket, "stats").items() if name in STATS_FIELDS},
        "custom_fields": object_in(ticket, "custom_fields"),
        "group": names["groups"].get(as_text(ticket.get("group_id"))),
        "agent": names["agents"].get(as_text(ticket.get("responder_id"))),
        "status_name": names[STATUSES].get(status),
    }
    messages = [
        {name: item[name] for name in MESSAGE_FIELDS if name in item}
        | {"agent": names["agents"].get(as_text(item.get("user_id")))}
        for item in _pages(f"{MESSAGES}{identity}", documents)
    ]
    event = {"history": "ticket", "id": identity, "until": until}
    return as_fetched(event, {"ticket": fields, "messages": messages, "until": until})


HISTORY = ToolHistory(
    credentials=FreshdeskCredentials,
    base_url=base_url,
    headers=headers,
    needs_surveys=False,
    begin=begin,
    fetches=fetches,
    read=read,
    shrink=halve_page,
    pause=PAUSE_SECONDS,
    parse=parse,
    most_calls=MOST_CALLS,
    until_first_webhook=True,
)

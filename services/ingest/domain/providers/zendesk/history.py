"""The history of tickets by Zendesk's API (developer.zendesk.com/api-reference).

`GET /api/v2/incremental/tickets/cursor` lists tickets by their last change, `GET /api/v2/tickets/{id}/audits` the history of one:
comments and changes of fields, each with its time. The id of a comment is that of its event in the audit, so a message that a
webhook has brought is replaced by itself. Whether an author is staff is known from the users.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers.payload import Unusable, as_text, object_in, objects_in
from services.ingest.domain.providers.provider import ToolHistory
from services.ingest.domain.providers.tool_api import Documents, Fetch
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage, ListedDelivery, as_fetched, halve_page
from services.ingest.domain.providers.zendesk.settings import ZendeskCredentials, ZendeskSettings, base_url, headers
from services.ingest.domain.providers.zendesk.values import id_of

PAGE = 10
"""Tickets on a page. Each needs a call of its own."""
PAUSE_SECONDS = 6.5
"""The list may be called ten times a minute."""
MOST_CALLS = 60
"""Calls of a page."""
AUDITS_PAGE = 100
MOST_AUDITS = 500
"""Audits of a ticket that are fetched, the oldest first."""
MOST_USERS = 100

TICKETS, USERS, AUDITS = "tickets", "users", "audits:"
STAFF = ("agent", "admin")
TICKET_FIELDS = (
    "id", "created_at", "updated_at", "status", "priority", "description", "requester_id", "submitter_id", "assignee_id",
    "group_id", "organization_id", "brand_id", "ticket_form_id", "problem_id", "external_id", "type",
)  # fmt: skip
"""The fields of a ticket that are stored."""


Users = Mapping[str | None, Mapping[str, Any]]
"""Users by their ids."""


def begin(since: datetime, surveys: Sequence[str]) -> Cursor:
    """The cursor of the first page."""
    return {"start_time": str(int(since.astimezone(UTC).timestamp())), "cursor": None, "size": PAGE}


def fetches(cursor: Cursor, documents: Documents, mapping: FieldMapping) -> Sequence[Fetch]:
    """The tickets; then their audits, page by page; then the authors."""
    if not documents:
        place = {"cursor": cursor["cursor"]} if cursor["cursor"] else {"start_time": cursor["start_time"]}
        return (Fetch(TICKETS, "/api/v2/incremental/tickets/cursor.json", {**place, "per_page": str(cursor["size"])}),)
    audits = [fetch for ticket in _tickets(documents) for fetch in _missing_audits(ticket, documents)]
    if audits or USERS in documents:
        return audits
    authors = [author for author in _authors(documents) if author.isdecimal()]
    if not authors:
        return ()
    return (Fetch(USERS, "/api/v2/users/show_many.json", {"ids": ",".join(authors[:MOST_USERS])}, optional=True),)


def _tickets(documents: Documents) -> list[dict[str, Any]]:
    """The tickets of the page. Raises Unusable if the answer is no list of tickets."""
    if not isinstance(documents[TICKETS], dict) or not isinstance(documents[TICKETS].get("tickets"), list):
        raise Unusable("the answer of the tool's API has no `tickets`")
    return [ticket for ticket in objects_in(documents[TICKETS], "tickets") if (id_of(ticket.get("id")) or "").isdecimal()]


def _audits_name(ticket: Mapping[str, Any], page: int) -> str:
    return f"{AUDITS}{id_of(ticket.get('id'))}:{page}"


def _missing_audits(ticket: Mapping[str, Any], documents: Documents) -> Iterator[Fetch]:
    """The next page of a ticket's audits, if one is missing. That of a deleted ticket may not exist."""
    for page in range(1, MOST_AUDITS // AUDITS_PAGE + 1):
        name = _audits_name(ticket, page)
        if name not in documents:
            query = {"page": str(page), "per_page": str(AUDITS_PAGE)}
            yield Fetch(name, f"/api/v2/tickets/{id_of(ticket.get('id'))}/audits.json", query, optional=True)
            return
        if len(objects_in(documents[name], "audits")) < AUDITS_PAGE:
            return


def _audits(ticket: Mapping[str, Any], documents: Documents) -> list[dict[str, Any]]:
    pages = [_audits_name(ticket, page) for page in range(1, MOST_AUDITS // AUDITS_PAGE + 1)]
    return [audit for name in pages for audit in objects_in(documents.get(name), "audits")]


def _authors(documents: Documents) -> list[str]:
    """The ids of those who wrote comments on the page."""
    return sorted(
        {
            author
            for ticket in _tickets(documents)
            for audit in _audits(ticket, documents)
            for event in objects_in(audit, "events")
            if event.get("type") == "Comment" and (author := id_of(event.get("author_id")))
        }
    )


def read(cursor: Cursor, documents: Documents, mapping: FieldMapping) -> HistoryPage:
    """The page: a delivery for each ticket."""
    users = {id_of(user.get("id")): user for user in objects_in(documents.get(USERS), "users")}
    deliveries = [_delivery(ticket, _audits(ticket, documents), users) for ticket in _tickets(documents)]
    after = as_text(documents[TICKETS].get("after_cursor"))
    is_last = documents[TICKETS].get("end_of_stream") is not False or after is None
    if not is_last and after == cursor["cursor"]:
        raise Unusable("the tool's API returned the same page again")
    return HistoryPage(deliveries, None if is_last else {**cursor, "cursor": after}, len(deliveries))


def _delivery(ticket: Mapping[str, Any], audits: Sequence[Mapping[str, Any]], users: Users) -> ListedDelivery:
    """The ticket with those parts of its audits that are read. Fields of the account's own are kept for dimensions."""
    fields = {name: ticket[name] for name in TICKET_FIELDS if name in ticket}
    via = {"via": {"channel": object_in(ticket, "via").get("channel")}}
    own = {f"custom_field_{field.get('id')}": field.get("value") for field in objects_in(ticket, "custom_fields")}
    histories = [
        {
            "created_at": audit.get("created_at"),
            "events": [condensed for event in objects_in(audit, "events") if (condensed := _event(event, users))],
        }
        for audit in audits
    ]
    ticket_id = id_of(ticket.get("id"))
    return as_fetched({"history": "ticket", "id": ticket_id}, {"ticket": fields | via | own, "audits": histories})


def _role(user: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a user is staff, with the name of one who is."""
    is_staff = user.get("role") in STAFF
    return {"is_staff": is_staff, **({"author_name": user.get("name")} if is_staff else {})}


def _event(event: Mapping[str, Any], users: Users) -> dict[str, Any] | None:
    """The parts of an event that are read. None if there are none."""
    match event.get("type"):
        case "Comment":
            author = users.get(id_of(event.get("author_id")))
            comment = {name: event.get(name) for name in ("id", "type", "author_id", "public")}
            text = event.get("plain_body") or event.get("body")
            return comment | {"body": text} | (_role(author) if author else {})
        case "Create" | "Change":
            return {name: event.get(name) for name in ("type", "field_name", "value")}
        case _:
            return None


HISTORY: ToolHistory[ZendeskSettings] = ToolHistory(
    credentials=ZendeskCredentials,
    base_url=base_url,
    headers=headers,
    needs_surveys=False,
    begin=begin,
    fetches=fetches,
    read=read,
    shrink=halve_page,
    pause=PAUSE_SECONDS,
    most_calls=MOST_CALLS,
)

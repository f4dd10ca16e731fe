"""The history of conversations and tickets by Intercom's API (developers.intercom.com/docs/references/rest-api).

`POST /conversations/search` and `POST /tickets/search` list those that were updated since a time, page by page; `GET
/conversations/{id}` and `GET /tickets/{id}` return one with its parts. Both have the shape of `data.item` in a notification, so
both are read alike, and a part has the id that it has there: a message that a webhook has brought is replaced by itself.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.intercom.record import LISTED, parse_item
from services.ingest.domain.providers.intercom.values import id_of
from services.ingest.domain.providers.payload import Unusable, as_text, object_in, problem_of
from services.ingest.domain.providers.provider import Parsed, Request, ToolHistory
from services.ingest.domain.providers.tool_api import Credentials, Documents, Fetch, is_path_id
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage, ListedDelivery, as_fetched, halve_page

PAGE = 20
"""Conversations on a page. Each needs a call of its own."""
PAUSE_SECONDS = 1.0
"""An app may make 10,000 calls a minute, counted in steps of ten seconds; other apps of the workspace share its limit."""
MOST_CALLS = 2 * PAGE
VERSION = "2.14"
"""The version of the API whose answers are read, whatever version the app has."""

HOSTS = {"us": "https://api.intercom.io", "eu": "https://api.eu.intercom.io", "au": "https://api.au.intercom.io"}
"""The API of each region. A workspace is in one of them."""

KINDS = ("conversations", "tickets")
LIST = "list"
ITEM = "item:"
"""Begins the name of the document of one conversation or ticket."""

PART_FIELDS = (
    "id", "part_type", "body", "created_at", "author", "assigned_to", "redacted", "ticket_state", "from_ai_agent",
)  # fmt: skip
"""The fields of a part that are stored."""
PARTS = ("conversation_parts", "ticket_parts")
LEFT_OUT = ("linked_objects", "ai_agent", "first_contact_reply", "sla_applied", "statistics", "teammates", "topics")
"""Fields of a conversation that are not read."""


class IntercomCredentials(Credentials):
    """The access token of an app of the workspace."""

    access_token: Annotated[str, StringConstraints(min_length=8, max_length=1000, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="The access token of the app (*Authentication* in the Developer Hub)",
        examples=["dG9rOmFuLWFjY2Vzcy10b2tlbg=="],
    )
    region: Literal["us", "eu", "au"] = Field("us", description="Where the workspace is hosted")


def _begin(since: datetime, surveys: Sequence[str]) -> Cursor:
    return {"kind": KINDS[0], "since": int(since.astimezone(UTC).timestamp()), "after": None, "size": PAGE}


def _fetches(cursor: Cursor, documents: Documents, mapping: FieldMapping) -> Sequence[Fetch]:
    """The list, then each conversation or ticket of it with its parts. An app without tickets may not search them."""
    kind = cursor["kind"]
    if LIST not in documents:
        pagination = {"per_page": cursor["size"], **({"starting_after": cursor["after"]} if cursor["after"] else {})}
        query = {"field": "updated_at", "operator": ">", "value": cursor["since"] - 1}
        body = {"query": query, "pagination": pagination}
        return (Fetch(LIST, f"/{kind}/search", optional=kind == "tickets", body=body),)
    names = [id_of(item.get("id")) or "" for item in _listed(cursor, documents)]
    return [Fetch(ITEM + name, f"/{kind}/{name}", optional=True) for name in names if ITEM + name not in documents]


def _listed(cursor: Cursor, documents: Documents) -> list[dict[str, Any]]:
    """The conversations or tickets of the page. Raises Unusable if the answer is no list of them."""
    answer, kind = documents[LIST], cursor["kind"]
    if answer is None:
        return []
    listed = answer.get(kind) if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise Unusable(f"the answer of the tool's API has no `{kind}`")
    return [item for item in listed if isinstance(item, dict) and is_path_id(id_of(item.get("id")))]


def _read(cursor: Cursor, documents: Documents, mapping: FieldMapping) -> HistoryPage:
    """The page. One that was deleted since it was listed is left out, and one that is too large comes without its parts."""
    listed = _listed(cursor, documents)
    deliveries = [_delivery(item, documents.get(ITEM + (id_of(item.get("id")) or ""))) for item in listed]
    after = as_text(object_in(object_in(documents[LIST], "pages"), "next").get("starting_after"))
    if after is not None and after == cursor["after"]:
        raise Unusable("the tool's API returned the same page again")
    total = documents[LIST].get("total_count") if documents[LIST] and cursor["after"] is None else 0
    return HistoryPage(deliveries, _next(cursor, after), total if type(total) is int else len(deliveries))


def _next(cursor: Cursor, after: str | None) -> Cursor | None:
    if after is not None:
        return {**cursor, "after": after}
    if cursor["kind"] == KINDS[0]:
        return {**cursor, "kind": KINDS[1], "after": None}
    return None


def _delivery(listed: Mapping[str, Any], item: Any) -> ListedDelivery:
    """The conversation or the ticket with those fields of its parts that are read; as listed, without parts, if it has none."""
    whole = dict(item) if isinstance(item, dict) else dict(listed)
    condensed = {name: value for name, value in whole.items() if name not in LEFT_OUT}
    for key in PARTS:
        parts = object_in(whole, key).get(key)
        if isinstance(parts, list):
            condensed[key] = {key: [_part(part) for part in parts if isinstance(part, dict)]}
    return as_fetched({"history": whole.get("type"), "id": id_of(whole.get("id"))}, {"item": condensed})


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """The part. Of its attachments only their number is stored."""
    attachments = part.get("attachments")
    count = len(attachments) if isinstance(attachments, list) else 0
    fields = {name: part[name] for name in PART_FIELDS if name in part}
    return {**fields, **({"attachments": count} if count else {})}


def _parse(request: Request, documents: Documents, mapping: FieldMapping) -> Parsed:
    item = object_in(documents, "item")
    identity = id_of(item.get("id"))
    try:
        return parse_item(None, LISTED, item, None, mapping)
    except Unusable as error:
        return problem_of(error, None, (f"ticket/{identity}",) if identity else ())


HISTORY: ToolHistory[HelpDeskMapping] = ToolHistory(
    credentials=IntercomCredentials,
    base_url=lambda credentials: HOSTS[credentials.region],
    headers=lambda credentials: {"authorization": f"Bearer {credentials.access_token}", "intercom-version": VERSION},
    needs_surveys=False,
    begin=_begin,
    fetches=_fetches,
    read=_read,
    shrink=halve_page,
    pause=PAUSE_SECONDS,
    parse=_parse,
    most_calls=MOST_CALLS,
)

"""The history of a tool, by its list API: pages of records, each of which becomes a delivery.

Everything here is data and pure. `services/ingest/back_filler.py` makes the calls.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from services.ingest.domain.connection import ProviderSettings
from services.ingest.domain.providers.tool_api import CONTENT_HEADER, FETCHED, Credentials, Documents, Fetch, encode_content

S = TypeVar("S", bound=ProviderSettings)

Cursor = Mapping[str, Any]
"""A place in the list, as JSON. It is stored with the deliveries of the page before it."""


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A record of a list as a delivery that the provider's `parse_stored` reads: a body as the tool's webhook has it, or fetched
    content with its header. It has no id, so it is a duplicate if its record equals the latest one of its subject."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The deliveries of a page, and the cursor of the next one; None: this is the last. `expected`: records that the tool has
    announced with this page, for the progress."""

    deliveries: Sequence[ListedDelivery]
    cursor: Cursor | None
    expected: int = 0


@dataclass(frozen=True, slots=True)
class ToolHistory(Generic[S]):
    """The list API of a tool, as pure functions and data.

    credentials, base_url and headers are like those of `ToolApi`.
    needs_surveys says that a list is of one survey, so a request must name the surveys by their ids in the tool.
    begin(since, surveys) returns the cursor of the first page. The surveys have passed `is_path_id`.
    fetches(cursor, documents, settings) returns the calls of a page that are still missing, given the documents of earlier ones.
    read(cursor, documents, settings) returns the page. Both may raise Unusable.
    shrink(cursor) returns the cursor of a smaller page at the same place; None if there is none.
    pause is the least time between two pages in seconds, by the tool's rate limit.
    """

    credentials: type[Credentials]
    base_url: Callable[[Any], str]
    headers: Callable[[Any], Mapping[str, str]]
    needs_surveys: bool
    begin: Callable[[datetime, Sequence[str]], Cursor]
    fetches: Callable[[Cursor, Documents, S], Sequence[Fetch]]
    read: Callable[[Cursor, Documents, S], HistoryPage]
    shrink: Callable[[Cursor], Cursor | None]
    pause: float


def as_webhook(payload: Mapping[str, Any]) -> ListedDelivery:
    """A delivery with this body."""
    return ListedDelivery(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())


def as_fetched(event: Mapping[str, Any], documents: Documents) -> ListedDelivery:
    """A delivery of a thin event that is complete already."""
    return ListedDelivery(encode_content(json.dumps(event).encode(), documents), {CONTENT_HEADER: FETCHED})


def halve_page(cursor: Cursor) -> Cursor | None:
    """The cursor with half of its `size`; None if that is 1."""
    return {**cursor, "size": cursor["size"] // 2} if cursor["size"] > 1 else None

"""The history of a tool, by its list API (`ToolHistory` in `provider.py`): pages of records, each of which becomes a delivery.

Everything here is data and pure. `services/ingest/back_filler.py` makes the calls.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.ingest.domain.providers.tool_api import CONTENT_HEADER, FETCHED, Documents, encode_content

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


def as_webhook(payload: Mapping[str, Any]) -> ListedDelivery:
    """A delivery with this body."""
    return ListedDelivery(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())


def as_fetched(event: Mapping[str, Any], documents: Documents) -> ListedDelivery:
    """A delivery of a thin event that is complete already."""
    return ListedDelivery(encode_content(json.dumps(event).encode(), documents), {CONTENT_HEADER: FETCHED})


def halve_page(cursor: Cursor) -> Cursor | None:
    """The cursor with half of its `size`; None if that is 1."""
    return {**cursor, "size": cursor["size"] // 2} if cursor["size"] > 1 else None

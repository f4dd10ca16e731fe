"""The API of a tool whose events are thin: documents that are fetched, and the content that a delivery has afterwards.

Everything here is data and pure. `services/ingest/enricher.py` makes the calls.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.ingest.domain.fields import Model
from shared import strict_json

Documents = Mapping[str, Any]
"""Fetched JSON by the name of its Fetch. None: an optional document that the tool does not have or does not give us, or that is
too large."""

CONTENT_HEADER = "earshot-content"
FETCHED = "fetched"
"""Value of CONTENT_HEADER among the stored headers of a delivery whose body is `encode_content(…)`.

No request can have it stored: only a provider's `stored_headers` are.
"""

ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

MOST_FETCHES = 20
"""Calls that one delivery may need. A provider that asks for more is refused, so a loop of pages ends."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A POST that exchanges credentials for an access token (OAuth 2.0, RFC 6749, sections 4.4 and 6). `form` holds secrets."""

    base_url: str
    path: str
    form: Mapping[str, str] = field(repr=False)


class Credentials(Model):
    """Base of the models of a connection's `credentials`. They are stored encrypted and never returned."""

    def token_request(self) -> TokenRequest | None:
        """The exchange that gives an access token. None: the credentials are sent as they are."""
        return None

    def with_token(self, token: str) -> "Credentials":
        """The credentials with the access token of their exchange."""
        return self.model_copy(update={"access_token": token})


@dataclass(frozen=True, slots=True)
class Fetch:
    """One GET of the tool's API; with a `body`, one POST of it as JSON, for searches that need one.

    `path` begins with a slash and follows the base URL; every id in it must have passed `is_path_id`. `shared` documents are the
    same for many deliveries (the questions of a survey), so they are cached for a minute. `optional`: a 403, a 404 or an
    answer that is too large makes the document None instead of ending the fetch.
    """

    name: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False
    optional: bool = False
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a delivery that was fetched: the event as received, and the documents."""

    event: bytes
    documents: dict[str, Any]


def is_path_id(text: str | None) -> bool:
    """Whether an id from a payload may be a part of a path: letters, digits, `-` and `_`."""
    return text is not None and ID.fullmatch(text) is not None


def encode_content(event: bytes, documents: Documents) -> bytes:
    """The body to store for a fetched delivery. Customers in it are found by an erasure, like in any body."""
    content = {"event": event.decode(errors="replace"), "documents": documents}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def decode_content(raw: bytes) -> Content | None:
    """The content in a stored body. None if it is none."""
    try:
        value = strict_json.parse(raw)
    except strict_json.Malformed:
        return None
    match value:
        case {"event": str(event), "documents": dict(documents)}:
            return Content(event.encode(), documents)
        case _:
            return None


def is_fetched(headers: Mapping[str, str]) -> bool:
    """Whether stored headers belong to a fetched delivery."""
    return headers.get(CONTENT_HEADER) == FETCHED

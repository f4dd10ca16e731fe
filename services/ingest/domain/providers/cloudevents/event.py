"""Read one CloudEvents event, in structured or binary mode.

Versions 1.x and 0.3 are read. They differ in the encoding of binary data: `data_base64`, and `datacontentencoding` beside `data`.
Extension attributes are not read.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from services.ingest.domain.providers.payload import Unusable, as_text, parse_object
from services.ingest.domain.providers.provider import Headers, Request
from services.ingest.domain.reason_codes import code_of_malformed
from shared import strict_json

STRUCTURED = "application/cloudevents+json"
REQUIRED = ("id", "source", "type")
ATTRIBUTES = (*REQUIRED, "subject", "time")
ATTRIBUTE_HEADERS = ("ce-specversion", *(f"ce-{name}" for name in ATTRIBUTES))
"""The headers of binary mode that are read."""

VERSION = re.compile(r"1(\.\d{1,3})?|0\.3", re.ASCII)
JSON_TYPE = re.compile(r"[^;]*[/+]json\s*(;.*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """The attributes of an event. `raw` is its data: bytes, or the JSON value if `is_json_value`."""

    id: str
    source: str
    type: str
    subject: str | None
    time: str | None
    content_type: str
    raw: Any
    is_json_value: bool

    @property
    def key(self) -> str:
        """Identifies the event: its source and its id. A source is a URI, so it has no space."""
        return f"{self.source.replace(' ', '%20')} {self.id}"

    def attributes(self) -> dict[str, str | None]:
        """The attributes by name."""
        return {"id": self.id, "source": self.source, "type": self.type, "subject": self.subject, "time": self.time}

    def data(self) -> Any:
        """The data as a JSON value. A JSON document in a string is read too. Raises Unusable if the data is not JSON."""
        if self.content_type and not JSON_TYPE.fullmatch(self.content_type):
            raise Unusable("datacontenttype: the data must be JSON", "malformed_body")
        if self.is_json_value and not isinstance(self.raw, str):
            return self.raw
        body = self.raw.encode("utf-8", "surrogatepass") if isinstance(self.raw, str) else self.raw
        if not body:
            raise Unusable("the event has no data")
        try:
            return strict_json.parse(body)
        except strict_json.Malformed as error:
            raise Unusable(f"the data is {error}", code_of_malformed(error)) from None


def is_binary(headers: Headers) -> bool:
    """Whether the request is an event in binary mode: its attributes are headers."""
    structured = headers.get("content-type").lower().startswith("application/cloudevents")
    return not structured and bool(headers.get("ce-specversion"))


def read_event(request: Request) -> CloudEvent:
    """The event of a request. Raises Unusable if it has another version, or lacks an attribute that every event has."""
    return _read_binary(request) if is_binary(request.headers) else _read_structured(parse_object(request.body))


def _read_binary(request: Request) -> CloudEvent:
    headers = request.headers
    values = {name: _header_value(headers.get(f"ce-{name}")) for name in ("specversion", *ATTRIBUTES)}
    return _event(values, headers.get("content-type"), request.body, is_json_value=False)


def _header_value(text: str) -> str | None:
    """An attribute from its header: percent-encoded UTF-8, decoded once, and possibly quoted. None if it is empty."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    try:
        return unquote(text, errors="strict") or None
    except UnicodeDecodeError:
        raise Unusable("a ce- header is not percent-encoded UTF-8") from None


def _read_structured(body: Mapping[str, Any]) -> CloudEvent:
    if "specversion" not in body:
        raise Unusable("specversion is missing: the body is no CloudEvents event, and there are no ce- headers")
    content_type = as_text(body.get("datacontenttype")) or ""
    encoded = body.get("data_base64")
    if str(body.get("datacontentencoding")).lower() == "base64":
        encoded = body.get("data")
    if encoded is not None:
        return _event(body, content_type, _decoded(encoded), is_json_value=False)
    return _event(body, content_type, body.get("data", b""), is_json_value="data" in body)


def _decoded(encoded: object) -> bytes:
    try:
        return b64decode(str(encoded), validate=True)
    except ValueError:
        raise Unusable("data_base64 is not base64", "malformed_body") from None


def _event(values: Mapping[str, Any], content_type: str, raw: Any, *, is_json_value: bool) -> CloudEvent:
    if not VERSION.fullmatch(as_text(values.get("specversion")) or ""):
        raise Unusable("specversion: versions 1.x and 0.3 are read")
    attributes = {name: as_text(values.get(name)) for name in ATTRIBUTES}
    if missing := [name for name in REQUIRED if not attributes[name]]:
        raise Unusable(f"the event has no {' and no '.join(missing)}")
    return CloudEvent(
        id=str(attributes["id"]),
        source=str(attributes["source"]),
        type=str(attributes["type"]),
        subject=attributes["subject"],
        time=attributes["time"],
        content_type=content_type,
        raw=raw,
        is_json_value=is_json_value,
    )

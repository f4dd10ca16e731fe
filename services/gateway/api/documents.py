"""Documents with an entity tag of their content: an explanation, a history and a page of tickets.

Such a document depends on many things: events, scores, terms, names, the promoted model, the release, and the clock, since
deadlines pass and durations grow. So its tag is a digest of its content. The service computes the document for each request; a
304 says that it has not changed, and saves only the transfer. The tag doesn't cover the watermark, nor the window of tickets:
both move while the tickets stay the same.
"""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from fastapi import Response

from services.gateway.api.forwarding import GetRequest, pass_through
from services.gateway.domain.etags import document_etag, matches, weak
from shared.problems import Unavailable

REVALIDATE = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
"""A client may store a response but must revalidate it before each use."""

WATERMARK_HEADER = "X-Earshot-Watermark"

IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of a stored response: answers 304 if it is valid",
    "schema": {"type": "string"},
}
WATERMARK = {
    "description": "Everything received before this time is counted",
    "schema": {"type": "string", "format": "date-time"},
}


def etag_header(covered: str) -> dict[str, Any]:
    """The description of the header `ETag` of a response. `covered` says what the tag identifies."""
    return {"description": f"A weak tag of {covered}, for `If-None-Match`", "schema": {"type": "string"}}


def document_responses(description: str, covered: str, *, watermark: bool = True) -> dict[int | str, dict[str, Any]]:
    """The 200 and the 304 of a route that answers with a tagged document. `watermark`: the service states one."""
    headers = {"ETag": etag_header(covered)} | ({WATERMARK_HEADER: WATERMARK} if watermark else {})
    unchanged = f"The entity tag in `If-None-Match` is valid: computed again, the content is the same. The tag is of {covered}"
    return {200: {"description": description, "headers": headers}, 304: {"description": unchanged, "headers": headers}}


def tag_of_document(content: bytes, *outside: str) -> str:
    """The tag of a service's JSON document without its watermark and the fields `outside`. Raises Unavailable if it is none."""
    try:
        return document_etag(content, "watermark", *outside)
    except msgspec.MsgspecError as error:
        raise Unavailable("a service responded with invalid JSON") from error


def respond_with_document(requested: GetRequest, response: httpx.Response) -> Response:
    """A service's JSON document, or 304 if the client has it. Any other status is passed through."""
    if response.status_code != 200:
        return pass_through(response)
    etag = tag_of_document(response.content)
    return respond_tagged(requested, response, response.content, etag, {"Content-Type": response.headers["content-type"]})


def respond_tagged(
    requested: GetRequest, response: httpx.Response, content: bytes, etag: str, headers: Mapping[str, str]
) -> Response:
    """`content`, made of a service's `response`, with its tag and these headers; 304 if the client has the content of the tag."""
    validators = REVALIDATE | {"ETag": weak(etag)}
    if watermark := response.headers.get(WATERMARK_HEADER):
        validators[WATERMARK_HEADER] = watermark
    if matches(requested.if_none_match, etag):
        return Response(status_code=304, headers=validators)
    return Response(content, headers={**validators, **headers})

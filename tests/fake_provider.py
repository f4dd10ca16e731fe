"""A provider that no tool has, which uses all of the interface: handshakes, forms, arrays of events, settings of its own.

Its signature is the hexadecimal HMAC-SHA512 of method, URL, timestamp in milliseconds and body.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode

from services.ingest.domain.connection import ProviderSettings
from services.ingest.domain.providers import Parsed, Provider, Reply, Request
from services.ingest.domain.providers.forms import parse_form
from services.ingest.domain.providers.payload import Unusable, parse_object
from services.ingest.domain.signatures import NotVerified, parse_unix_time, verify_hmac, verify_recent, verify_secret
from shared import strict_json


class FakeSettings(ProviderSettings):
    """`scale` is the highest rating of the tool."""

    scale: Literal[5, 10] = 5


def sign(secret: str, body: bytes, url: str, now: datetime, content_type: str = "application/json") -> dict[str, str]:
    """The headers of a delivery."""
    timestamp = str(int(now.timestamp() * 1000))
    signed = b"POST" + url.encode() + timestamp.encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha512).hexdigest()
    return {"Content-Type": content_type, "X-Fake-Signature": digest, "X-Fake-Time": timestamp}


def events(*ratings: int, kind: str = "rated") -> bytes:
    """A delivery with several events."""
    return json.dumps([{"kind": kind, "id": f"e-{n}", "rating": rating} for n, rating in enumerate(ratings)]).encode()


def form(rating: int) -> bytes:
    """A delivery with one event as a form."""
    return urlencode({"kind": "rated", "id": "f-1", "rating": rating}).encode()


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    timestamp = request.headers.get("x-fake-time")
    verify_recent(parse_unix_time(timestamp, "ms"), now)
    signed = request.method.encode() + request.url.encode() + timestamp.encode() + request.body
    keys = [secret.encode() for secret in secrets]
    verify_hmac(request.headers.get("x-fake-signature"), signed, keys, "sha512", "hex")


def _respond(request: Request, secrets: Sequence[str], now: datetime) -> Reply | None:
    """A GET with a challenge and the secret; a POST of kind `url_verification` in any body."""
    if request.method == "GET":
        verify_secret(request.query.get("token", ""), secrets)
        return Reply(200, "text/plain", request.query.get("challenge", "").encode())
    try:
        payload = parse_object(request.body)
    except Unusable:
        return None
    if payload.get("kind") != "url_verification":
        return None
    return Reply(200, "application/json", json.dumps({"challenge": str(payload.get("challenge"))}).encode())


def _parse(request: Request, settings: FakeSettings) -> Parsed:
    try:
        payloads = [parse_form(request)] if request.body_type in ("form", "multipart") else _events_in(request.body)
        used = [payload for payload in payloads if payload.get("kind") == "rated"]
        if payloads and not used:
            return Parsed(None, ignored=str(payloads[0].get("kind")))
        return Parsed(None, [_record(payload, settings) for payload in used])
    except Unusable as error:
        return Parsed(None, problem=str(error))


def _events_in(body: bytes) -> list[dict[str, Any]]:
    try:
        value = strict_json.parse(body)
    except strict_json.Malformed as error:
        raise Unusable(str(error)) from None
    if not isinstance(value, list) or not all(isinstance(event, dict) for event in value):
        raise Unusable("the body is no array of events")
    return value


def _record(payload: dict[str, Any], settings: FakeSettings) -> dict[str, Any]:
    rating = payload.get("rating")
    if isinstance(rating, str) and rating.isascii() and rating.isdigit():
        rating = int(rating[:3])
    scale = {"scale": [1, settings.scale], "positive_from": settings.scale - 1}
    answer = {"question": "rating", "kind": "csat", "value": rating, **scale}
    return {"type": "response", "id": payload.get("id"), "at": "2026-11-20T10:00:00Z", "answers": [answer]}


FAKE = Provider(
    verify=_verify,
    parse=_parse,
    settings=FakeSettings,
    title="Fake",
    content=("response",),
    respond=_respond,
    stored_headers=("content-type",),
    body_types=("json", "form", "multipart"),
)

__all__ = ["FAKE", "FakeSettings", "NotVerified", "events", "form", "sign"]

"""Front (dev.frontapp.com): the webhooks of an application, and those of rules.

An application signs `X-Front-Signature: <base64 HMAC-SHA256 of "{timestamp}:{raw body}">`, with `X-Front-Request-Timestamp` in
milliseconds and the application's signing key. It wraps the event in `payload`, and sends a preview of it unless it is set to
send full events. A rule signs the base64 HMAC-SHA1 of the JSON as it serializes it, without a timestamp, and sends full events.

Before an application's webhook is saved, Front sends a challenge, which is echoed.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain.providers.front.event import lacks_content, read_event
from services.ingest.domain.providers.front.settings import FrontCredentials, FrontSettings
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    object_in,
    parse_object,
    parse_payload,
    problem_of,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Reply, Request, ToolApi
from services.ingest.domain.providers.tool_api import Documents, Fetch, is_path_id
from services.ingest.domain.signatures import NotVerified, is_hmac, parse_unix_time, verify_hmac, verify_recent
from shared import strict_json

SYNC = "sync"
"""The type of the body with which Front sends its challenge."""
LONGEST_SYNC, LONGEST_CHALLENGE = 10_000, 1_000
LONGEST_SERIALIZED = 256 * 1024
"""Bytes of a body that is serialized again to verify it."""

SHORT_TYPES = {
    "inbound_received": "inbound",
    "outbound_sent": "outbound",
    "conversation_archived": "archive",
    "conversation_reopened": "reopen",
    "conversation_deleted": "trash",
    "conversation_restored": "restore",
    "conversation_snoozed": "snooze",
    "conversation_snooze_expired": "reminder",
    "conversation_moved": "move",
    "new_comment_added": "comment",
    "assignee_changed": "assign",
    "tag_added": "tag",
    "tag_removed": "untag",
}
"""The types of events in rules, by those in applications."""
READ_TYPES = (
    "inbound", "outbound", "out_reply", "comment", "assign", "unassign", "archive", "reopen", "snooze", "reminder", "trash",
    "restore", "ticket_status_update",
)  # fmt: skip
DESCRIBING_TYPES = ("tag", "untag", "move")
"""Types that change nothing but fields that a mapping may read."""


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    signature, timestamp = request.headers.get("x-front-signature"), request.headers.get("x-front-request-timestamp")
    if not signature:
        raise NotVerified("x-front-signature is needed")
    keys = [secret.encode() for secret in secrets]
    if timestamp:
        verify_recent(parse_unix_time(timestamp, "ms"), now)
        verify_hmac(signature, timestamp.encode() + b":" + request.body, keys)
    elif not is_hmac(signature, request.body, keys, "sha1"):
        verify_hmac(signature, _serialized(request.body), keys, "sha1")


def _serialized(body: bytes) -> bytes:
    """The body as JavaScript's `JSON.stringify` writes it. Raises NotVerified if it is too long, or no JSON."""
    try:
        value = strict_json.parse(body) if len(body) <= LONGEST_SERIALIZED else None
    except strict_json.Malformed:
        value = None
    if value is None:
        raise NotVerified("the signature is wrong")
    return json.dumps(_with_whole_numbers(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _with_whole_numbers(value: Any) -> Any:
    """The value with `1.0` as `1`, as JavaScript writes it."""
    if isinstance(value, dict):
        return {key: _with_whole_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _respond(request: Request, secrets: Sequence[str], now: datetime) -> Reply | None:
    """Echo the challenge. It proves nothing about its sender, and nothing is stored."""
    challenge = request.headers.get("x-front-challenge")
    if not challenge or request.method != "POST" or len(request.body) > LONGEST_SYNC or len(challenge) > LONGEST_CHALLENGE:
        return None
    try:
        if parse_object(request.body).get("type") != SYNC:
            return None
    except Unusable:
        return None
    return Reply(200, "application/json", json.dumps({"challenge": challenge}).encode())


def _parse(request: Request, settings: FrontSettings) -> Parsed:
    return parse_payload(
        request,
        lambda payload: _identify(_event(payload)),
        lambda identity, payload: _read(identity, _event(payload), payload, settings, previews=settings.fetch_previews),
    )


def _event(payload: dict[str, Any]) -> dict[str, Any]:
    """The event of an application, which wraps it, or of a rule."""
    return object_in(payload, "payload") or payload


def _identify(event: dict[str, Any]) -> DeliveryIdentity:
    return DeliveryIdentity(as_text(event.get("id")), "ticket", as_text(object_in(event, "conversation").get("id")))


def _read(
    identity: DeliveryIdentity, event: dict[str, Any], payload: dict[str, Any], settings: FrontSettings, *, previews: bool
) -> Parsed:
    """The record of an event. With `previews`, one that lacks its content is fetched. Raises Unusable if it can't be read."""
    delivery, named = identity.delivery, as_text(event.get("type")) or as_text(payload.get("type"))
    if named is None:
        raise Unusable("type is missing")
    kind = SHORT_TYPES.get(named, named)
    if kind not in READ_TYPES and not (kind in DESCRIBING_TYPES and settings.dimensions):
        return Parsed(delivery, ignored=named)
    if identity.id is None:
        raise Unusable("conversation.id is missing")
    if previews and lacks_content(event, kind):
        if not is_path_id(delivery):
            raise Unusable("id must be letters, digits, - and _")
        return Parsed(delivery, about=identity.about, fetch=f"event/{delivery}")
    record, use, names = read_event(event, kind, identity.id, settings)
    return Parsed(delivery, [record], about=identity.about, use=use, names=names)


def _fetches(request: Request, documents: Documents, settings: FrontSettings) -> Sequence[Fetch]:
    """The full event."""
    identity = as_text(_event(parse_object(request.body)).get("id"))
    return () if documents or not is_path_id(identity) else (Fetch("event", f"/events/{identity}"),)


def _parse_fetched(request: Request, documents: Documents, settings: FrontSettings) -> Parsed:
    event, preview = documents.get("event"), _parse(request, settings)
    if preview.fetch is None:
        return preview
    if not isinstance(event, dict):
        return Parsed(preview.id, problem="the event is missing", about=preview.about)
    identity = _identify(event)._replace(delivery=preview.id)
    try:
        return _read(identity, event, {}, settings, previews=False)
    except Unusable as error:
        return problem_of(error, preview.id, preview.about)


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FrontSettings,
    title="Front",
    content=(
        "ticket.opened",
        "ticket.message",
        "ticket.status",
        "ticket.assigned",
        "ticket.deleted",
        "names",
    ),
    respond=_respond,
    api=ToolApi(
        credentials=FrontCredentials,
        base_url=lambda credentials: "https://api2.frontapp.com",
        headers=lambda credentials: {"authorization": f"Bearer {credentials.access_token}"},
        fetches=_fetches,
        parse=_parse_fetched,
        is_used=lambda settings: settings.fetch_previews,
    ),
)

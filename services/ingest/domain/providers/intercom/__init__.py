"""Intercom (developers.intercom.com/docs/webhooks): notifications about conversations and tickets.

`X-Hub-Signature: sha1=<hex HMAC-SHA1 of the raw body>`; the key is the client secret of the app. There is no timestamp. Intercom
checks a URL by HEAD when it is saved, and by the topic `ping`; the route answers both.

The shape of `data.item` follows the API version of the app. Up to 1.x a conversation has `user`, `assignee` and
`conversation_message`, since 2.0 `contacts`, `admin_assignee_id`, `team_assignee_id` and `source`. Both are read.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.intercom.history import HISTORY
from services.ingest.domain.providers.intercom.record import READ_TOPICS, parse_item, subject_id
from services.ingest.domain.providers.payload import DeliveryIdentity, as_text, object_in, parse_payload
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.signatures import verify_named_hmac

CHANGED_BY_RETRIES = ("delivery_attempts", "delivery_status", "delivered_at", "first_sent_at")


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_named_hmac(
        request.headers.get("x-hub-signature"), request.body, secrets, "sha1", "hex", missing="x-hub-signature is needed"
    )


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(request, _identify, lambda identity, payload: _read(identity, payload, mapping))


def _identify(payload: dict[str, Any]) -> DeliveryIdentity:
    return DeliveryIdentity(_delivery(payload), "ticket", subject_id(object_in(object_in(payload, "data"), "item")))


def _read(identity: DeliveryIdentity, payload: dict[str, Any], mapping: FieldMapping) -> Parsed:
    topic, item = as_text(payload.get("topic")), object_in(object_in(payload, "data"), "item")
    if topic is None:
        return Parsed(identity.delivery, problem="topic is missing")
    if topic not in READ_TOPICS:
        return Parsed(identity.delivery, ignored=topic)
    return parse_item(identity.delivery, topic, item, payload.get("created_at"), mapping)


def _delivery(payload: dict[str, Any]) -> str:
    """Identifies the notification: its id within the workspace. Of one without an id, a digest of all that retries repeat."""
    app, identity = as_text(payload.get("app_id")), as_text(payload.get("id"))
    if identity:
        return f"{app} {identity}" if app else identity
    content = {name: value for name, value in payload.items() if name not in CHANGED_BY_RETRIES}
    return f"body:{blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()}"


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=HelpDeskMapping,
    title="Intercom",
    content=(
        "ticket.opened",
        "ticket.message",
        "ticket.status",
        "ticket.assigned",
        "ticket.priority",
        "ticket.rating",
        "ticket.deleted",
        "names",
    ),
    history=HISTORY,
)

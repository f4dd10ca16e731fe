"""Zendesk (developer.zendesk.com/documentation/webhooks): ticket events, and triggers whose body is our template `trigger.json`.

The signature is the base64 HMAC-SHA256 of `{timestamp}{body}` without a separator. The key is the literal text of the secret,
although it looks like base64.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain import signatures
from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.payload import DeliveryIdentity, as_text, object_in, occurring_dimensions, parse_payload
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.zendesk import events, trigger
from services.ingest.domain.providers.zendesk.history import HISTORY
from services.ingest.domain.signatures import NotVerified, verify_hmac, verify_recent

INVOCATION = "x-zendesk-webhook-invocation-id"

PUBLIC_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105
"""Zendesk's documented secret for the "Test webhook" button. It is public, so it proves nothing."""


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    timestamp = request.headers.get("x-zendesk-webhook-signature-timestamp")
    signature = request.headers.get("x-zendesk-webhook-signature")
    if not timestamp or not signature:
        raise NotVerified("x-zendesk-webhook-signature and its timestamp are needed")
    try:
        verify_recent(parse_time(timestamp), now)
    except ValueError:
        raise NotVerified("the timestamp is not RFC 3339") from None
    keys = [secret.encode() for secret in secrets if secret != PUBLIC_SECRET]
    verify_hmac(signature, timestamp.encode() + request.body, keys)


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    """An event is identified by the id in its body, a trigger by its invocation."""
    invocation = as_text(request.headers.get(INVOCATION))

    def identify(payload: dict[str, Any]) -> DeliveryIdentity:
        if trigger.MARK in payload:
            return DeliveryIdentity(invocation, "ticket", as_text(payload.get("id")))
        ticket = as_text(object_in(payload, "detail").get("id"))
        return DeliveryIdentity(as_text(payload.get("id")) or invocation, "ticket", ticket)

    return parse_payload(
        request,
        identify,
        lambda identity, payload: _read(identity, payload, mapping),
        delivery=invocation,
        decode=trigger.parse_body,
    )


def _read(identity: DeliveryIdentity, payload: dict[str, Any], mapping: FieldMapping) -> Parsed:
    if trigger.MARK not in payload:
        return events.parse(payload, mapping)
    use = MappingUse(dimensions=occurring_dimensions(payload, mapping))
    return Parsed(identity.delivery, [trigger.to_record(payload, mapping)], use=use, names=trigger.names(payload))


def _refuse_secret(secret: str) -> str | None:
    return "Zendesk's public test secret proves nothing" if secret == PUBLIC_SECRET else signatures.refuse_secret(secret)


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=HelpDeskMapping,
    title="Zendesk",
    content=(
        "ticket.opened",
        "ticket.message",
        "ticket.status",
        "ticket.assigned",
        "ticket.priority",
        "ticket.rating",
        "ticket.merged",
        "ticket.spam",
        "ticket.deleted",
        "names",
    ),
    stored_headers=(INVOCATION, "x-zendesk-webhook-signature-timestamp", "x-zendesk-webhook-id"),
    refuse_secret=_refuse_secret,
    history=HISTORY,
)

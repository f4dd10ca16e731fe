"""Zendesk: event subscriptions (`zen:event-type:ticket.*`), and triggers whose body is our template `trigger.json`.

The signature is the base64 HMAC-SHA256 of `{timestamp}{body}` without a separator. The key is the literal text of the secret,
although it looks like base64.
"""

from collections.abc import Sequence
from datetime import datetime

from services.ingest.domain.connection import Mapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.providers import literal
from services.ingest.domain.providers.literal import new_secret
from services.ingest.domain.providers.provider import Headers, NotVerified, Parsed, Unusable, check, check_age, object_in, text
from services.ingest.domain.providers.zendesk import events, trigger
from shared import strict_json

__all__ = ["PUBLIC_SECRET", "new_secret", "parse", "refuse_secret", "verify"]

INVOCATION = "x-zendesk-webhook-invocation-id"

PUBLIC_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105
"""Zendesk's documented secret for the "Test webhook" button. It is public, so it proves nothing."""


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    stamp = headers.get("x-zendesk-webhook-signature-timestamp", "")
    signature = headers.get("x-zendesk-webhook-signature", "")
    if not stamp or not signature:
        raise NotVerified("x-zendesk-webhook-signature and its timestamp are needed")
    try:
        check_age(parse_time(stamp), now)
    except ValueError:
        raise NotVerified("the timestamp is not RFC 3339") from None
    keys = [secret.encode() for secret in secrets if secret != PUBLIC_SECRET]
    if not check(signature, stamp.encode("latin-1") + body, keys):
        raise NotVerified("the signature is wrong")


def refuse_secret(secret: str) -> str | None:
    return "Zendesk's public test secret proves nothing" if secret == PUBLIC_SECRET else literal.refuse_secret(secret)


def parse(headers: Headers, body: bytes, mapping: Mapping) -> Parsed:
    """An event's id is in its body; a trigger's is the id of its invocation."""
    invocation = text(headers.get(INVOCATION))
    try:
        payload = trigger.read(body)
    except strict_json.Malformed as error:
        return Parsed(invocation, problem=str(error))
    if not isinstance(payload, dict):
        return Parsed(invocation, problem="the body is not an object")
    from_trigger = trigger.MARK in payload
    try:
        if from_trigger:
            return Parsed(invocation, [trigger.record(payload, mapping)])
        return events.parse(payload, mapping)
    except Unusable as error:
        ticket = text((payload if from_trigger else object_in(payload, "detail")).get("id"))
        delivery = invocation if from_trigger else text(payload.get("id")) or invocation
        return Parsed(delivery, problem=str(error), about=f"ticket/{ticket}" if ticket else None)

"""Zendesk: event subscriptions (`zen:event-type:ticket.*`), and triggers whose body is our template `trigger.json`.

Signed: `{timestamp}{body}`, nothing between, base64 HMAC-SHA256, key the literal secret although it looks like base64.
"""

from services.ingest.domain.connection import Mapping
from services.ingest.domain.providers.provider import Headers, Parsed, Unusable, object_in, text
from services.ingest.domain.providers.zendesk import events, trigger
from services.ingest.domain.providers.zendesk.signature import new_secret, refuse_secret, verify
from shared import strict_json as json

__all__ = ["new_secret", "parse", "refuse_secret", "verify"]

INVOCATION = "x-zendesk-webhook-invocation-id"


def parse(headers: Headers, body: bytes, mapping: Mapping) -> Parsed:
    """An event's id is in its body; a trigger's is the id of its invocation."""
    invocation = text(headers.get(INVOCATION))
    try:
        payload = trigger.read(body)
    except json.Malformed as error:
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

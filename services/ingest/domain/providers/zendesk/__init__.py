"""Zendesk: event subscriptions (`zen:event-type:ticket.*`), and triggers whose body is our template `trigger.json`.

Signed: `{timestamp}{body}`, nothing between, base64 HMAC-SHA256, key the literal secret although it looks like base64.
"""

from services.ingest.domain import json
from services.ingest.domain.connection import Mapping
from services.ingest.domain.providers.provider import Headers, Parsed, Unusable, text
from services.ingest.domain.providers.zendesk import events, trigger
from services.ingest.domain.providers.zendesk.signature import new_secret, refuse_secret, verify

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
    try:
        if trigger.MARK in payload:
            return Parsed(invocation, [trigger.record(payload, mapping)])
        return events.parse(payload, mapping)
    except Unusable as error:
        return Parsed(text(payload.get("id")) or invocation, problem=str(error))

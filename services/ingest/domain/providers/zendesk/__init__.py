"""Zendesk (developer.zendesk.com/documentation/webhooks): ticket events, and triggers whose body is our template `trigger.json`.

The signature is the base64 HMAC-SHA256 of `{timestamp}{body}` without a separator. The key is the literal text of the secret,
although it looks like base64.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain import signatures
from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    object_in,
    occurring_dimensions,
    parse_object,
    parse_payload,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request, ToolApi
from services.ingest.domain.providers.tool_api import Documents, Fetch, is_path_id
from services.ingest.domain.providers.zendesk import events, surveys, ticket_history, trigger
from services.ingest.domain.providers.zendesk.history import HISTORY
from services.ingest.domain.providers.zendesk.settings import ZendeskCredentials, ZendeskSettings, base_url, headers
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


def _parse(request: Request, settings: ZendeskSettings) -> Parsed:
    """The record of a delivery, or the key by which the answer to a survey is fetched."""

    def read(identity: DeliveryIdentity, payload: dict[str, Any]) -> Parsed:
        if settings.fetch_surveys and trigger.MARK not in payload and events.is_answer(payload):
            if not is_path_id(identity.id):
                raise Unusable("detail.id is needed, of letters and digits")
            return Parsed(identity.delivery, about=identity.about, fetch=f"survey_responses/{identity.id}")
        return _read(identity, payload, settings)

    return _parse_payload(request, read)


def _parse_payload(request: Request, read: Callable[[DeliveryIdentity, dict[str, Any]], Parsed]) -> Parsed:
    """The result of `read`. An event is identified by the id in its body, a trigger by its invocation."""
    invocation = as_text(request.headers.get(INVOCATION))

    def identify(payload: dict[str, Any]) -> DeliveryIdentity:
        if trigger.MARK in payload:
            return DeliveryIdentity(invocation, "ticket", as_text(payload.get("id")))
        return DeliveryIdentity(as_text(payload.get("id")) or invocation, "ticket", _ticket_of(payload))

    return parse_payload(request, identify, read, delivery=invocation, decode=trigger.parse_body)


def _ticket_of(event: dict[str, Any]) -> str | None:
    return as_text(object_in(event, "detail").get("id"))


def _read(
    identity: DeliveryIdentity, payload: dict[str, Any], mapping: FieldMapping, rating: dict[str, Any] | None = None
) -> Parsed:
    if trigger.MARK not in payload:
        return events.parse(payload, mapping, rating)
    use = MappingUse(dimensions=occurring_dimensions(payload, mapping))
    return Parsed(identity.delivery, [trigger.to_record(payload, mapping)], use=use, names=trigger.names(payload))


def _fetches(request: Request, documents: Documents, settings: ZendeskSettings) -> Sequence[Fetch]:
    payload = parse_object(request.body)
    ticket = _ticket_of(payload)
    if ticket is None or not is_path_id(ticket):
        raise Unusable("detail.id is needed, of letters and digits")
    return surveys.fetches(ticket, documents, has_score=events.has_score(payload))


def _parse_fetched(request: Request, documents: Documents, settings: ZendeskSettings) -> Parsed:
    """The record of a listed ticket; or that of an event about a rating, with the fetched answer to the survey."""
    if surveys.RESPONSES not in documents:
        return ticket_history.parse(request, documents, settings)

    def read(identity: DeliveryIdentity, payload: dict[str, Any]) -> Parsed:
        return _read(identity, payload, settings, surveys.rating_fact_of(identity.id or "", documents))

    return _parse_payload(request, read)


def _refuse_secret(secret: str) -> str | None:
    return "Zendesk's public test secret proves nothing" if secret == PUBLIC_SECRET else signatures.refuse_secret(secret)


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=ZendeskSettings,
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
    api=ToolApi(
        credentials=ZendeskCredentials,
        base_url=base_url,
        headers=headers,
        fetches=_fetches,
        parse=_parse_fetched,
        condense=surveys.condense,
        is_used=lambda settings: settings.fetch_surveys,
    ),
    history=HISTORY,
)

"""HubSpot (developers.hubspot.com, webhooks of apps): arrays of thin events about tickets and feedback submissions.

`X-HubSpot-Signature-v3` is the base64 HMAC-SHA256 of method, URL, body and `X-HubSpot-Request-Timestamp` (Unix milliseconds),
at most five minutes old. A request without it is verified by the older `X-HubSpot-Signature`: the SHA-256 of secret and body
(v1), or of secret, method, URL and body (v2). The secret is the client secret of the app.

An array has up to 100 events, each a delivery of its own. `eventId` alone is not unique. Creations and changes are fetched: the
API returns a ticket with the history of its stage, owner and priority, so the order and the loss of events don't matter.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from services.ingest.domain.batch import TooMany, is_array, split_array
from services.ingest.domain.providers.customers import customer_fields
from services.ingest.domain.providers.hubspot import history
from services.ingest.domain.providers.hubspot.documents import (
    SUBMISSION,
    THREAD,
    TICKET,
    condense,
    fetches,
    ticket_of_thread,
    time_of,
)
from services.ingest.domain.providers.hubspot.settings import API, HubSpotCredentials, HubSpotSettings
from services.ingest.domain.providers.hubspot.submission import read_submission
from services.ingest.domain.providers.hubspot.ticket import read_ticket
from services.ingest.domain.providers.payload import DeliveryIdentity, Unusable, as_text, parse_payload, problem_of
from services.ingest.domain.providers.provider import Parsed, Provider, Request, ToolApi, ToolHistory
from services.ingest.domain.providers.tool_api import Documents, Fetch, is_path_id
from services.ingest.domain.providers.tool_history import halve_page
from services.ingest.domain.signatures import NotVerified, parse_unix_time, verify_hmac, verify_recent
from shared.strict_json import Malformed

MAX_EVENTS = 100
"""Events of one request, by HubSpot's documentation."""

CONTACT = "contact"
PRIVACY_DELETION = "privacyDeletion"
"""The action of an event about a contact that was deleted for good, at the person's request."""

OBJECTS = {"0-1": CONTACT, "0-5": TICKET, "0-19": SUBMISSION}
"""The objects that are read, by the `objectTypeId` of generic events (`object.creation`)."""
SUBJECTS: dict[str, Literal["ticket", "response"]] = {TICKET: "ticket", SUBMISSION: "response"}
NEW_MESSAGE = "conversation.newMessage"
"""The event of a message. It names the conversation, whose ticket is fetched with all of its messages."""
FETCHED_ACTIONS = ("creation", "propertyChange", "associationChange")


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    if signature := request.headers.get("x-hubspot-signature-v3"):
        timestamp = request.headers.get("x-hubspot-request-timestamp")
        verify_recent(parse_unix_time(timestamp, "ms"), now)
        signed = f"{request.method}{request.url}".encode() + request.body + timestamp.encode()
        verify_hmac(signature, signed, [secret.encode() for secret in secrets])
        return
    signature = request.headers.get("x-hubspot-signature")
    if not signature:
        raise NotVerified("x-hubspot-signature-v3 is needed")
    is_v2 = request.headers.get("x-hubspot-signature-version") == "v2"
    hashed = (f"{request.method}{request.url}".encode() if is_v2 else b"") + request.body
    _verify_hash(signature, hashed, secrets)


def _verify_hash(signature: str, hashed: bytes, secrets: Iterable[str]) -> None:
    """Raises NotVerified unless `signature` is the hexadecimal SHA-256 of a secret and `hashed`."""
    presented = signature.lower().encode("utf-8", "replace")
    digests = (hashlib.sha256(secret.encode() + hashed).hexdigest().encode() for secret in secrets)
    if not any(hmac.compare_digest(presented, digest) for digest in digests):
        raise NotVerified("the signature is wrong")


def _split(request: Request) -> Sequence[Request]:
    """One request for each event of an array. The request itself if it is none, or can't be split."""
    if not is_array(request.body):
        return [request]
    try:
        events = split_array(request.body, MAX_EVENTS)
    except (Malformed, TooMany):
        return [request]
    return [Request(request.method, request.url, request.headers, event) for event in events] or [request]


def _parse(request: Request, settings: HubSpotSettings) -> Parsed:
    """One event. An array comes here only if it is empty, or can't be split."""
    if is_array(request.body):
        return _parse_array(request.body)
    return parse_payload(request, _identify, _read_event)


def _identify(event: Mapping[str, Any]) -> DeliveryIdentity:
    target, _ = _kind(event)
    return DeliveryIdentity(_delivery_id(event), SUBJECTS.get(target, "response"), as_text(event.get("objectId")))


def _kind(event: Mapping[str, Any]) -> tuple[str, str]:
    """The kind of object that an event is about, and what happened to it. Empty if the event does not say so."""
    target, _, action = (_type_of(event) or "").partition(".")
    return OBJECTS.get(as_text(event.get("objectTypeId")) or "", "") if target == "object" else target, action


def _type_of(event: Mapping[str, Any]) -> str | None:
    return as_text(event.get("subscriptionType")) or as_text(event.get("eventType"))


def _read_event(identity: DeliveryIdentity, event: dict[str, Any]) -> Parsed:
    """The records of an event that needs no call, or the key of the object to fetch. Raises Unusable if a field is missing."""
    delivery, kind, (target, action) = identity.delivery, _type_of(event), _kind(event)
    if kind is None:
        raise Unusable("subscriptionType is missing")
    if target == CONTACT and action == PRIVACY_DELETION:
        return _erasure(delivery, event)
    if kind == NEW_MESSAGE and is_path_id(identity.id):
        return Parsed(delivery, fetch=f"{THREAD}/{identity.id}")
    if target not in SUBJECTS:
        return Parsed(delivery, ignored=kind)
    if target == TICKET and action in ("deletion", "restore", "merge"):
        return Parsed(delivery, _changes(action, event))
    if action not in FETCHED_ACTIONS:
        return Parsed(delivery, ignored=kind)
    if not is_path_id(identity.id):
        return Parsed(delivery, problem="objectId is needed, of letters and digits")
    return Parsed(delivery, about=identity.about, fetch=f"{target}/{identity.id}")


def _erasure(delivery: str | None, event: Mapping[str, Any]) -> Parsed:
    """The erasure of a contact, whatever tool the person spoke through."""
    contact, at = as_text(event.get("objectId")), time_of(event.get("occurredAt"))
    if contact is None or at is None:
        return Parsed(delivery, problem="objectId and occurredAt are needed")
    customer = customer_fields("hubspot", tool_id=contact)
    return Parsed(delivery, [{"type": "erasure", "id": contact, "at": at, "customer": customer, "linked": True}])


def _parse_array(body: bytes) -> Parsed:
    try:
        events = split_array(body, MAX_EVENTS)
    except Malformed:
        return Parsed(None, problem="the body is no JSON array of events")
    except TooMany:
        return Parsed(None, problem=f"a request has at most {MAX_EVENTS} events")
    return Parsed(None, problem="an array within an array") if events else Parsed(None, ignored="empty-batch")


def _delivery_id(event: Mapping[str, Any]) -> str | None:
    """An id that a retry has too; `attemptNumber` is not part of it. None if the event has no `eventId`."""
    if as_text(event.get("eventId")) is None:
        return None
    names = ("portalId", "subscriptionId", "eventId", "objectId", "occurredAt", "propertyName")
    return ":".join(as_text(event.get(name)) or "" for name in names)


def _changes(action: str, event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records of a deletion, its restoration, or a merge, which need no call. Raises Unusable if a field is missing."""
    at = time_of(event.get("occurredAt"))
    if at is None:
        raise Unusable("occurredAt is missing")
    if action != "merge":
        return [_change(event.get("objectId"), at, {"fact": "deleted", "value": action == "deletion"})]
    primary = as_text(event.get("primaryObjectId")) or as_text(event.get("objectId"))
    into, merged = as_text(event.get("newObjectId")) or primary, event.get("mergedObjectIds")
    if into is None or not isinstance(merged, list):
        raise Unusable("primaryObjectId and mergedObjectIds are needed")
    names = dict.fromkeys(name for name in map(as_text, [*merged, primary]) if name and name != into)
    return [_change(name, at, {"fact": "merged", "into": into}) for name in names]


def _change(identity: object, at: str, fact: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "ticket", "id": as_text(identity), "at": at, "updated_at": at, "facts": [{**fact, "at": at}]}


def _fetches(request: Request, documents: Documents, settings: HubSpotSettings) -> Sequence[Fetch]:
    target, _, identity = (_parse(request, settings).fetch or "").partition("/")
    if not identity:
        raise Unusable("this kind of event is not fetched")
    return fetches(target, identity, documents, settings)


def _parse_fetched(request: Request, documents: Documents, settings: HubSpotSettings) -> Parsed:
    event = _parse(request, settings)
    if event.fetch is None:
        return Parsed(event.id, problem=event.problem or "this kind of event is not fetched", about=event.about)
    is_message = event.fetch.startswith(f"{THREAD}/")
    if is_message and ticket_of_thread(documents) is None:
        return Parsed(event.id, ignored=NEW_MESSAGE)
    read = read_ticket if is_message or event.fetch.startswith(f"{TICKET}/") else read_submission
    try:
        record, use, names = read(documents, settings)
    except Unusable as error:
        return problem_of(error, event.id, event.about)
    return Parsed(event.id, [record], about=event.about, use=use, names=names)


def _base_url(credentials: HubSpotCredentials) -> str:
    return API


def _headers(credentials: HubSpotCredentials) -> Mapping[str, str]:
    return {"authorization": f"Bearer {credentials.access_token}"}


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=HubSpotSettings,
    title="HubSpot",
    content=(
        "response",
        "erasure",
        "ticket.opened",
        "ticket.message",
        "ticket.status",
        "ticket.assigned",
        "ticket.priority",
        "ticket.merged",
        "ticket.deleted",
        "names",
    ),
    split=_split,
    api=ToolApi(
        credentials=HubSpotCredentials,
        base_url=_base_url,
        headers=_headers,
        fetches=_fetches,
        parse=_parse_fetched,
        condense=condense,
    ),
    history=ToolHistory(
        credentials=HubSpotCredentials,
        base_url=_base_url,
        headers=_headers,
        needs_surveys=False,
        begin=history.begin,
        fetches=history.fetches,
        read=history.read,
        shrink=halve_page,
        pause=history.PAUSE_SECONDS,
        most_calls=history.MOST_CALLS,
    ),
)

"""Help Scout (developer.helpscout.com/webhooks): conversations and satisfaction ratings.

`X-HelpScout-Signature` is the base64 HMAC-SHA1 of the raw body; there is no timestamp. `X-HelpScout-Event` names the event, which
the body does not, so it is stored. There is no id of the delivery: a retry has the same event and the same body.

The body is the conversation after the event, in one of two versions of the API: since version 2 it has `assignee`,
`primaryCustomer` and `userUpdatedAt`, before `owner`, `customer` and `userModifiedAt`. Messages ("threads") are rarely part of
it. Without them a reply is known by its time alone: that of the last update by a user, or since when the customer waits. If the
mapping says so, they are fetched (`threads.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from services.ingest.domain import signatures
from services.ingest.domain.providers.helpscout import threads
from services.ingest.domain.providers.helpscout.conversation import READ_EVENTS, customer_of, read_conversation
from services.ingest.domain.providers.helpscout.threads import HelpScoutCredentials, HelpScoutSettings
from services.ingest.domain.providers.html_text import plain_text
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    object_in,
    parse_object,
    parse_payload,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request, ToolApi
from services.ingest.domain.providers.tool_api import Documents, Fetch, is_path_id
from services.ingest.domain.signatures import NotVerified, verify_hmac

DELETED, RATED = "convo.deleted", "satisfaction.ratings"

RATINGS = {"great": 3, "okay": 2, "ok": 2, "bad": 1, "not good": 1}
"""Values of a rating's words on a scale of 1 to 3."""

LONGEST_SECRET = 40


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    signature = request.headers.get("x-helpscout-signature")
    if not signature:
        raise NotVerified("x-helpscout-signature is needed")
    verify_hmac(signature, request.body, [secret.encode() for secret in secrets], "sha1")


def _parse(request: Request, settings: HelpScoutSettings) -> Parsed:
    """The records of an event, or the key by which the threads of its conversation are fetched."""
    parsed = _read(request, settings, parse_object, is_fetched=settings.fetch_threads)
    event = as_text(request.headers.get("x-helpscout-event"))
    if not settings.fetch_threads or event not in READ_EVENTS or parsed.problem:
        return parsed
    return Parsed(parsed.id, about=parsed.about or _about(parsed), fetch=f"conversation/{parsed.id}")


def _about(parsed: Parsed) -> tuple[str, ...]:
    return tuple(f"ticket/{record['id']}" for record in parsed.records)


def _fetches(request: Request, documents: Documents, settings: HelpScoutSettings) -> Sequence[Fetch]:
    conversation = as_text(parse_object(request.body).get("id"))
    if conversation is None or not is_path_id(conversation):
        raise Unusable("the conversation has no id of letters and digits")
    return threads.fetches(conversation, documents)


def _parse_fetched(request: Request, documents: Documents, settings: HelpScoutSettings) -> Parsed:
    """The records of an event with the fetched threads of its conversation; if there are none, as without them."""
    fetched = threads.threads_in(documents)
    more = {"_embedded": {"threads": fetched}} if fetched else {}
    return _read(request, settings, lambda body: parse_object(body) | more)


def _read(
    request: Request, mapping: HelpScoutSettings, decode: Callable[[bytes], dict[str, Any]], *, is_fetched: bool = False
) -> Parsed:
    """The records of an event. `is_fetched`: its threads are fetched later, so a reply need not be known without them."""
    event = as_text(request.headers.get("x-helpscout-event"))
    digest = blake2b(f"{event}\n".encode() + request.body, digest_size=16).hexdigest()
    delivery = f"body:{digest}"

    def identify(payload: dict[str, Any]) -> DeliveryIdentity:
        return DeliveryIdentity(delivery, "ticket", _conversation_id(payload) if event == RATED else as_text(payload.get("id")))

    def read(identity: DeliveryIdentity, payload: dict[str, Any]) -> Parsed:
        if event is None:
            return Parsed(delivery, problem="the header X-HelpScout-Event is missing")
        if event not in (*READ_EVENTS, DELETED, RATED):
            return Parsed(delivery, ignored=event)
        if identity.id is None:
            raise Unusable("the conversation has no id")
        if event == RATED:
            return _rated(delivery, identity.id, payload)
        if event == DELETED:
            return _deleted(delivery, identity.id, request.received_at)
        return read_conversation(delivery, event, identity.id, payload, mapping, is_fetched=is_fetched)

    return parse_payload(request, identify, read, delivery=delivery, decode=decode)


def _deleted(delivery: str, subject: str, received_at: datetime | None) -> Parsed:
    """The deletion of a conversation, at the time of receipt: its body is the id alone. Raises Unusable without that time."""
    if received_at is None:
        raise Unusable("the deletion has no time")
    at = received_at.isoformat()
    fact = {"fact": "deleted", "at": at}
    return Parsed(delivery, [{"type": "ticket", "id": subject, "at": at, "updated_at": at, "facts": [fact]}])


def _conversation_id(rating: Mapping[str, Any]) -> str | None:
    """The id of the conversation that was rated, by either version."""
    return as_text(rating.get("conversationId")) or as_text(rating.get("ticketId"))


def _rated(delivery: str, subject: str, rating: dict[str, Any]) -> Parsed:
    """The rating of a conversation. Raises Unusable if its word is unknown, or it has no time."""
    word, created = as_text(rating.get("rating")) or "", as_text(rating.get("createdAt"))
    if created is None:
        raise Unusable("createdAt is missing")
    if word.strip().lower() not in RATINGS:
        raise Unusable("rating: unknown word; known are Great, Okay, Bad and Not Good", "unknown_value")
    identity, text = as_text(rating.get("id")), plain_text(rating.get("comments"))
    fact = {"fact": "rating", "at": created, "scale": [1, 3], "value": RATINGS[word.strip().lower()], "raw": word}
    fact |= {**({"id": f"rating-{identity}"} if identity else {}), **({"text": text} if text else {})}
    customer = customer_of(object_in(rating, "customer") or {"id": rating.get("customerId")})
    record = {
        "type": "ticket",
        "id": subject,
        "at": created,
        "updated_at": as_text(rating.get("modifiedAt")) or created,
        "facts": [fact],
        **({"customer": customer} if customer else {}),
    }
    return Parsed(delivery, [record])


def _new_secret(random: bytes) -> str:
    return signatures.new_secret(random[:24])


def _refuse_secret(secret: str) -> str | None:
    shortest = signatures.SHORTEST_SECRET
    return (
        None if shortest <= len(secret) <= LONGEST_SECRET else f"{shortest} to {LONGEST_SECRET} characters, as Help Scout allows"
    )


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=HelpScoutSettings,
    title="Help Scout",
    content=(
        "ticket.opened",
        "ticket.message",
        "ticket.status",
        "ticket.assigned",
        "ticket.rating",
        "ticket.spam",
        "ticket.deleted",
        "names",
    ),
    stored_headers=("x-helpscout-event",),
    new_secret=_new_secret,
    refuse_secret=_refuse_secret,
    api=ToolApi(
        credentials=HelpScoutCredentials,
        base_url=lambda credentials: threads.API,
        headers=lambda credentials: {"authorization": f"Bearer {credentials.access_token}"},
        fetches=_fetches,
        parse=_parse_fetched,
        condense=threads.condense,
        is_used=lambda settings: settings.fetch_threads,
    ),
)

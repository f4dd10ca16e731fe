"""Trustpilot (support.trustpilot.com, webhook notifications): batches of events about reviews of a company and of its products.

Nothing is signed, and a URL is all that can be set: it has the secret as `token`, or as password. A payload is
`{"events": [{"eventName", "eventData"}, …]}`, each event a delivery of its own. `eventData.id` is the same in each event about a
review. No event has an id or a time of its own: one whose content is unchanged is a duplicate, and the latest receipt counts.

Reviews of products are named by receivers' code alone: their text is `content`, their product an object.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import is_name, parse_time
from services.ingest.domain.mapping_use import MappingUse
from services.ingest.domain.providers.customers import customer_fields, own_id
from services.ingest.domain.providers.payload import (
    DeliveryIdentity,
    Unusable,
    as_text,
    dimensions_of,
    object_in,
    occurring_dimensions,
    parse_object,
    parse_payload,
    trimmed_text,
)
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.providers.shared_secret import verify_shared_secret

MAX_EVENTS = 1_000
"""Events of one request that are read."""

EVENT = re.compile(r"(?:service|product)-review-(created|updated|deleted)")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,4}", re.ASCII)
PRODUCT_IDS = ("sku", "id", "name")


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    verify_shared_secret(request, secrets, in_url=True)


def _split(request: Request) -> Sequence[Request]:
    """One request for each event of a batch. The request itself if it is none, or can't be split."""
    try:
        events = parse_object(request.body).get("events")
    except Unusable:
        return [request]
    if not isinstance(events, list) or not 0 < len(events) <= MAX_EVENTS:
        return [request]
    bodies = [json.dumps(event).encode() for event in events]
    return [Request(request.method, request.url, request.headers, body, request.received_at) for body in bodies]


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    return parse_payload(request, _identify, lambda identity, event: _read(identity, event, request.received_at, mapping))


def _identify(event: Mapping[str, Any]) -> DeliveryIdentity:
    return DeliveryIdentity(None, "review", as_text(object_in(event, "eventData").get("id")))


def _read(identity: DeliveryIdentity, event: Mapping[str, Any], received_at: datetime | None, mapping: FieldMapping) -> Parsed:
    """The record of a review. Raises Unusable if its id or a time can't be read. A batch comes here only if it can't be split."""
    if "events" in event:
        return _unsplit(event["events"])
    name, review = as_text(event.get("eventName")), object_in(event, "eventData")
    if name is None:
        raise Unusable("eventName is missing")
    kind = EVENT.fullmatch(name)
    if kind is None:
        return Parsed(None, ignored=name)
    if identity.id is None:
        raise Unusable("eventData.id is missing")
    if kind[1] == "deleted":
        return Parsed(None, [_deletion(identity.id, review, received_at)])
    if review.get("stars") is None:
        raise Unusable("eventData.stars is missing")
    return _written(identity.id, review, mapping)


def _unsplit(events: Any) -> Parsed:
    if not isinstance(events, list):
        raise Unusable("events is no list")
    if events:
        raise Unusable(f"a request has at most {MAX_EVENTS} events", "too_large")
    return Parsed(None, ignored="empty-batch")


def _deletion(identity: str, review: Mapping[str, Any], received_at: datetime | None) -> dict[str, Any]:
    """The record that a review was deleted. Raises Unusable if neither the event nor its receipt has a time."""
    received = received_at.isoformat() if received_at else None
    at = _time(review, "createdAt") or received
    if at is None:
        raise Unusable("the deletion has no time")
    return {"type": "review", "id": identity, "at": at, "deleted": True}


def _written(identity: str, review: Mapping[str, Any], mapping: FieldMapping) -> Parsed:
    """The record of a new or a changed review."""
    created = _time(review, "createdAt")
    if created is None:
        raise Unusable("eventData.createdAt is missing")
    product = object_in(review, "product")
    name = next((text for key in PRODUCT_IDS if (text := as_text(product.get(key))) and is_name(text)), None)
    fields = {**review, **({"product": name} if name else {})}
    dimensions = dimensions_of(fields, mapping)
    title, text = as_text(review.get("title")), as_text(review.get("text")) or as_text(review.get("content"))
    language, customer = as_text(review.get("language")) or "", _customer(review, own_id(fields, mapping))
    record = {
        "type": "review",
        "id": identity,
        "at": created,
        "channel": dimensions.pop("channel", "trustpilot"),
        "stars": review.get("stars"),
        "dimensions": dimensions,
        **({"title": title} if title else {}),
        **({"text": text} if text else {}),
        **({"language": language} if LANGUAGE.fullmatch(language) else {}),
        **({"product": name} if name and "product" not in dimensions else {}),
        **({"customer": customer} if customer else {}),
    }
    return Parsed(None, [record], use=MappingUse(dimensions=occurring_dimensions(fields, mapping)))


def _time(review: Mapping[str, Any], name: str) -> str | None:
    """A time in RFC 3339. Raises Unusable if it is none."""
    text = as_text(review.get(name))
    try:
        return text if text is None or parse_time(text) else None
    except ValueError:
        raise Unusable(f"eventData.{name} is no RFC 3339 time") from None


def _customer(review: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    """The mapped id, the consumer's id at Trustpilot, and the e-mail address, which events about reviews of products may have."""
    consumer = object_in(review, "consumer")
    email = trimmed_text(consumer.get("email"))
    return customer_fields("trustpilot", tool_id=as_text(consumer.get("id")), own_id=own, email=email)


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FieldMapping,
    title="Trustpilot",
    content=("review",),
    split=_split,
)

"""Standard Webhooks (standardwebhooks.com), with our canonical record as `data`.

The signature is the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`. Its key is the decoded base64 of the secret after
`whsec_`. The header lists signatures as `<version>,<base64>`, separated by spaces; one right `v1` is enough. A retry has the same
`webhook-id`, and a new timestamp and signature. Svix (docs.svix.com) sends the same headers as `svix-id`, `svix-timestamp` and
`svix-signature`.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers.payload import DeliveryIdentity, Unusable, parse_payload
from services.ingest.domain.providers.provider import ANY_RECORD, Headers, Parsed, Provider, Request
from services.ingest.domain.signatures import NotVerified, is_hmac, parse_unix_time, verify_recent

SHORTEST_KEY, LONGEST_KEY = 16, 256
MAX_SIGNATURES = 16


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    headers = request.headers
    prefix = _prefix(headers)
    delivery, timestamp = headers.get(f"{prefix}-id"), headers.get(f"{prefix}-timestamp")
    listed = headers.get(f"{prefix}-signature").split(" ")[:MAX_SIGNATURES]
    signatures = [signature.removeprefix("v1,") for signature in listed if signature.startswith("v1,")]
    if not delivery or not timestamp or not signatures:
        raise NotVerified("webhook-id, webhook-timestamp and webhook-signature, or the same names with svix-, are needed")
    verify_recent(parse_unix_time(timestamp), now)
    signed = f"{delivery}.{timestamp}.".encode("latin-1", "replace") + request.body
    keys = [_key(secret) for secret in secrets]
    if not any(is_hmac(signature, signed, keys) for signature in signatures):
        raise NotVerified("the signature is wrong")


def _prefix(headers: Headers) -> str:
    """The prefix of the headers that count: `webhook`, or `svix` in requests without a `webhook-id`.

    It depends on stored headers alone, so that the id of a delivery is always the one that was verified.
    """
    return "svix" if headers.get("svix-id") and not headers.get("webhook-id") else "webhook"


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    delivery = request.headers.get(f"{_prefix(request.headers)}-id") or None
    return parse_payload(request, lambda payload: DeliveryIdentity(delivery), _read, delivery=delivery)


def _read(identity: DeliveryIdentity, envelope: dict[str, Any]) -> Parsed:
    if "data" not in envelope:
        raise Unusable("the body is not an object with the record in `data`")
    return Parsed(identity.delivery, [envelope["data"]])


def _new_secret(random: bytes) -> str:
    return "whsec_" + b64encode(random).decode()


def _refuse_secret(secret: str) -> str | None:
    try:
        key = _key(secret)
    except ValueError:
        return "not `whsec_` and base64"
    if not secret.startswith("whsec_") or not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        return f"`whsec_` and base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes"
    return None


def _key(secret: str) -> bytes:
    """The key of a secret. The padding of its base64 may be missing."""
    encoded = secret.removeprefix("whsec_").rstrip("=")
    return b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=FieldMapping,
    title="Standard Webhooks",
    content=ANY_RECORD,
    stored_headers=("webhook-id", "webhook-timestamp", "svix-id", "svix-timestamp"),
    new_secret=_new_secret,
    refuse_secret=_refuse_secret,
)

"""Standard Webhooks (standardwebhooks.com), with our canonical record as `data`.

The signature is the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`. Its key is the decoded base64 of the secret after
`whsec_`. The header lists signatures as `<version>,<base64>`, separated by spaces; one right `v1` is enough. A retry has the same
`webhook-id`, and a new timestamp and signature.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers.payload import Unusable, parse_object
from services.ingest.domain.providers.provider import Parsed, Provider, Request
from services.ingest.domain.signatures import NotVerified, is_hmac, parse_unix_time, verify_recent

SHORTEST_KEY, LONGEST_KEY = 16, 256
MAX_SIGNATURES = 16


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    headers = request.headers
    delivery, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp")
    listed = headers.get("webhook-signature").split(" ")[:MAX_SIGNATURES]
    signatures = [signature.removeprefix("v1,") for signature in listed if signature.startswith("v1,")]
    if not delivery or not timestamp or not signatures:
        raise NotVerified("webhook-id, webhook-timestamp and webhook-signature are needed")
    verify_recent(parse_unix_time(timestamp), now)
    signed = f"{delivery}.{timestamp}.".encode("latin-1", "replace") + request.body
    keys = [_key(secret) for secret in secrets]
    if not any(is_hmac(signature, signed, keys) for signature in signatures):
        raise NotVerified("the signature is wrong")


def _parse(request: Request, mapping: FieldMapping) -> Parsed:
    delivery = request.headers.get("webhook-id") or None
    try:
        envelope = parse_object(request.body)
    except Unusable as error:
        return Parsed(delivery, problem=str(error))
    if "data" not in envelope:
        return Parsed(delivery, problem="the body is not an object with the record in `data`")
    return Parsed(delivery, [envelope["data"]])


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
    stored_headers=("webhook-id", "webhook-timestamp"),
    new_secret=_new_secret,
    refuse_secret=_refuse_secret,
)

"""Standard Webhooks (standardwebhooks.com), with our canonical record as `data`.

Signed: `{webhook-id}.{webhook-timestamp}.{body}`, HMAC-SHA256, key the decoded base64 of the secret behind `whsec_`. The header
lists signatures, separated by spaces, as `<version>,<base64>`; any that is `v1` and right will do. `webhook-id` is equal on every
retry, while timestamp and signature are made anew.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from services.ingest.domain.connection import Mapping
from services.ingest.domain.providers.provider import Headers, NotVerified, Parsed, check, check_age
from shared import strict_json

SECONDS = re.compile(r"\d{1,11}", re.ASCII)
SHORTEST_KEY, LONGEST_KEY = 16, 256


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    delivery, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signatures = [s.removeprefix("v1,") for s in headers.get("webhook-signature", "").split(" ")[:16] if s.startswith("v1,")]
    if not delivery or not SECONDS.fullmatch(stamp) or not signatures:
        raise NotVerified("webhook-id, webhook-timestamp and webhook-signature are needed")
    check_age(datetime.fromtimestamp(int(stamp), UTC), now)
    signed = f"{delivery}.{stamp}.".encode("latin-1", "replace") + body
    keys = [_key(secret) for secret in secrets]
    if not any(check(signature, signed, keys) for signature in signatures):
        raise NotVerified("the signature is wrong")


def parse(headers: Headers, body: bytes, mapping: Mapping) -> Parsed:
    delivery = headers.get("webhook-id")
    try:
        envelope = strict_json.parse(body)
    except strict_json.Malformed as error:
        return Parsed(delivery, problem=str(error))
    if not isinstance(envelope, dict) or "data" not in envelope:
        return Parsed(delivery, problem="the body is not an object with the record in `data`")
    return Parsed(delivery, [envelope["data"]])


def new_secret(random: bytes) -> str:
    return "whsec_" + b64encode(random).decode()


def refuse_secret(secret: str) -> str | None:
    try:
        key = _key(secret)
    except ValueError:
        return "not `whsec_` and base64"
    if not secret.startswith("whsec_") or not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        return f"`whsec_` and base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes"
    return None


def _key(secret: str) -> bytes:
    """The key; base64 without its padding is read as well."""
    encoded = secret.removeprefix("whsec_").rstrip("=")
    return b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)

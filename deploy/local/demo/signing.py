"""Sign deliveries as the tools do. Arguments: secret, body, delivery id, time of sending. Returns the headers."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import datetime

Sign = Callable[[str, bytes, str, datetime], dict[str, str]]


def standard(secret: str, body: bytes, delivery: str, at: datetime) -> dict[str, str]:
    """Standard Webhooks: the key is decoded from base64; signs id, Unix seconds and body, joined by dots."""
    seconds = str(int(at.timestamp()))
    signature = mac(b64decode(secret.removeprefix("whsec_")), f"{delivery}.{seconds}.".encode() + body)
    return {"webhook-id": delivery, "webhook-timestamp": seconds, "webhook-signature": f"v1,{signature}"}


def typeform(secret: str, body: bytes, delivery: str, at: datetime) -> dict[str, str]:
    """Typeform: signs the body."""
    return {"typeform-signature": f"sha256={mac(secret.encode(), body)}"}


def zendesk(secret: str, body: bytes, delivery: str, at: datetime) -> dict[str, str]:
    """Zendesk: signs the RFC 3339 time followed by the body."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "x-zendesk-webhook-invocation-id": delivery,
        "x-zendesk-webhook-signature": mac(secret.encode(), stamp.encode() + body),
        "x-zendesk-webhook-signature-timestamp": stamp,
    }


def mac(key: bytes, signed: bytes) -> str:
    """HMAC-SHA256 in base64."""
    return b64encode(hmac.digest(key, signed, "sha256")).decode()


SIGN: Mapping[str, Sign] = {"standard": standard, "typeform": typeform, "zendesk": zendesk}

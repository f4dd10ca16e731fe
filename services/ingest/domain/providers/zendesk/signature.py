"""How Zendesk proves that a delivery is its own."""

from collections.abc import Sequence
from datetime import datetime

from services.ingest.domain.providers import literal
from services.ingest.domain.providers.literal import new_secret
from services.ingest.domain.providers.provider import Headers, NotVerified, check, check_age
from services.ingest.domain.times import parse_time

__all__ = ["PUBLIC_SECRET", "new_secret", "refuse_secret", "verify"]

PUBLIC_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105
"""What Zendesk signs with while a webhook is only being tried out. Everybody knows it, so it proves nothing."""


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    stamp = headers.get("x-zendesk-webhook-signature-timestamp", "")
    signature = headers.get("x-zendesk-webhook-signature", "")
    if not stamp or not signature:
        raise NotVerified("x-zendesk-webhook-signature and its timestamp are needed")
    try:
        check_age(parse_time(stamp), now)
    except ValueError:
        raise NotVerified("the timestamp is not RFC 3339") from None
    keys = [secret.encode() for secret in secrets if secret != PUBLIC_SECRET]
    if not check(signature, stamp.encode("latin-1") + body, keys):
        raise NotVerified("the signature is wrong")


def refuse_secret(secret: str) -> str | None:
    return "Zendesk's public test secret proves nothing" if secret == PUBLIC_SECRET else literal.refuse_secret(secret)

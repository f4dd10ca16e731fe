"""API keys: what they look like, what is kept of them, and what each scope allows."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

Scope = Literal["metrics:read", "records:read", "pii:read", "ingest:write", "admin"]

SCOPES: tuple[Scope, ...] = ("metrics:read", "records:read", "pii:read", "ingest:write", "admin")
PII: Scope = "pii:read"

SECRET_BYTES = 32
SECRET = re.compile(r"esk_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Key:
    """One API key without its secret. `zone` is its tenant's; `prefix` is the part of the secret that may be shown."""

    id: str
    tenant: str
    zone: str
    name: str
    prefix: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may(self, scope: Scope) -> bool:
        return scope in granted(self.scopes)


def granted(scopes: Iterable[str]) -> frozenset[str]:
    """All that `scopes` allow: `admin` stands for every scope but `pii:read`, which must be given by name."""
    held = frozenset(scopes)
    return held | (frozenset(SCOPES) - {PII}) if "admin" in held else held


def secret_of(random: bytes) -> str:
    """The secret made of 32 random bytes, as its holder sends it."""
    return "esk_" + urlsafe_b64encode(random).decode().rstrip("=")


def visible(secret: str) -> str:
    """The part of a secret that tells keys apart in a list and opens nothing."""
    return secret[:10]


def digest(secret: str) -> bytes:
    """What is kept of a secret. It holds 256 random bits, so a plain hash can't be searched and needs no salt."""
    return sha256(secret.encode()).digest()


def bearer(authorization: str) -> str | None:
    """The secret in an `Authorization` header; None when there is none or it can't be one of ours."""
    scheme, _, secret = authorization.partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and SECRET.fullmatch(secret) else None

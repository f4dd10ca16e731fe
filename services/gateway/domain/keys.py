"""API keys: their format, their hash, and their scopes."""

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
    """An API key without its secret. `zone` is its tenant's; `prefix` is the public beginning of the secret."""

    id: str
    tenant: str
    zone: str
    name: str
    prefix: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor expired at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def has(self, scope: Scope) -> bool:
        """Whether the key grants `scope`, by itself or as a part of `admin`."""
        return scope in expand_scopes(self.scopes)


def expand_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """All scopes that `scopes` grant: `admin` includes every scope except `pii:read`, which must be granted by name."""
    granted = frozenset(scopes)
    return granted | (frozenset(SCOPES) - {PII}) if "admin" in granted else granted


def format_secret(random: bytes) -> str:
    """The secret made of 32 random bytes, as its holder sends it."""
    return "esk_" + urlsafe_b64encode(random).decode().rstrip("=")


def public_prefix(secret: str) -> str:
    """The beginning of a secret, which tells keys apart in a list and grants nothing."""
    return secret[:10]


def digest(secret: str) -> bytes:
    """The stored hash of a secret. A secret holds 256 random bits, so a plain hash can't be searched and needs no salt."""
    return sha256(secret.encode()).digest()


def parse_bearer(authorization: str) -> str | None:
    """The secret in an `Authorization` header; None if there is none or it does not have the format of a key."""
    scheme, _, secret = authorization.partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and SECRET.fullmatch(secret) else None

"""Decides whether a request under a used Idempotency-Key repeats the first one or has another content."""

from dataclasses import dataclass
from hashlib import blake2b, sha256

from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery

ERASURE = "erasure"
"""The name in `inbox.headers` under which an erasure stores 32 bits of a hash of its customer: enough to notice another customer,
too little to identify one."""
ERASURE_DIGEST_BYTES = 4

EMPTY_DIGEST = sha256(b"").digest()
OTHER_DIGEST = b""
"""The digest of a stored body that is known to differ, because its length does."""


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """The first request under a key. `digest` is the SHA-256 of its body, None if the body is erased. `fingerprints` are those
    of its statements, by position. `erasure` is the hash that `with_erasure_digest` added."""

    digest: bytes | None
    fingerprints: tuple[bytes, ...]
    erasure: str | None


def with_erasure_digest(delivery: Delivery) -> Delivery:
    """An erasure, whose body is not stored, with a short hash of the customer's pseudonyms in `headers`. Other deliveries are
    returned unchanged."""
    if not delivery.erases:
        return delivery
    digest = blake2b("\n".join(sorted(delivery.erases)).encode(), digest_size=ERASURE_DIGEST_BYTES).hexdigest()
    return replace(delivery, headers={**delivery.headers, ERASURE: digest})


def is_repeat(stored: StoredRequest, delivery: Delivery) -> bool:
    """Whether `delivery` has the content of the stored request: equal bytes, or equal statements.

    True if that is no longer known, because the stored body is erased or is an erasure of an earlier version.
    """
    if stored.digest is None:
        return True
    if delivery.erases:
        return stored.digest == EMPTY_DIGEST and stored.erasure in (None, delivery.headers.get(ERASURE))
    if stored.digest == sha256(delivery.raw).digest():
        return True
    return stored.fingerprints != () and stored.fingerprints == tuple(statement.fingerprint for statement in delivery.statements)

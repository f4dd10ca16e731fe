"""Whether a request under a used Idempotency-Key repeats the first one, or means something else."""

from dataclasses import dataclass, replace
from hashlib import blake2b, sha256

from services.ingest.domain.delivery import Delivery

ERASURE = "erasure"
"""The name in `inbox.headers` under which an erasure keeps 32 bits of a hash of whom it erases: enough to notice that another
customer is meant, too little to find one."""
ERASURE_DIGEST_BYTES = 4

EMPTY_DIGEST = sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """The first request under a key. `digest` is the SHA-256 of its body, None once it is erased; `fingerprints` are those of its
    statements, by position; `erasure` is what `fingerprinted` gave it."""

    digest: bytes | None
    fingerprints: tuple[bytes, ...]
    erasure: str | None


def fingerprinted(delivery: Delivery) -> Delivery:
    """The delivery as it is; an erasure, whose body is not kept, with a short hash of the customer's pseudonyms in `headers`."""
    if not delivery.erases:
        return delivery
    digest = blake2b("\n".join(sorted(delivery.erases)).encode(), digest_size=ERASURE_DIGEST_BYTES).hexdigest()
    return replace(delivery, headers={**delivery.headers, ERASURE: digest})


def is_repeated(stored: StoredRequest, delivery: Delivery) -> bool:
    """Whether `delivery` means what the stored request meant: equal bytes, or equal statements. True where that can't be told any
    more, because the stored one is erased or an erasure of an earlier version."""
    if stored.digest is None:
        return True
    if delivery.erases:
        return stored.digest == EMPTY_DIGEST and stored.erasure in (None, delivery.headers.get(ERASURE))
    if stored.digest == sha256(delivery.raw).digest():
        return True
    return stored.fingerprints != () and stored.fingerprints == tuple(one.fingerprint for one in delivery.statements)

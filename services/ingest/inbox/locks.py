"""Transaction-scoped advisory locks by name. A transaction that takes several takes them sorted."""

from collections.abc import Iterable
from hashlib import blake2b

ARRIVALS = 0x65617273686F74
"""Every transaction that takes sequence numbers holds this lock shared. So a transaction that holds it exclusively sees no gap in
the numbers that may still be filled."""

REPLAYS = 0x7265706C6179
"""Held by the process that works on replays."""

LOCK_SHARED = "SELECT count(pg_advisory_xact_lock_shared(key)::text) FROM unnest($1::bigint[]) AS key"
LOCK = "SELECT count(pg_advisory_xact_lock(key)::text) FROM unnest($1::bigint[]) AS key"


def of_release(connection: str) -> int:
    """The lock of the process that releases the held deliveries of this connection."""
    return _key(f"release:{connection}")


def of_customers(customers: Iterable[tuple[str, str]]) -> list[int]:
    """The locks of (tenant, pseudonym) pairs."""
    return _keys("customer", (f"{tenant}/{pseudonym}" for tenant, pseudonym in customers))


def of_subjects(subjects: Iterable[tuple[str, str]]) -> list[int]:
    """The locks of (tenant, subject) pairs."""
    return _keys("subject", (f"{tenant}/{subject}" for tenant, subject in subjects))


def _keys(kind: str, names: Iterable[str]) -> list[int]:
    """64-bit lock keys, sorted, without duplicates."""
    return sorted({_key(f"{kind}:{name}") for name in names})


def _key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)

"""Transaction-scoped advisory locks by name. Whoever takes several takes them sorted."""

from collections.abc import Iterable
from hashlib import blake2b

ARRIVALS = 0x65617273686F74
"""Held, shared, by every transaction that takes numbers; whoever takes it alone sees no gap that may still be filled."""


def of_release(connection: str) -> int:
    """The lock of the process that releases the held deliveries of this connection."""
    return _key(f"release:{connection}")


def keys(kind: str, names: Iterable[str]) -> list[int]:
    """The 64-bit lock keys of named things, sorted, each once."""
    return sorted({_key(f"{kind}:{name}") for name in names})


def _key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def of_customers(customers: Iterable[tuple[str, str]]) -> list[int]:
    """Of (tenant, pseudonym)."""
    return keys("customer", (f"{tenant}/{pseudonym}" for tenant, pseudonym in customers))


def of_subjects(subjects: Iterable[tuple[str, str]]) -> list[int]:
    """Of (tenant, subject)."""
    return keys("subject", (f"{tenant}/{subject}" for tenant, subject in subjects))

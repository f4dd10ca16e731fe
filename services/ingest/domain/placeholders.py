"""Ids that stand for nobody: tools and shops send them for everybody who has no id, so each may be many people's."""

from collections.abc import Collection
from functools import lru_cache

from services.ingest.domain.pseudonym import namespaced, pseudonym_of_id

WORDS = (
    "anon",
    "anonymous",
    "anonymous user",
    "default",
    "deleted",
    "guest",
    "guest user",
    "n/a",
    "na",
    "nil",
    "no id",
    "nobody",
    "none",
    "not set",
    "null",
    "undefined",
    "unknown",
    "unknown user",
    "visitor",
)
"""In any of the usual cases: `guest`, `Guest`, `GUEST`."""
SYMBOLS = ("0", "-1", "-", "--", "?", "0000", "00000000-0000-0000-0000-000000000000")


@lru_cache(maxsize=1024)
def placeholder_ids(providers: tuple[str, ...]) -> tuple[str, ...]:
    """Every placeholder, bare and as an id of each of these providers."""
    bare = dict.fromkeys([*SYMBOLS, *(form for word in WORDS for form in (word, word.capitalize(), word.title(), word.upper()))])
    return (*bare, *(namespaced(provider, text) for provider in providers for text in bare))


@lru_cache(maxsize=256)
def _pseudonyms(key: bytes, providers: tuple[str, ...]) -> frozenset[str]:
    return frozenset(pseudonym_of_id(key, text) for text in placeholder_ids(providers))


def placeholder_pseudonyms(key: bytes, providers: Collection[str]) -> frozenset[str]:
    """The pseudonyms of all placeholders under the tenant's key."""
    return _pseudonyms(key, tuple(sorted(providers)))

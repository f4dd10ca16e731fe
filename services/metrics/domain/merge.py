"""The state of a subject: its statements, one per statement id, and one score per model and text.

Merging is a union. It is commutative, associative and idempotent, so the order of arrival and repeats change nothing.
"""

from collections.abc import Iterable, Mapping
from itertools import chain

import msgspec

from shared.events import Event, Tombstone, encode


def merge(state: Mapping[str, Event], event: Event) -> dict[str, Event]:
    """Add one statement to a state."""
    return union(state.values(), (event,))


def union(*statements: Iterable[Event]) -> dict[str, Event]:
    """Merge statements into a state, by statement id.

    Of two statements with one id the higher revision of the mapping counts. The state of an erased subject is its latest
    tombstone alone, whatever other statements and tombstones there are.
    """
    state: dict[str, Event] = {}
    tombstones: list[Event] = []
    for event in chain.from_iterable(statements):
        if type(event.body) is Tombstone:
            tombstones.append(event)
        else:
            other = state.get(event.statement)
            state[event.statement] = event if other is None else effective(other, event)
    if tombstones:
        latest = max(tombstones, key=_tombstone_order)
        return {latest.statement: latest}
    return state


def effective(one: Event, other: Event) -> Event:
    """Of two statements with one id, the one that counts: the higher revision; of equal revisions the bytewise smaller."""
    return one if one is other or _precedence(one) <= _precedence(other) else other


class _TaxonomyRevision(msgspec.Struct):
    """The field of a score that decides between two."""

    taxonomy: int = 0


_decode_revision = msgspec.json.Decoder(_TaxonomyRevision).decode


def effective_score(one: bytes, other: bytes) -> bytes:
    """Of two scores of one text by one model, as JSON, the one that counts.

    The higher revision of the taxonomy of its themes; of equal revisions the bytewise smaller.
    """
    return one if one == other else min(one, other, key=_score_precedence)


def _score_precedence(score: bytes) -> tuple[int, bytes]:
    return -_decode_revision(score).taxonomy, score


def _precedence(event: Event) -> tuple[int, bytes]:
    return -event.revision, encode(event)


def _tombstone_order(event: Event) -> tuple[int, int, bytes]:
    """A total order, so that every replica stores the same tombstone.

    Ingest has the latest one for certain: earlier versions deleted the older tombstones of a subject when they erased it again.
    """
    return event.seq, event.position, encode(event)

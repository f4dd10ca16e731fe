"""The state of a subject: its statements, one per statement id, and one score per model and text.

Merging is a union. It is commutative, associative and idempotent, so the order of arrival and repeats change nothing.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shared.events import Event, Tombstone, encode


def merge(state: Mapping[str, Event], event: Event) -> dict[str, Event]:
    """The state with one more statement."""
    return union(state.values(), (event,))


def union(*statements: Iterable[Event]) -> dict[str, Event]:
    """The state that these statements make, by statement id.

    Of two statements with one id the higher revision of the mapping counts. The state of an erased subject is its latest
    tombstone alone, however many tombstones and other statements there are, before it or after it.
    """
    state: dict[str, Event] = {}
    tombstones: list[Event] = []
    for event in (event for several in statements for event in several):
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
    return one if one is other or _claim(one) <= _claim(other) else other


class _Themed(msgspec.Struct):
    """The part of a score that decides between two."""

    taxonomy: int = 0


_themed = msgspec.json.Decoder(_Themed).decode


def standing_score(one: bytes, other: bytes) -> bytes:
    """Which of two scores of one text by one model stands, as JSON: the higher revision of the taxonomy that its themes are of,
    of equal ones the bytewise smaller."""
    return one if one == other else min(one, other, key=_claim_of_score)


def _claim_of_score(score: bytes) -> tuple[int, bytes]:
    return -_themed(score).taxonomy, score


def _claim(event: Event) -> tuple[int, bytes]:
    return -event.revision, encode(event)


def _tombstone_order(event: Event) -> tuple[int, int, bytes]:
    """A total order, so that every replica keeps the same tombstone. The latest is also the one that ingest surely still has:
    earlier versions deleted a subject's older tombstones there when they erased it again."""
    return event.seq, event.position, encode(event)

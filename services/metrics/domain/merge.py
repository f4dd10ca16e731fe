"""The state of a subject: the set of statements made about it, one per statement id, and one score per model and text.

Merging is a union, hence commutative, associative and idempotent: the order of arrival and repeats change nothing.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shared.events import Event, Tombstone, encode


def merge(state: Mapping[str, Event], event: Event) -> dict[str, Event]:
    """The state with one more statement."""
    return union(state.values(), (event,))


def union(*statements: Iterable[Event]) -> dict[str, Event]:
    """The state that these statements make, by statement id.

    Of two with one id the higher revision of the mapping stands. Where the subject was erased only the tombstones are kept:
    what was said of it is gone, and so is whatever still arrives.
    """
    state: dict[str, Event] = {}
    for event in (event for several in statements for event in several):
        other = state.get(event.statement)
        state[event.statement] = event if other is None else standing(other, event)
    tombs = {name: event for name, event in state.items() if type(event.body) is Tombstone}
    return tombs or state


def standing(one: Event, other: Event) -> Event:
    """Which of two statements with one id stands: a tombstone, the higher revision, of equal ones the bytewise smaller."""
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


def _claim(event: Event) -> tuple[bool, int, bytes]:
    return type(event.body) is not Tombstone, -event.revision, encode(event)

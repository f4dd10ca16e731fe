"""Merging is a union: order, grouping and repeats make no difference."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.merge import merge, union
from shared.events import Event, Tombstone
from tests.unit.metrics import strategies
from tests.unit.metrics.build import nps, opened, response, statement, status, ticket

states = strategies.of_any.map(union)


@given(states, states)
def test_union_is_commutative(one: dict[str, Event], other: dict[str, Event]) -> None:
    assert union(one.values(), other.values()) == union(other.values(), one.values())


@given(states, states, states)
def test_union_is_associative(a: dict[str, Event], b: dict[str, Event], c: dict[str, Event]) -> None:
    left = union(union(a.values(), b.values()).values(), c.values())
    assert left == union(a.values(), union(b.values(), c.values()).values())


@given(states)
def test_union_is_idempotent(state: dict[str, Event]) -> None:
    assert union(state.values(), state.values()) == state


@given(strategies.of_any, st.randoms())
def test_merging_one_by_one_in_any_order_with_repeats_is_the_union(events: list[Event], random: object) -> None:
    again = [*events, *events[::2]]
    random.shuffle(again)  # type: ignore[attr-defined]
    state: dict[str, Event] = {}
    for event in again:
        state = merge(state, event)
    assert state == union(events)


def test_of_two_statements_with_one_id_the_higher_revision_counts() -> None:
    old, mended = response(nps(3)), response(nps(9), revision=2)
    assert merge(merge({}, mended), old) == merge(merge({}, old), mended) == {"d1": mended}


def test_of_two_statements_with_one_revision_the_same_one_counts_in_any_order() -> None:
    events = [response(nps(value)) for value in (1, 5, 9)]
    assert all(union(order) == union(events) for order in permutations(events))


def test_a_repeated_statement_leaves_the_stored_object_so_it_is_not_written_again() -> None:
    stored, repeated = response(nps(3)), response(nps(3))
    assert merge({"d1": stored}, repeated)["d1"] is stored


def test_a_tombstone_replaces_everything_in_any_order() -> None:
    tombstone = statement(2, Tombstone())
    before, after = ticket(opened()), ticket(status(5, "solved"), seq=3)
    assert union([before, tombstone, after]) == union([tombstone, after, before]) == {"d2": tombstone}
    assert merge({"d2": tombstone}, ticket(opened(), seq=2, revision=9)) == {"d2": tombstone}


def test_of_several_tombstones_the_latest_alone_remains_in_any_order() -> None:
    """An earlier version stored all of them, but ingest deleted the older ones, so metrics and ingest never became equal."""
    first, second, late = statement(2, Tombstone()), statement(4, Tombstone()), ticket(opened(), seq=3)
    for order in permutations([first, late, second]):
        assert union(order) == {"d4": second}
        assert merge(merge(merge({}, order[0]), order[1]), order[2]) == {"d4": second}
    assert union([first, second]) == union([second]), "a replica with both agrees with one that has the latest alone"

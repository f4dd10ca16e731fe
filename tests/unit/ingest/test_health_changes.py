"""Additions to the health of connections: the names of the tenant's own dimensions in accepted records."""

from services.ingest.domain.health import MOST_OWN_NAMES, HealthChanges


def test_names_of_own_dimensions_are_noted_for_their_connection() -> None:
    changes = HealthChanges()
    changes.add_own_dimensions("con_1", ["plan", "tier"])
    changes.add_own_dimensions("con_1", ["plan"])
    changes.add_own_dimensions("con_2", ["plan"])
    assert changes.own_dimensions == {"con_1": {"plan", "tier"}, "con_2": {"plan"}}
    assert changes


def test_records_without_own_dimensions_change_nothing() -> None:
    changes = HealthChanges()
    changes.add_own_dimensions("con_1", [])
    assert changes.own_dimensions == {}
    assert not changes


def test_names_beyond_the_most_are_left_out() -> None:
    changes = HealthChanges()
    changes.add_own_dimensions("con_1", [f"name-{number}" for number in range(MOST_OWN_NAMES + 1)])
    assert len(changes.own_dimensions["con_1"]) == MOST_OWN_NAMES

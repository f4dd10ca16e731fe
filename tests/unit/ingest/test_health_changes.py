"""Additions to the health of connections: names of the tenant's own dimensions in accepted records, the latest receipt."""

from datetime import timedelta

from services.ingest.domain.health import MOST_OWN_NAMES, HealthChanges
from tests.unit.ingest.making import NOW


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


def test_the_last_delivery_of_a_connection_is_the_latest_receipt() -> None:
    changes = HealthChanges()
    for at in (NOW, NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)):
        changes.add_delivery("con_1", at)
    changes.add_delivery("con_2", NOW)
    assert changes.last_delivery == {"con_1": NOW + timedelta(seconds=1), "con_2": NOW}

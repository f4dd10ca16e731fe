"""A person is what statements connect, whatever their order. A name that many people have connects nothing."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.identity import MOST_NAMINGS, Naming, person_of, shared_names

SHOP, DESK = "con_shop", "con_desk"


def naming(*names: str, connection: str = SHOP, former: bool = False) -> Naming:
    """A statement with these names, of which the first id is the customer's. Addresses contain an @."""
    ids, addresses = [name for name in names if "@" not in name], [name for name in names if "@" in name]
    email = addresses[0] if addresses else None
    return Naming(connection, (ids or addresses)[0], email, frozenset(ids), frozenset(addresses), former)


def test_statements_connect_ids_and_addresses_over_all_connections() -> None:
    namings = {
        naming("c-77", "jo@"),
        naming("zendesk:9", "jo@", connection=DESK),
        naming("c-77", "zendesk:12", connection=DESK),
        naming("c-1", "al@"),
    }
    everything = {"c-77", "jo@", "zendesk:9", "zendesk:12"}
    for name in everything:
        assert person_of(namings, {name}) == everything
    assert person_of(namings, {"c-1"}) == {"c-1", "al@"}
    assert person_of(namings, {"nobody"}) == {"nobody"}


def test_an_address_of_more_than_five_ids_of_one_connection_links_nothing() -> None:
    five = {naming(f"c-{n}", "info@") for n in range(5)}
    assert person_of(five, {"info@"}) == {"info@", *(f"c-{n}" for n in range(5))}
    six = five | {naming("c-5", "info@")}
    assert shared_names(six) == {"info@"}
    assert person_of(six, {"info@"}) == {"info@"}
    assert person_of(six, {"c-0"}) == {"c-0"}


def test_an_id_of_more_than_five_addresses_of_one_connection_links_nothing() -> None:
    five = {naming("guest", f"{n}@") for n in range(5)}
    assert person_of(five, {"0@"}) == {"guest", *(f"{n}@" for n in range(5))}
    six = five | {naming("guest", "5@")}
    assert shared_names(six) == {"guest"}
    assert person_of(six, {"0@"}) == {"0@"}
    assert person_of(six, {"guest"}) == {"guest"}


@pytest.mark.parametrize("placeholder_first", [True, False])
def test_an_id_of_more_than_five_other_ids_links_nothing(placeholder_first: bool) -> None:
    """An own id that a mapping reads from a field with a placeholder: the ids of the tool are its aliases."""
    pairs = [("n/a", f"zendesk:{n}") if placeholder_first else (f"zendesk:{n}", "n/a") for n in range(6)]
    assert shared_names({naming(*pair) for pair in pairs}) == {"n/a"}


def test_two_placeholders_that_always_come_together_are_both_shared() -> None:
    namings = {naming("zendesk:0", "n/a", f"{n}@") for n in range(6)}
    assert shared_names(namings) == {"zendesk:0", "n/a"}
    assert person_of(namings, {"0@"}) == {"0@"}


def test_names_beside_a_placeholder_in_one_statement_stay_connected() -> None:
    namings = {naming("n/a", f"zendesk:{n}", f"{n}@") for n in range(6)}
    assert person_of(namings, {"zendesk:3"}) == {"zendesk:3", "3@"}


def test_a_placeholder_ends_a_chain() -> None:
    """A, x, B, y, C: x is a placeholder, y an address of two ids."""
    namings = {naming("x", "a@"), naming("x", "b@"), naming("b", "b@"), naming("b", "y@"), naming("c", "y@")}
    assert person_of(namings, {"a@"}) == {"a@", "x", "b@", "b", "y@", "c"}
    namings |= {naming("x", f"{n}@") for n in range(4)}
    assert person_of(namings, {"a@"}) == {"a@"}
    assert person_of(namings, {"c"}) == {"c", "y@", "b", "b@"}


def test_the_aliases_that_one_statement_lists_count_once() -> None:
    many = ["c-77", *(f"{n}@" for n in range(9)), *(f"tool:{n}" for n in range(9))]
    assert person_of({naming(*many)}, {"c-77"}) == {*many}


def test_names_are_counted_by_connection_and_by_form() -> None:
    by_connection = {naming(f"{place}-{n}", "info@", connection=place) for place in (SHOP, DESK) for n in range(5)}
    assert shared_names(by_connection) == set()
    by_form = {naming(f"zendesk:{n}", "info@") for n in range(3)} | {naming(str(n), "info@", former=True) for n in range(3)}
    assert shared_names(by_form) == set()


def test_a_name_in_very_many_combinations_is_shared() -> None:
    combinations = {naming("c-1", f"a{n % 5}@", f"t-{n}", f"t-{n + 1}") for n in range(MOST_NAMINGS)}
    assert "c-1" in shared_names(combinations)


def test_a_name_stays_shared_with_fewer_statements() -> None:
    namings = {naming("guest", "a@"), naming("guest", "b@")}
    assert person_of(namings, {"a@"}, {"guest"}) == {"a@"}


NAMES, ADDRESSES = [f"c-{n}" for n in range(8)], [f"a{n}@" for n in range(3)]
NAMINGS = st.sets(
    st.builds(naming, st.sampled_from(NAMES), st.sampled_from(ADDRESSES), connection=st.sampled_from([SHOP, DESK]))
    | st.builds(naming, st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(ADDRESSES)),
    max_size=25,
)


@given(NAMINGS, st.sampled_from([*NAMES, *ADDRESSES]))
def test_every_member_of_a_person_that_is_not_shared_leads_to_the_same_person(namings: set[Naming], name: str) -> None:
    person = person_of(namings, {name})
    assert all(person_of(namings, {member}) == person for member in person - shared_names(namings))


def test_the_order_of_the_statements_does_not_matter() -> None:
    namings = [naming("c-1", "a@"), naming("c-2", "a@"), naming("c-2", "b@"), naming("c-3", "b@", connection=DESK)]
    assert {frozenset(person_of(set(order), {"c-1"})) for order in permutations(namings)} == {
        frozenset({"c-1", "c-2", "c-3", "a@", "b@"})
    }

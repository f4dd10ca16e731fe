"""A person is what links connect, whatever the order of the links. A shared mailbox connects nothing."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.identity import Link, person_of, shared_addresses

SHOP, DESK = "con_shop", "con_desk"


def mail(identity: str, address: str, connection: str = SHOP, *, former: bool = False) -> Link:
    return Link(connection, identity, address, of_address=True, former=former)


def test_links_connect_ids_and_addresses_over_all_connections() -> None:
    links = {
        mail("c-77", "jo@"),
        mail("zendesk:9", "jo@", DESK),
        Link(DESK, "c-77", "zendesk:12", of_address=False),
        mail("c-1", "al@"),
    }
    everything = {"c-77", "jo@", "zendesk:9", "zendesk:12"}
    for name in everything:
        assert person_of(links, {name}) == everything
    assert person_of(links, {"c-1"}) == {"c-1", "al@"}
    assert person_of(links, {"nobody"}) == {"nobody"}


def test_an_address_of_more_than_five_ids_of_one_connection_links_nothing() -> None:
    five = {mail(f"c-{n}", "info@") for n in range(5)}
    assert person_of(five, {"info@"}) == {"info@", *(f"c-{n}" for n in range(5))}
    six = five | {mail("c-5", "info@")}
    assert shared_addresses(six) == {"info@"}
    assert person_of(six, {"info@"}) == {"info@"}
    assert person_of(six, {"c-0"}) == {"c-0"}


def test_ids_are_counted_by_connection_and_by_form() -> None:
    by_connection = {mail(f"{place}-{n}", "info@", place) for place in (SHOP, DESK) for n in range(5)}
    assert shared_addresses(by_connection) == set()
    by_form = {mail(f"zendesk:{n}", "info@") for n in range(3)} | {mail(str(n), "info@", former=True) for n in range(3)}
    assert shared_addresses(by_form) == set()


def test_many_addresses_of_one_id_are_no_shared_mailbox() -> None:
    links = {mail("c-77", f"{n}@") for n in range(9)}
    assert len(person_of(links, {"0@"})) == 10


NAMES, ADDRESSES = [f"c-{n}" for n in range(8)], [f"a{n}@" for n in range(3)]
LINKS = st.sets(
    st.builds(mail, st.sampled_from(NAMES), st.sampled_from(ADDRESSES), st.sampled_from([SHOP, DESK]))
    | st.builds(lambda a, b: Link(SHOP, a, b, of_address=False), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    max_size=25,
)


@given(LINKS, st.sampled_from([*NAMES, *ADDRESSES]))
def test_every_member_of_a_person_leads_to_the_same_person(links: set[Link], name: str) -> None:
    person = person_of(links, {name})
    assert all(person_of(links, {member}) == person for member in person)


def test_the_order_of_the_links_does_not_matter() -> None:
    links = [mail("c-1", "a@"), mail("c-2", "a@"), mail("c-2", "b@"), mail("c-3", "b@", DESK)]
    assert {frozenset(person_of(set(order), {"c-1"})) for order in permutations(links)} == {
        frozenset({"c-1", "c-2", "c-3", "a@", "b@"})
    }

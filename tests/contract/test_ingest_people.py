"""A person's subjects on a real PostgreSQL: what links reach, in the forms of this version and of earlier ones."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery
from services.ingest.domain.fields import Customer
from services.ingest.domain.left_out import LeftOut
from services.ingest.domain.placeholders import placeholder_pseudonyms
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.pseudonym import former_ids, pseudonym_of_email, pseudonym_of_id, pseudonyms_to_erase
from services.ingest.inbox import people
from services.ingest.inbox.customers import Customers
from services.ingest.inbox.people import Person, Target
from shared.events import Tombstone
from tests.contract.inbox import Inbox, erasure_delivery, nps_delivery
from tests.unit.ingest.making import connection

KEY = connection().key
DESK, SHOP = "con_desk", "con_shop"


def delivery(subject: str, customer: dict[str, Any], tool: str = SHOP) -> Delivery:
    return nps_delivery(9, id=subject, subject=subject, customer=customer, tool=connection(id=tool))


async def find(inbox: Inbox, **customer: str) -> tuple[Person, dict[str, int]]:
    """The person, and the number of subjects by connection."""
    query = Customer.model_validate(customer)
    names, placeholders = frozenset(pseudonyms_to_erase(KEY, query)), placeholder_pseudonyms(KEY, PROVIDERS)
    target = Target("acme", names, former_ids(KEY, query), placeholders)
    person, holdings = await Customers(inbox.pool).find(target)
    return person, {one.connection: one.subjects for one in holdings}


async def erase(inbox: Inbox, **customer: str) -> list[str]:
    """Erase the person; the subjects that have a tombstone then."""
    await inbox.deliver(erasure_delivery(customer, linked=True))
    return sorted(event.subject.rpartition("/")[2] for event in await inbox.events() if isinstance(event.body, Tombstone))


async def make_former(inbox: Inbox, subject: str, bare: str) -> None:
    """Store the statement as a version did whose ids of tools had no namespace."""
    await inbox.pool.execute(
        "UPDATE events SET customer = $1, aliases = NULL WHERE subject LIKE '%/' || $2", pseudonym_of_id(KEY, bare), subject
    )


async def add_connections(inbox: Inbox) -> None:
    await inbox.pool.execute(
        "INSERT INTO tenants (id, name, zone, sealed_key) VALUES ('acme', '', '', '') ON CONFLICT DO NOTHING"
    )
    await inbox.pool.executemany(
        "INSERT INTO connections (id, tenant, provider, name, sealed_secrets) VALUES ($1, 'acme', $2, '', '')"
        " ON CONFLICT DO NOTHING",
        [(DESK, "zendesk"), (SHOP, "standard")],
    )


async def test_links_lead_over_connections_to_everything_and_back(inbox: Inbox) -> None:
    await add_connections(inbox)
    await inbox.deliver(
        delivery("r-1", {"id": "c-77", "email": "jo@example.org"}),
        delivery("r-2", {"email": "Jo@Example.org"}),
        delivery("t-1", {"id": "zendesk:351", "email": "jo@example.org"}, DESK),
        delivery("t-2", {"id": "c-77", "aliases": [{"id": "zendesk:352"}, {"email": "work@example.org"}]}, DESK),
        delivery("t-3", {"id": "zendesk:352"}, DESK),
        delivery("r-3", {"email": "work@example.org"}),
        delivery("r-4", {"id": "c-78", "email": "al@example.org"}),
    )
    for query in (
        {"id": "c-77"},
        {"email": "jo@example.org"},
        {"id": "zendesk:351"},
        {"id": "zendesk:352"},
        {"email": "work@example.org"},
    ):
        person, held = await find(inbox, **query)
        assert (held, person.left_out) == ({SHOP: 3, DESK: 3}, ()), query
    assert await erase(inbox, id="zendesk:352") == ["r-1", "r-2", "r-3", "t-1", "t-2", "t-3"]
    assert (await find(inbox, id="c-77"))[1] == {}
    assert (await find(inbox, id="c-78"))[1] == {SHOP: 1}


async def test_a_shared_mailbox_leads_nowhere(inbox: Inbox) -> None:
    await add_connections(inbox)
    await inbox.deliver(*[delivery(f"r-{n}", {"id": f"c-{n}", "email": "info@example.org"}) for n in range(6)])
    await inbox.deliver(
        delivery("r-6", {"email": "info@example.org"}), delivery("t-1", {"id": "zendesk:9", "email": "info@example.org"}, DESK)
    )
    person, held = await find(inbox, id="c-0")
    mailbox = pseudonym_of_email(KEY, "info@example.org")
    assert (held, person.left_out) == ({SHOP: 1}, (LeftOut("shared", mailbox, "email"),))
    assert (await find(inbox, email="info@example.org"))[1] == {SHOP: 1}
    assert await erase(inbox, email="info@example.org") == ["r-6"]
    assert await erase(inbox, id="c-0") == ["r-0", "r-6"]


@pytest.mark.parametrize("linked", [True, False])
async def test_a_mailbox_stays_shared_when_some_of_its_customers_are_erased(inbox: Inbox, linked: bool) -> None:
    await add_connections(inbox)
    await inbox.deliver(*[delivery(f"r-{n}", {"id": f"c-{n}", "email": "info@example.org"}) for n in range(6)])
    await inbox.deliver(erasure_delivery({"id": "c-0"}, linked=linked))
    assert await erase(inbox, id="c-1") == ["r-0", "r-1"]
    person, held = await find(inbox, id="c-2")
    assert (held, person.left_out) == ({SHOP: 1}, (LeftOut("shared", pseudonym_of_email(KEY, "info@example.org"), "email"),))


async def test_a_person_with_very_many_names_is_searched_in_part(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_NAMES", 4)
    await add_connections(inbox)
    await inbox.deliver(*[delivery(f"r-{n}", {"id": "c-1", "email": f"{n}@example.org"}, f"con_{n}") for n in range(6)])
    person, _ = await find(inbox, id="c-1")
    assert (len(person.names), person.left_out) == (4, (LeftOut("too_many_links"),))
    assert len(await erase(inbox, id="c-1")) == 6


@pytest.mark.parametrize("linked", [True, False])
async def test_an_id_of_many_people_joins_no_strangers(inbox: Inbox, linked: bool) -> None:
    """A shop that gives all guests the number of a till."""
    await add_connections(inbox)
    await inbox.deliver(*[delivery(f"r-{n}", {"id": "till-4", "email": f"{n}@example.org"}) for n in range(6)])
    await inbox.deliver(delivery("r-6", {"id": "till-4"}), delivery("t-1", {"id": "zendesk:9", "email": "0@example.org"}, DESK))
    person, held = await find(inbox, email="0@example.org")
    assert (held, person.left_out) == ({SHOP: 1, DESK: 1}, (LeftOut("shared", pseudonym_of_id(KEY, "till-4"), "id"),))
    await inbox.deliver(erasure_delivery({"email": "0@example.org"}, linked=linked))
    assert await erase(inbox, id="till-4", email="1@example.org") == ["r-0", "r-1", "t-1"]
    assert await erase(inbox, id="till-4") == ["r-0", "r-1", "r-6", "t-1"], "of the id alone only what names nobody else"
    assert (await find(inbox, email="2@example.org"))[1] == {SHOP: 1}, "it stays shared, with four addresses"


@pytest.mark.parametrize("linked", [True, False])
async def test_a_placeholder_joins_nobody_from_the_first_customer_on(inbox: Inbox, linked: bool) -> None:
    await add_connections(inbox)
    await inbox.deliver(*[delivery(f"r-{n}", {"id": "guest", "email": f"{n}@example.org"}) for n in range(2)])
    await inbox.deliver(delivery("t-1", {"id": "N/A", "aliases": [{"id": "zendesk:9"}]}, DESK))
    await inbox.deliver(delivery("t-2", {"id": "N/A", "aliases": [{"id": "zendesk:8"}]}, DESK))
    person, held = await find(inbox, email="0@example.org")
    assert (held, person.left_out) == ({SHOP: 1}, (LeftOut("placeholder", pseudonym_of_id(KEY, "guest"), "id"),))
    for customer in ({"email": "0@example.org"}, {"id": "zendesk:9"}):
        await inbox.deliver(erasure_delivery(customer, linked=linked))
    assert sorted(event.subject[-3:] for event in await inbox.events() if isinstance(event.body, Tombstone)) == ["r-0", "t-1"]
    names = {name for row in await inbox.pool.fetch("SELECT names FROM erasures") for name in row[0]}
    assert pseudonym_of_id(KEY, "guest") not in names, "else every body with the word would be deleted"


async def test_an_export_withholds_a_body_that_states_another_guest(inbox: Inbox) -> None:
    await add_connections(inbox)
    first = delivery("r-1", {"id": "guest", "email": "jo@example.org"})
    [statement] = delivery("r-2", {"id": "guest", "email": "al@example.org"}).statements
    both = replace(first, statements=(*first.statements, replace(statement, event=replace(statement.event, position=1))))
    await inbox.deliver(both)
    for email, subject in (("jo@example.org", "r-1"), ("al@example.org", "r-2")):
        target = Target("acme", frozenset({pseudonym_of_email(KEY, email)}), (), placeholder_pseudonyms(KEY, PROVIDERS))
        [exported], _, person = await Customers(inbox.pool).export(target, "", 10)
        assert exported.subject.endswith(subject)
        assert [(one.raw, one.names_others) for one in exported.deliveries] == [(None, True)]
        assert [one.reason for one in person.left_out] == ["placeholder"]


async def test_an_id_of_a_tool_leads_to_statements_of_earlier_versions_and_to_nobody_elses(inbox: Inbox) -> None:
    await add_connections(inbox)
    await inbox.deliver(delivery("old", {"id": "zendesk:351"}, DESK), delivery("new", {"id": "zendesk:351"}, DESK))
    await make_former(inbox, "old", "351")
    await inbox.deliver(delivery("own", {"id": "351"}), delivery("mapped", {"id": "351"}, DESK))
    assert (await find(inbox, id="zendesk:351"))[1] == {DESK: 2}
    assert await erase(inbox, id="zendesk:351") == ["new", "old"]


async def test_a_former_bare_id_leads_to_both_forms_also_without_links(inbox: Inbox) -> None:
    await add_connections(inbox)
    await inbox.deliver(delivery("old", {"id": "zendesk:351"}, DESK), delivery("new", {"id": "zendesk:351"}, DESK))
    await make_former(inbox, "old", "351")
    assert (await find(inbox, id="351"))[1] == {DESK: 2}
    await inbox.deliver(erasure_delivery({"id": "351"}))
    assert (await find(inbox, id="zendesk:351"))[1] == {}


async def test_an_own_id_does_not_lead_to_a_tools_id_of_the_same_digits(inbox: Inbox) -> None:
    await add_connections(inbox)
    await inbox.deliver(delivery("own", {"id": "351"}), delivery("tools", {"id": "zendesk:351"}, DESK))
    assert (await find(inbox, id="351"))[1] == {SHOP: 1}
    assert await erase(inbox, id="351") == ["own"]


async def test_a_body_that_states_several_customers_is_withheld_and_blanked_and_the_others_lose_no_event(inbox: Inbox) -> None:
    await add_connections(inbox)
    first = delivery("r-1", {"id": "c-1"})
    [statement] = delivery("r-2", {"id": "c-2"}).statements
    both = replace(first, statements=(*first.statements, replace(statement, event=replace(statement.event, position=1))))
    await inbox.deliver(both)
    [exported], is_last, _ = await Customers(inbox.pool).export(Target("acme", frozenset({pseudonym_of_id(KEY, "c-1")})), "", 10)
    assert is_last
    assert [(one.raw, one.names_others) for one in exported.deliveries] == [(None, True)]
    assert await erase(inbox, id="c-1") == ["r-1"]
    assert (await find(inbox, id="c-2"))[1] == {SHOP: 1}
    assert await inbox.pool.fetchval("SELECT raw FROM inbox WHERE delivery = 'r-1'") is None


async def test_an_export_has_every_statement_and_body_in_pages(inbox: Inbox) -> None:
    await add_connections(inbox)
    await inbox.deliver(*[delivery(f"r-{n}", {"id": "c-1", "email": "jo@example.org"}) for n in range(5)])
    await inbox.deliver(delivery("r-9", {"id": "c-2"}))
    target = Target("acme", frozenset({pseudonym_of_email(KEY, "jo@example.org")}))
    names, after, is_last = [], "", False
    while not is_last:
        page, is_last, _ = await Customers(inbox.pool).export(target, after, 2)
        names += [(one.subject[-3:], one.statements[0]["body"]["type"], one.deliveries[0].raw) for one in page]
        after = page[-1].subject
    assert names == [(f"r-{n}", "response", b"raw") for n in range(5)]

"""Recognises older feedback of customers who were erased. The time at which it was given decides: newer feedback counts."""

from datetime import datetime
from hashlib import sha256

from services.ingest.domain.delivery import Statement
from shared import events


def digest_of_name(tenant: str, pseudonym: str) -> bytes:
    """The key of a pseudonym in the table `erased_names`."""
    return sha256(f"{tenant}/{pseudonym}".encode()).digest()


def names_of(statement: Statement) -> list[tuple[str, bool, datetime]]:
    """(pseudonym, whether it is that of an address beside an id, time of the feedback) for each name of the customer.

    An address beside an id, or among the aliases, matches only erasures that cover the address itself: customers with other ids
    may share it.
    """
    event, at = statement.event, time_of(statement.event)
    addresses = {alias.pseudonym for alias in event.aliases if alias.kind == "email"} | {statement.email}
    return [(name, name in addresses and name != event.customer, at) for name in sorted(statement.pseudonyms)]


def time_of(event: events.Event) -> datetime:
    """When the feedback of an event was given: of a ticket the earliest of its facts."""
    match event.body:
        case events.Response() | events.Review():
            return event.body.at
        case events.Ticket():
            return min((fact.at for fact in event.body.facts), default=event.at)
        case _:
            return event.at

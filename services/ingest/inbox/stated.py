"""A statement's way to its sequence number, which the database gives it while it stores it."""

from dataclasses import dataclass
from uuid import uuid4

from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery, Statement
from shared.events import Event, encode

NUMBER = b'"seq":0'
"""Where the number goes. Before it stand only texts, in which a quotation mark is escaped, and the revision."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement as it is stored and published: `encoded` is both."""

    event: Event
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement that lacks its number alone: `head`, number, `tail` are its JSON."""

    statement: Statement
    event: Event
    head: bytes
    tail: bytes

    def numbered(self, seq: int) -> Stated:
        return Stated(replace(self.event, seq=seq), b"%b%d%b" % (self.head, seq, self.tail))


def drafts(delivery: Delivery) -> list[Draft]:
    """The delivery's statements, each under the id of the delivery and its position in it, so that a retry is the same statement.
    Where the tool has no id, every accepted delivery is a statement of its own."""
    name = f"{delivery.id}#" if delivery.id is not None else f"{uuid4().hex}~"
    return [_draft(statement, f"{name}{statement.event.position}") for statement in delivery.statements]


def _draft(statement: Statement, name: str) -> Draft:
    event = replace(statement.event, statement=name)
    head, _, tail = encode(event).partition(NUMBER)
    return Draft(statement, event, head + NUMBER[:-1], tail)

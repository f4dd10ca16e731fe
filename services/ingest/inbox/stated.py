"""A statement with its sequence number: ready to be stored and to be published, as the same bytes."""

from dataclasses import dataclass

from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery, Statement
from shared.events import Event, encode


@dataclass(frozen=True, slots=True)
class Stated:
    statement: Statement
    event: Event
    encoded: bytes


def stated(delivery: Delivery, seq: int) -> list[Stated]:
    """The delivery's statements under the sequence number that the inbox gave it."""
    return [_stated(statement, name_of(delivery, seq, statement.event.position), seq) for statement in delivery.statements]


def name_of(delivery: Delivery, seq: int, position: int) -> str:
    """A statement's id: the tool's id of the delivery and the position in it, so that a retry is the same statement. Where the
    tool has no id, every accepted delivery is a statement of its own."""
    return f"{delivery.id}#{position}" if delivery.id is not None else f"{seq}~{position}"


def _stated(statement: Statement, name: str, seq: int) -> Stated:
    event = replace(statement.event, seq=seq, statement=name)
    return Stated(statement, event, encode(event))

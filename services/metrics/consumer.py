"""From the topics into the store: decode a batch, apply it, announce what it touched. One handler for events and scores.

What can't be understood is Poison, before any effect. An outage of the database or of the broker is a Retry: everything here may
be done twice.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from services.metrics.announcer import Announcer
from services.metrics.domain.changes import kind_of
from services.metrics.domain.measures import Kind
from services.metrics.store.progress import Change, Partition, Reached, note_idle
from services.metrics.store.writer import Batch, Incomprehensible, Writer
from shared.database import OUTAGE, RETRYABLE
from shared.events import Event, Override, ScoreEvent, decode_event, decode_score
from shared.kafka import Poison, Record, Retry
from shared.topics import EVENTS, SCORES

DATABASE_REST = 1.0
"""Seconds to rest when the database is away."""

LONGEST_NAME = 1000
"""Characters that a name may have: an index takes no longer ones."""

LARGEST = 2**31 - 1
LARGEST_SEQ = 2**63 - 1


class Unusable(ValueError):
    """A record that is well formed and can't be kept all the same."""


@dataclass(slots=True)
class Intake:
    """The handler of `feedback.events` and `feedback.scores`."""

    writer: Writer
    announcer: Announcer

    async def __call__(self, records: Sequence[Record]) -> None:
        decoded = decode(records)
        try:
            await self.writer.apply(decoded.batch)
        except Incomprehensible as fault:
            raise Poison(dict.fromkeys(decoded.about(fault.tenant, fault.subject), fault.reason)) from fault
        except RETRYABLE as error:
            raise Retry(0.1, f"the database: {type(error).__name__}") from error
        except OUTAGE as error:
            raise Retry(DATABASE_REST, f"the database is away: {type(error).__name__}") from error
        await self.announcer.announce(decoded.batch)


def idle(pool: asyncpg.Pool) -> Callable[[Mapping[Partition, int]], Awaitable[None]]:
    """What to do with partitions that have been read to their end: their watermark moves on with the clock."""

    async def note(positions: Mapping[Partition, int]) -> None:
        try:
            await note_idle(pool, positions, datetime.now(UTC))
        except (*OUTAGE, *RETRYABLE) as error:
            raise Retry(DATABASE_REST, f"the database is away: {type(error).__name__}") from error

    return note


@dataclass(slots=True)
class Decoded:
    """A batch, and which record each part of it came from."""

    batch: Batch
    sources: list[tuple[Record, Event | ScoreEvent]] = field(default_factory=list)

    def about(self, tenant: str, subject: str) -> list[Record]:
        """The records that speak of one subject."""
        return [record for record, said in self.sources if (said.tenant, said.subject) == (tenant, subject)]


def decode(records: Sequence[Record]) -> Decoded:
    """Everything in `records`, or Poison naming all that can't be understood."""
    sources: list[tuple[Record, Event | ScoreEvent]] = []
    poison: dict[Record, str] = {}
    for record in records:
        read, check = READERS[record.topic]
        try:
            said = read(record.value)
            check(said)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            poison[record] = f"not a {record.topic} record: {type(error).__name__}"
        except Unusable as error:
            poison[record] = str(error)
        else:
            sources.append((record, said))
    if poison:
        raise Poison(poison)
    events = [said for _, said in sources if isinstance(said, Event)]
    scores = [said for _, said in sources if isinstance(said, ScoreEvent)]
    return Decoded(Batch(events, scores, reached(sources), changes(sources)), sources)


def reached(sources: Sequence[tuple[Record, Event | ScoreEvent]]) -> dict[Partition, Reached]:
    """How far each partition comes with these records."""
    places: dict[Partition, Reached] = {}
    for record, said in sources:
        place = (record.topic, record.partition)
        before = places.get(place)
        latest = max(said.received_at, before.received_at) if before else said.received_at
        places[place] = Reached(record.offset + 1, latest)
    return places


def changes(sources: Iterable[tuple[Record, Event | ScoreEvent]]) -> set[Change]:
    """Whose answers these records may change."""
    return {Change(said.tenant, record.topic, record.partition, kind(said)) for record, said in sources}


def kind(said: Event | ScoreEvent) -> Kind:
    """The kind of change that an event or a score makes."""
    return kind_of(said.subject) if isinstance(said, Event) else "score"


def check_event(event: Event) -> None:
    """Refuse what the tables can't hold."""
    check_names(event.tenant, event.subject, event.statement, event.connection, event.source, event.customer)
    check_names(*event.dimensions, *event.dimensions.values())
    if isinstance(event.body, Override):
        check_names(*event.body.themes)
    check_instants(event.at, event.received_at)
    if not (-1 < event.position <= LARGEST and -1 < event.revision <= LARGEST and -1 < event.seq <= LARGEST_SEQ):
        raise Unusable("a number is out of range")


def check_score(event: ScoreEvent) -> None:
    """Refuse what the tables can't hold."""
    check_names(event.tenant, event.subject, event.model, event.score.text_hash, *(theme.theme for theme in event.score.themes))
    check_instants(event.received_at)
    if event.score.score is not None and not -1 <= event.score.score <= 1:
        raise Unusable("a score is out of range")


def check_names(*names: str | None) -> None:
    for name in names:
        if name is not None and (len(name) > LONGEST_NAME or "\0" in name):
            raise Unusable("a name is too long or holds a NUL")


def check_instants(*instants: datetime) -> None:
    if any(instant.tzinfo is None for instant in instants):
        raise Unusable("a time has no offset")


READERS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], None]]] = {
    EVENTS.name: (decode_event, check_event),
    SCORES.name: (decode_score, check_score),
}

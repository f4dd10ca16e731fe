"""Consume events and scores: decode a batch, apply it, announce the KPIs that it may have changed.

Records that can't be decoded raise Poison before any effect. An outage of the database or of the broker raises Retry, and so does
an OutdatedVersion: applying a batch twice has the same effect as once.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from services.metrics import instruments
from services.metrics.announcer import Announcer
from services.metrics.domain.changes import kind_of
from services.metrics.domain.measure import Kind
from services.metrics.store.derivation import InvalidSubject
from services.metrics.store.progress import Change, Partition, Reached, note_idle, restart, stored_positions
from services.metrics.store.writer import DecodedBatch, Writer
from services.metrics.store.writer_versions import OutdatedVersion
from shared.database import OUTAGE, RETRYABLE
from shared.events import Event, Override, ScoreEvent, decode_event, decode_score
from shared.kafka import IncomingRecord, Poison, Retry, received_at
from shared.topics import EVENTS, SCORES

DATABASE_REST = 1.0
"""Seconds to wait while the database is unavailable."""

OUTDATED_REST = 5.0
"""Seconds to wait while a newer version of the contributions is written. Meanwhile the process leaves its group."""

LIVE = timedelta(hours=1)
"""An event that was received later than this after the time that it is about belongs to an import or a back-fill."""

LONGEST_NAME = 1000
"""Characters of a name: longer ones don't fit into an index."""

LARGEST = 2**31 - 1
LARGEST_SEQ = 2**63 - 1


class Unusable(ValueError):
    """A record that is well formed but can't be stored."""


@dataclass(slots=True)
class Intake:
    """The handler of `feedback.events` and `feedback.scores`."""

    writer: Writer
    announcer: Announcer

    async def __call__(self, records: Sequence[IncomingRecord]) -> None:
        decoded = decode(records)
        try:
            new = await self.writer.apply(decoded.batch)
        except InvalidSubject as fault:
            raise Poison(dict.fromkeys(decoded.about(fault.tenant, fault.subject), fault.reason)) from fault
        except OutdatedVersion as error:
            raise Retry(OUTDATED_REST, str(error)) from error
        except RETRYABLE as error:
            raise Retry(0.1, f"the database: {type(error).__name__}") from error
        except OUTAGE as error:
            raise Retry(DATABASE_REST, f"the database is unavailable: {type(error).__name__}") from error
        for seconds in live_ages(new, datetime.now(UTC)):
            instruments.EVENT_SECONDS.observe(seconds)
        await self.announcer.announce(decoded.batch)


def live_ages(events: Iterable[Event], now: datetime) -> list[float]:
    """The seconds since the receipt of each live event."""
    return [(now - event.received_at).total_seconds() for event in events if event.received_at - event.at <= LIVE]


@contextmanager
def unavailable_is_retry() -> Iterator[None]:
    """Raise Retry for an outage of the database, or for a statement that may be tried again."""
    try:
        yield
    except (*OUTAGE, *RETRYABLE) as error:
        raise Retry(DATABASE_REST, f"the database is unavailable: {type(error).__name__}") from error


def idle_callback(pool: asyncpg.Pool) -> Callable[[Mapping[Partition, int]], Awaitable[None]]:
    """A callback for partitions that are read to their end: it moves their watermark on with the clock."""

    async def note(positions: Mapping[Partition, int]) -> None:
        with unavailable_is_retry():
            await note_idle(pool, positions, datetime.now(UTC))

    return note


@dataclass(frozen=True, slots=True)
class Positions:
    """The positions in the database, by which the consumer notices that Kafka lost its topics (`shared.kafka.Consumer`)."""

    pool: asyncpg.Pool

    async def load(self) -> dict[Partition, tuple[int, datetime | None]]:
        """See `shared.kafka.state.StoredPositions`."""
        with unavailable_is_retry():
            return await stored_positions(self.pool)

    async def restart(self, offsets: Mapping[Partition, int]) -> None:
        """See `shared.kafka.state.StoredPositions`."""
        with unavailable_is_retry():
            await restart(self.pool, offsets)


@dataclass(slots=True)
class Decoded:
    """A batch, and the record of each of its events and scores."""

    batch: DecodedBatch
    sources: list[tuple[IncomingRecord, Event | ScoreEvent]] = field(default_factory=list)

    def about(self, tenant: str, subject: str) -> list[IncomingRecord]:
        """The records of one subject."""
        return [record for record, item in self.sources if (item.tenant, item.subject) == (tenant, subject)]


def decode(records: Sequence[IncomingRecord]) -> Decoded:
    """Decode `records`. Raises Poison with every record that can't be decoded or stored."""
    sources: list[tuple[IncomingRecord, Event | ScoreEvent]] = []
    poison: dict[IncomingRecord, str] = {}
    for record in records:
        read, check = READERS[record.topic]
        try:
            item = read(record.value)
            check(item, names=may_hold_bad_names(record.value))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            poison[record] = f"not a {record.topic} record: {type(error).__name__}"
        except Unusable as error:
            poison[record] = str(error)
        else:
            sources.append((record, item))
    if poison:
        raise Poison(poison)
    events = [item for _, item in sources if isinstance(item, Event)]
    scores = [item for _, item in sources if isinstance(item, ScoreEvent)]
    return Decoded(DecodedBatch(events, scores, positions_after(sources), changes(sources)), sources)


def positions_after(sources: Iterable[tuple[IncomingRecord, Event | ScoreEvent]]) -> dict[Partition, Reached]:
    """The position of each partition after these records, which are in the order of their offsets."""
    places: dict[Partition, list[tuple[IncomingRecord, Event | ScoreEvent]]] = {}
    for record, item in sources:
        places.setdefault((record.topic, record.partition), []).append((record, item))
    return {place: position_after(of_place) for place, of_place in places.items()}


def position_after(sources: Sequence[tuple[IncomingRecord, Event | ScoreEvent]]) -> Reached:
    """The position of one partition after these records of it."""
    last, _ = sources[-1]
    received = max(item.received_at for _, item in sources)
    since = [at for record, _ in sources if record.headers and (at := received_at(record.headers))]
    seqs = [item.seq for _, item in sources if isinstance(item, Event)]
    return Reached(last.offset + 1, received, min(since, default=None), max(seqs, default=None))


def changes(sources: Iterable[tuple[IncomingRecord, Event | ScoreEvent]]) -> set[Change]:
    """The tenants and kinds of results that these records may change."""
    return {Change(item.tenant, record.topic, record.partition, kind(item)) for record, item in sources}


def kind(item: Event | ScoreEvent) -> Kind:
    """The kind of change that an event or a score makes."""
    return kind_of(item.subject) if isinstance(item, Event) else "score"


def may_hold_bad_names(value: bytes) -> bool:
    """Whether a record is long enough for a name that is too long, or holds a NUL, which JSON escapes."""
    return len(value) > LONGEST_NAME or b"\\u0000" in value


def check_event(event: Event, *, names: bool = True) -> None:
    """Raise Unusable for values that the tables can't hold. `names`: look at the names too."""
    if names:
        check_names(event.tenant, event.subject, event.statement, event.connection, event.source, event.customer)
        check_names(*event.dimensions, *event.dimensions.values())
        if isinstance(event.body, Override):
            check_names(*event.body.themes)
    check_instants(event.at, event.received_at)
    if not (-1 < event.position <= LARGEST and -1 < event.revision <= LARGEST and -1 < event.seq <= LARGEST_SEQ):
        raise Unusable("a number is out of range")


def check_score(event: ScoreEvent, *, names: bool = True) -> None:
    """Raise Unusable for values that the tables can't hold. `names`: look at the names too."""
    if names:
        score = event.score
        check_names(event.tenant, event.subject, event.model, score.text_hash, *(theme.theme for theme in score.themes))
    check_instants(event.received_at)
    if event.score.score is not None and not -1 <= event.score.score <= 1:
        raise Unusable("a score is out of range")


def check_names(*names: str | None) -> None:
    """Raise Unusable for a name that is too long or holds NUL."""
    for name in names:
        if name is not None and (len(name) > LONGEST_NAME or "\0" in name):
            raise Unusable("a name is too long or holds a NUL")


def check_instants(*instants: datetime) -> None:
    """Raise Unusable for a time without an offset."""
    if any(instant.tzinfo is None for instant in instants):
        raise Unusable("a time has no offset")


READERS: dict[str, tuple[Callable[[bytes], Any], Callable[..., None]]] = {
    EVENTS.name: (decode_event, check_event),
    SCORES.name: (decode_score, check_score),
}

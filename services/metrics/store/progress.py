"""How far each partition has come: the watermark and the revision of everything that is served."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import asyncpg

from services.metrics.store.promotions import Asker

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a partition stands after a batch: the offset to read next and the latest receipt time applied."""

    next_offset: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Freshness:
    """`watermark`: everything received before it is in what is served (None: not known yet). `revision` changes with the data."""

    revision: str
    watermark: datetime | None


async def advance(connection: asyncpg.Connection, reached: Mapping[Partition, Reached]) -> None:
    """Note a batch, in its transaction. `batches` makes the revision new even where a topic was made anew and begins at 0."""
    partitions = sorted(reached)
    await connection.execute(
        "INSERT INTO progress (topic, partition, next_offset, received_at, batches)"
        " SELECT *, 1 FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[])"
        " ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset,"
        " received_at = greatest(progress.received_at, excluded.received_at), batches = progress.batches + 1",
        [topic for topic, _ in partitions],
        [partition for _, partition in partitions],
        [reached[partition].next_offset for partition in partitions],
        [reached[partition].received_at for partition in partitions],
    )


async def note_idle(pool: asyncpg.Pool, positions: Mapping[Partition, int], now: datetime) -> None:
    """Partitions read to their end have nothing older than `now` to bring."""
    partitions = sorted(positions)
    await pool.execute(
        "INSERT INTO progress (topic, partition, next_offset, received_at, batches)"
        " SELECT *, $4, 0 FROM unnest($1::text[], $2::int[], $3::bigint[])"
        " ON CONFLICT (topic, partition) DO UPDATE SET received_at = greatest(progress.received_at, excluded.received_at)",
        [topic for topic, _ in partitions],
        [partition for _, partition in partitions],
        [positions[partition] for partition in partitions],
        now,
    )


async def freshness(connection: asyncpg.Connection, asked_by: Asker, expected: int) -> Freshness:
    """What this snapshot stands for, to who asks. Before `expected` partitions have been heard of there is no watermark."""
    rows = await connection.fetch("SELECT topic, partition, next_offset, batches, received_at FROM progress ORDER BY 1, 2")
    applied = "\n".join(f"{row['topic']}/{row['partition']}:{row['next_offset']}:{row['batches']}" for row in rows)
    watermark = min(row["received_at"] for row in rows) if rows and len(rows) >= expected else None
    return Freshness(blake2b(f"{asked_by.model}\n{asked_by.zone}\n{applied}".encode(), digest_size=12).hexdigest(), watermark)

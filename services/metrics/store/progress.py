"""The progress of consuming: the revision of a tenant's results, and the watermark of all tenants.

The revision is per tenant and per kind of change (see `services.metrics.domain.changes`), so that one tenant's events leave
the answers of others valid. Each batch gives `tenant_revisions` a new random value in every row that it concerns, in its
transaction. Rows are per partition too: two consumers, which have different partitions, never wait for one another's row. A
random value can't be set back by a late batch, and doesn't repeat after the database is created again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import asyncpg

from services.metrics.domain.changes import kinds_of
from services.metrics.domain.kpis import Kpi
from services.metrics.store.promotions import CurrentTenant, read_applied

Partition = tuple[str, int]

REBUILD: Partition = ("rebuild", 0)
"""The partition under which a rebuild notes what it changed."""


class Change(NamedTuple):
    """A batch from this partition holds events of this kind, or scores, of this tenant."""

    tenant: str
    topic: str
    partition: int
    kind: str


@dataclass(frozen=True, slots=True)
class Reached:
    """The position of a partition after a batch: the offset to read next, and the latest receipt time that was applied.

    `replay_from`: whatever is published after the batch was received since then; None: unknown. `highest_seq`: the highest
    sequence number of the events; None: there was none.
    """

    next_offset: int
    received_at: datetime
    replay_from: datetime | None = None
    highest_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Freshness:
    """`revision` changes whenever the tenant's results may have changed. `watermark`: every event received before it, of any
    tenant, is counted; None until every partition has been read. It may move on while the revision stays."""

    revision: str
    watermark: datetime | None
    terms_revision: int = 1


async def advance(
    connection: asyncpg.Connection,
    reached: Mapping[Partition, Reached],
    changes: Collection[Change],
    tenants: Mapping[str, int],
) -> None:
    """Record a batch, in its transaction. `tenants` has the number of each tenant in `changes`.

    Rows are locked in sorted order, partitions before tenants, so that two batches can't wait for each other in a circle.
    """
    partitions = sorted(reached)
    await connection.execute(
        "INSERT INTO progress (topic, partition, next_offset, received_at, replay_from, highest_seq, batches, noted)"
        " SELECT *, 1, 1 FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])"
        " ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset,"
        " received_at = greatest(progress.received_at, excluded.received_at),"
        " replay_from = coalesce(excluded.replay_from, progress.replay_from),"
        " highest_seq = greatest(excluded.highest_seq, progress.highest_seq),"
        " batches = progress.batches + 1, noted = progress.noted + 1",
        [topic for topic, _ in partitions],
        [partition for _, partition in partitions],
        [reached[partition].next_offset for partition in partitions],
        [reached[partition].received_at for partition in partitions],
        [reached[partition].replay_from for partition in partitions],
        [reached[partition].highest_seq for partition in partitions],
    )
    await renew(connection, {(tenants[change.tenant], change.topic, change.partition, change.kind) for change in changes})


async def note_rebuilt(connection: asyncpg.Connection, tenants: Collection[int]) -> None:
    """Record, in the transaction of a rebuild, that it changed contributions of these tenants."""
    await renew(connection, {(tenant, *REBUILD, "other") for tenant in tenants})


async def renew(connection: asyncpg.Connection, rows: Collection[tuple[int, str, int, str]]) -> None:
    """Give these rows of `tenant_revisions` (tenant, topic, partition, kind) new values."""
    if rows:
        await connection.execute(
            "INSERT INTO tenant_revisions (tenant, topic, partition, kind)"
            " SELECT * FROM unnest($1::int[], $2::text[], $3::int[], $4::text[])"
            " ON CONFLICT (tenant, topic, partition, kind) DO UPDATE SET revision = excluded.revision",
            *(list(column) for column in zip(*sorted(rows), strict=True)),
        )


async def note_idle(pool: asyncpg.Pool, positions: Mapping[Partition, int], now: datetime) -> None:
    """Move the watermark of partitions that are read to their end: they hold nothing older than `now`."""
    await pool.execute(
        "INSERT INTO progress (topic, partition, next_offset, received_at, batches)"
        " SELECT *, $4, 0 FROM unnest($1::text[], $2::int[], $3::bigint[])"
        " ON CONFLICT (topic, partition) DO UPDATE SET received_at = greatest(progress.received_at, excluded.received_at)",
        *offset_columns(positions),
        now,
    )


async def stored_positions(pool: asyncpg.Pool) -> dict[Partition, tuple[int, datetime | None]]:
    """The offset to read next of each partition that was ever read, and the receipt time from which a replay repeats the rest."""
    rows = await pool.fetch("SELECT topic, partition, next_offset, replay_from FROM progress")
    return {(row["topic"], row["partition"]): (row["next_offset"], row["replay_from"]) for row in rows}


async def highest_seq(pool: asyncpg.Pool) -> int | None:
    """The highest sequence number of the events that were counted. None if it is unknown."""
    seq: int | None = await pool.fetchval("SELECT max(highest_seq) FROM progress")
    return seq


async def restart(pool: asyncpg.Pool, offsets: Mapping[Partition, int]) -> None:
    """Set the offsets to read next of partitions whose log was lost. Their receipt times stay until something is read."""
    await pool.execute(
        "UPDATE progress SET next_offset = start.next_offset"
        " FROM unnest($1::text[], $2::int[], $3::bigint[]) AS start (topic, partition, next_offset)"
        " WHERE (progress.topic, progress.partition) = (start.topic, start.partition)",
        *offset_columns(offsets),
    )


def offset_columns(offsets: Mapping[Partition, int]) -> tuple[list[str], list[int], list[int]]:
    """Topics, partitions and offsets as three parallel lists, in the order of topics and partitions."""
    partitions = sorted(offsets)
    return [topic for topic, _ in partitions], [number for _, number in partitions], [offsets[place] for place in partitions]


async def freshness(connection: asyncpg.Connection, current: CurrentTenant, kpi: Kpi | None, expected: int) -> Freshness:
    """The freshness of a result of `kpi` (None: of any KPI) for the tenant, in this snapshot.

    There is no watermark before `expected` partitions have been read. The database is asked only if `current` was read for
    changes of other kinds.
    """
    kinds = kinds_of(kpi)
    applied = current.applied
    if applied is None or applied.kinds != tuple(kinds):
        applied = await read_applied(connection, current.number, kinds)
    of_tenant = [current.model, current.zone, current.terms_revision, current.names_revision]
    made_of = [*of_tenant, kpi and f"{kpi.id} {kpi.version}", applied.unnoted, applied.revisions]
    revision = blake2b("\n".join(map(str, made_of)).encode(), digest_size=12).hexdigest()
    return Freshness(revision, applied.received_at if applied.partitions >= expected else None, current.terms_revision)

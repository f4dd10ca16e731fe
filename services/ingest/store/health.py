"""The health of connections in the database: counts by hour, the latest delivery, unmapped questions, mapped keys that occur,
names of own dimensions.

Counts are added to, unlike anything that KPIs read: they only inform. Replicas add to the same rows, in the order of their keys,
so that they do not deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from services.ingest.domain.health import HOURS, MOST_OWN_NAMES, MOST_UNMAPPED, Health, HealthChanges, SeenQuestion
from services.ingest.domain.mapping_use import UnmappedQuestion

ADD_COUNTS = """
INSERT INTO delivery_counts (connection, hour, outcome, count)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::bigint[])
ON CONFLICT (connection, hour, outcome) DO UPDATE SET count = delivery_counts.count + excluded.count
"""
ADD_ACTIVITY = """
INSERT INTO connection_activity AS former (connection, last_delivery, read_revision)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int[])
ON CONFLICT (connection) DO UPDATE SET last_delivery = greatest(former.last_delivery, excluded.last_delivery),
    read_revision = greatest(former.read_revision, excluded.read_revision)
"""
ADD_UNMAPPED = """
INSERT INTO unmapped_questions AS former (connection, question, ref, title, seen, last_seen)
SELECT new.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
    AS new (connection, question, ref, title, seen, last_seen)
WHERE EXISTS (SELECT FROM unmapped_questions AS own WHERE own.connection = new.connection AND own.question = new.question)
    OR (SELECT count(*) FROM unmapped_questions AS own WHERE own.connection = new.connection) < $7
ON CONFLICT (connection, question) DO UPDATE SET seen = former.seen + excluded.seen,
    last_seen = greatest(former.last_seen, excluded.last_seen), title = coalesce(excluded.title, former.title)
"""
ADD_KEYS = """
INSERT INTO mapped_keys (connection, section, key) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT DO NOTHING
"""
ADD_OWN_DIMENSIONS = """
INSERT INTO mapped_keys (connection, section, key)
SELECT new.* FROM unnest($1::text[], $2::text[], $3::text[]) AS new (connection, section, key)
WHERE (SELECT count(*) FROM mapped_keys AS own WHERE (own.connection, own.section) = (new.connection, new.section)) < $4
ON CONFLICT DO NOTHING
"""
COUNTS = """
SELECT connection, outcome, sum(count)::bigint FROM delivery_counts WHERE connection = ANY($1::text[]) AND hour > $2
GROUP BY connection, outcome
"""
ACTIVITY = "SELECT connection, last_delivery, read_revision FROM connection_activity WHERE connection = ANY($1::text[])"
UNMAPPED = """
SELECT connection, question, ref, title, seen, last_seen FROM unmapped_questions WHERE connection = ANY($1::text[])
ORDER BY seen DESC, question
"""
KEYS = "SELECT connection, section, key FROM mapped_keys WHERE connection = ANY($1::text[])"
PRUNE = "DELETE FROM delivery_counts WHERE hour < $1"

PRUNED_AFTER = timedelta(days=2)


class HealthStore:
    """The tables `delivery_counts`, `connection_activity`, `unmapped_questions` and `mapped_keys`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, changes: HealthChanges, now: datetime) -> None:
        """Add the changes in one transaction. They are counted in the hour of `now`."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        counts = [(connection, hour, outcome, count) for (connection, outcome), count in sorted(changes.counts.items())]
        active = sorted({*changes.last_delivery, *changes.read_revision})
        activity = [(name, changes.last_delivery.get(name), changes.read_revision.get(name)) for name in active]
        unmapped = [
            (connection, name, question.question.ref, question.question.title, question.seen, question.last_seen)
            for connection, questions in sorted(changes.unmapped.items())
            for name, question in sorted(questions.items())
        ]
        async with self._pool.acquire(timeout=5) as db, db.transaction():
            await db.execute(ADD_COUNTS, *columns(counts, 4))
            await db.execute(ADD_ACTIVITY, *columns(activity, 3))
            await db.execute(ADD_UNMAPPED, *columns(unmapped, 6), MOST_UNMAPPED)
            await db.execute(ADD_KEYS, *columns(sorted(changes.keys), 3))
            await db.execute(ADD_OWN_DIMENSIONS, *columns(sorted(changes.own_keys), 3), MOST_OWN_NAMES)

    async def prune(self, now: datetime) -> None:
        """Delete counts of hours that no answer includes any more."""
        await self._pool.execute(PRUNE, now - PRUNED_AFTER)

    async def load(self, connections: Sequence[str], now: datetime) -> Mapping[str, Health]:
        """The health of each of the connections."""
        health = {name: Health() for name in connections}
        async with self._pool.acquire(timeout=5) as db:
            for name, outcome, count in await db.fetch(COUNTS, connections, now - timedelta(hours=HOURS)):
                health[name].counts[outcome] = count
            for name, last_delivery, read_revision in await db.fetch(ACTIVITY, connections):
                health[name].last_delivery, health[name].read_revision = last_delivery, read_revision
            for name, question, ref, title, seen, last_seen in await db.fetch(UNMAPPED, connections):
                health[name].unmapped.append(SeenQuestion(UnmappedQuestion(question, ref, title), seen, last_seen))
            for name, section, key in await db.fetch(KEYS, connections):
                keys: set[str] = getattr(health[name], section)
                keys.add(key)
        return health


def columns(rows: Sequence[tuple[Any, ...]], count: int) -> Iterable[list[Any]]:
    """The `count` columns of these rows."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]

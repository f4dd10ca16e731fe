"""The table `value_names`: the latest name that deliveries stated for each value, and which ones must be sent to metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.ingest.store.health import columns

MOST_NAMES = 10_000
"""Names of a tenant. Further ones are left out."""

LEASE_SECONDS = 30
"""Names that were claimed and not sent are claimed again after this time."""
MOST_CLAIMED = 500

ADD = """
WITH new AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
        AS new (tenant, dimension, value, name, stated_at)
), sizes AS (
    SELECT tenant, count(*) AS size FROM value_names WHERE tenant = ANY($1::text[]) GROUP BY tenant
)
INSERT INTO value_names AS former (tenant, dimension, value, name, stated_at, due)
SELECT new.tenant, new.dimension, new.value, new.name, new.stated_at, now() FROM new LEFT JOIN sizes USING (tenant)
WHERE coalesce(size, 0) < $6
    OR EXISTS (SELECT FROM value_names own WHERE (own.tenant, own.dimension, own.value) = (new.tenant, new.dimension, new.value))
ON CONFLICT (tenant, dimension, value) DO UPDATE SET name = excluded.name, stated_at = excluded.stated_at, due = now()
    WHERE excluded.stated_at > former.stated_at AND excluded.name <> former.name
"""
CLAIM = """
UPDATE value_names SET due = now() + make_interval(secs => $1)
WHERE (tenant, dimension, value) IN (
    SELECT tenant, dimension, value FROM value_names WHERE due <= now() ORDER BY due LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING tenant, dimension, value, name, stated_at
"""
SENT = """
UPDATE value_names SET due = NULL FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
    AS sent (tenant, dimension, value, stated_at)
WHERE (value_names.tenant, value_names.dimension, value_names.value) = (sent.tenant, sent.dimension, sent.value)
    AND value_names.stated_at = sent.stated_at
"""


@dataclass(frozen=True, slots=True)
class WaitingName:
    """A name that must be sent to metrics. `stated_at` is the receipt of the delivery that stated it."""

    tenant: str
    dimension: str
    value: str
    name: str
    stated_at: datetime


class ValueNames:
    """The table `value_names`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, names: Sequence[tuple[str, str, str, str, datetime]]) -> None:
        """Store names: tenant, dimension, value, name and time, in the order of their keys. The latest one of a value counts."""
        await self._pool.execute(ADD, *columns(names, 5), MOST_NAMES)

    async def claim(self) -> list[WaitingName]:
        """Names that must be sent, at most MOST_CLAIMED. No other process claims them for LEASE_SECONDS."""
        return [WaitingName(*row) for row in await self._pool.fetch(CLAIM, LEASE_SECONDS, MOST_CLAIMED)]

    async def mark_sent(self, names: Sequence[WaitingName]) -> None:
        """Note that metrics has these names. One that was replaced meanwhile still waits."""
        rows = [(name.tenant, name.dimension, name.value, name.stated_at) for name in names]
        await self._pool.execute(SENT, *columns(rows, 4))

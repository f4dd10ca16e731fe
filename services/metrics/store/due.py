"""The work of the sealer: which tenants it looks at next, and which of their spans lack a valid seal.

`sealing` has one row for each tenant. A round of the sealer reads the tenants whose `due` has passed, by an index, so that an
idle round costs the same for ten tenants and for ten thousand. `due` moves

- when the sealer has looked: to the next hour or day that ends in the tenant's zone, or to when an open span has rested;
- when a writer invalidates: to now (`services.metrics.store.seals.invalidate`).

A claim takes the request out of the row before the sealer looks, and the sealer then waits for everybody who was writing. So a
writer either sees the claim and requests another look, or its changes are visible to the look that follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.calendar import edges
from services.metrics.domain.cuboids import CUBOIDS_VERSION
from services.metrics.store.seals import Level
from services.metrics.store.unsealed import BUSY, Claim, Unsealed

LEASE = timedelta(seconds=30)
"""How long a claimed tenant is left alone if the sealer doesn't finish with it."""

ADD_MISSING = """
    INSERT INTO sealing (tenant, revision) SELECT id, 0 FROM tenants t
    WHERE NOT EXISTS (SELECT FROM sealing s WHERE s.tenant = t.id) ON CONFLICT DO NOTHING
"""

DUE_TENANTS = """
    SELECT s.tenant, t.zone FROM sealing s JOIN tenants t ON t.id = s.tenant
    WHERE s.due <= clock_timestamp() - $1::interval ORDER BY s.due, s.tenant LIMIT $2
"""

CLAIM = """
    WITH claimed AS (
        SELECT s.tenant, c.zone, c.until
        FROM unnest($1::int[], $2::text[], $3::timestamptz[]) AS c (tenant, zone, until)
        JOIN sealing s ON s.tenant = c.tenant JOIN tenants t ON t.id = c.tenant AND t.zone = c.zone
        WHERE s.due <= clock_timestamp() - $4::interval
        ORDER BY s.tenant FOR UPDATE OF s SKIP LOCKED
    )
    UPDATE sealing s SET
        due = clock_timestamp() + $5::interval,
        claimed_since = CASE
            WHEN s.full_look_at <= c.until OR s.revision <> $6 THEN '-infinity' ELSE least(s.claimed_since, s.since)
        END,
        since = 'infinity',
        until = greatest(s.until, c.until),
        full_look_at = CASE WHEN s.full_look_at <= c.until THEN 'infinity' ELSE s.full_look_at END
    FROM claimed c WHERE s.tenant = c.tenant
    RETURNING s.tenant, c.zone, c.until, nullif(s.claimed_since, '-infinity') AS since
"""

FINISH = """
    UPDATE sealing SET
        claimed_since = 'infinity',
        since = least(since, coalesce($2, '-infinity'::timestamptz)),
        due = least(
            CASE WHEN since = 'infinity' THEN since ELSE due END, $3::timestamptz, clock_timestamp() + $4::interval
        ),
        full_look_at = least(full_look_at, $5::timestamptz),
        idle = $6,
        revision = coalesce($7, revision)
    WHERE tenant = $1
"""

RENEW = "UPDATE sealing SET due = '-infinity', since = '-infinity' WHERE revision <> $1"
"""`revision` changes once all spans are sealed: a server of an earlier version may take the request, but seals less."""

REQUEST_FULL_LOOK = """
    UPDATE sealing SET due = '-infinity', since = '-infinity' WHERE $1::int IS NULL OR tenant = $1
"""

MEASURES = """
    SELECT m.id, first.at AS first, last.at AS last
    FROM measures m
    CROSS JOIN LATERAL (
        SELECT min(at) AS at FROM contributions c WHERE c.tenant = $1 AND c.measure = m.id AND c.at >= $2
    ) first
    CROSS JOIN LATERAL (
        SELECT max(at) AS at FROM contributions c WHERE c.tenant = $1 AND c.measure = m.id AND c.at >= $2
    ) last
    WHERE m.tenant IN ($1, -$1) AND NOT m.retired AND first.at IS NOT NULL
"""

TIDY = """
    WITH deleted AS (
        DELETE FROM seals s WHERE tenant = $1 AND (
            zone <> $4 OR NOT EXISTS (SELECT FROM measures m WHERE m.id = s.measure)
            OR (level = $2 AND starts < $3 AND NOT EXISTS (
                SELECT FROM seals d LEFT JOIN histograms h ON h.seal_id = d.id AND h.cuboid = 0
                WHERE d.tenant = s.tenant AND d.measure = s.measure AND d.level = $5 AND d.zone = s.zone
                  AND d.starts <= s.starts AND d.starts > s.starts - interval '2 days' AND d.ends > s.starts
                  AND (d.state <> 'sealed' OR (SELECT sum(n) FROM unnest(h.counts) AS n) >= $6)
            ))
        ) RETURNING id
    )
    DELETE FROM histograms WHERE seal_id IN (SELECT id FROM deleted)
"""


@dataclass(frozen=True, slots=True)
class MeasureExtent:
    """The first and the last contribution of a measure, of those since the horizon."""

    first: datetime
    last: datetime


@dataclass(slots=True)
class Next:
    """When the sealer should look at a tenant again, and from where on. None: never, unless something changes.

    `since` None: at everything again. `after` counts from now; `resting_since` is the server's time of a change.
    """

    since: datetime | None
    after: timedelta | None = None
    resting_since: datetime | None = None
    full_look_at: datetime | None = None
    idle: bool = False
    complete: bool = True
    """Whether all spans that were looked at are sealed."""

    def rest(self, unsealed: Unsealed) -> None:
        """Look again once the spans that changed a moment ago have rested."""
        if unsealed.resting_since and unsealed.resting_starts:
            self.resting_since = min(filter(None, (self.resting_since, unsealed.resting_since)))
            self.since = self.since and min(self.since, unsealed.resting_starts)

    def again(self, claim: Claim, rest: timedelta) -> Self:
        """Look at the same spans again at once."""
        self.since, self.after, self.full_look_at, self.complete = claim.since, -rest, None, False
        return self


async def add_missing(connection: asyncpg.Connection | asyncpg.Pool) -> None:
    """Make the rows of tenants that have none: new ones, and those that an earlier version of this service stored."""
    await connection.execute(ADD_MISSING)


async def prepare(connection: asyncpg.Connection | asyncpg.Pool) -> None:
    """Make every tenant due, with all spans of tenants whose seals lack cuboids of this version."""
    await add_missing(connection)
    await connection.execute(RENEW, CUBOIDS_VERSION)


async def request_full_look(connection: asyncpg.Connection | asyncpg.Pool, tenant: int | None = None) -> None:
    """Make a tenant, or every tenant, due at once, with all spans."""
    await connection.execute(REQUEST_FULL_LOOK, tenant)


async def due_tenants(connection: asyncpg.Connection, rest: timedelta, limit: int) -> list[tuple[int, str]]:
    """Up to `limit` tenants that have something to seal, with their zones, the longest due first.

    `rest`: how long a span must be unchanged.
    """
    return [(row["tenant"], row["zone"]) for row in await connection.fetch(DUE_TENANTS, rest, limit)]


async def claim(
    connection: asyncpg.Connection, tenants: Sequence[tuple[int, str]], now: datetime, rest: timedelta
) -> list[Claim]:
    """Those of `tenants` that are still due and in the zone that they were in, claimed for LEASE. The caller holds their locks.

    After this, and before looking at the spans, wait for all who are writing: they may not have seen the claim.
    """
    untils = [edges("PT1H", ZoneInfo(zone), now - rest, now - rest)[0] for _, zone in tenants]
    rows = await connection.fetch(
        CLAIM, [tenant for tenant, _ in tenants], [zone for _, zone in tenants], untils, rest, LEASE, CUBOIDS_VERSION
    )
    return [Claim(row["tenant"], ZoneInfo(row["zone"]), row["until"], row["since"]) for row in rows]


async def finish(connection: asyncpg.Connection, claim: Claim, following: Next) -> None:
    """Give a claim back. What writers have requested meanwhile stays requested."""
    await connection.execute(
        FINISH,
        claim.tenant,
        following.since,
        following.resting_since,
        following.after,
        following.full_look_at,
        following.idle,
        CUBOIDS_VERSION if claim.since is None and following.complete else None,
    )


async def measures_since(connection: asyncpg.Connection, tenant: int, horizon: datetime) -> dict[int, MeasureExtent]:
    """The measures of `tenant` that have contributions since `horizon`, of a generation that is being built too."""
    rows = await connection.fetch(MEASURES, tenant, horizon)
    return {row["id"]: MeasureExtent(row["first"], row["last"]) for row in rows}


async def tidy(connection: asyncpg.Connection, claim: Claim, oldest_hour: datetime) -> None:
    """Delete seals that no query reads: old hours except those of busy days, and spans of a zone or a measure that the tenant no
    longer has."""
    await connection.execute(TIDY, claim.tenant, Level.HOUR, oldest_hour, claim.zone.key, Level.DAY, BUSY)

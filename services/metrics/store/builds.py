"""Builds: bringing a tenant's contributions to new terms, or to a new version of their definition. One row of `builds` for each.

- Measures of the served generation have the tenant's number as `tenant`, those of the other generation its negative. So every
  query, and an earlier version of this service, reads the served one without knowing of builds.
- After the exchange the old measures are `retired`, and the builder deletes their contributions, seals and histograms in pieces.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg

from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.store.terms import LOCK_FOR_CHANGE, start_build

LEASE = timedelta(seconds=60)
"""How long a build belongs to the builder that claimed it, unless that one renews the lease."""

CLAIM_BUILD = """
    UPDATE builds SET leased_until = clock_timestamp() + $2::interval WHERE tenant = (
        SELECT tenant FROM builds WHERE leased_until <= clock_timestamp() AND version <= $1
        ORDER BY leased_until, tenant LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING tenant, revision, version, place, walked_at IS NOT NULL AS walked, retiring
"""

ADVANCE = """
    UPDATE builds SET place = $4, done = done + $5, leased_until = clock_timestamp() + $6::interval,
        walked_at = CASE WHEN $7 THEN clock_timestamp() END
    WHERE tenant = $1 AND revision = $2 AND version = $3 AND place = $8 AND retiring = $9 AND walked_at IS NULL RETURNING tenant
"""

SEALS_READY = """
    SELECT NOT EXISTS (
        SELECT FROM sealing s WHERE s.tenant = b.tenant AND (s.claimed_since < 'infinity' OR s.since < s.until)
    ) OR b.total <= $2 OR b.walked_at <= clock_timestamp() - $3::interval
    FROM builds b WHERE b.tenant = $1
"""

RETIRE = "UPDATE measures SET retired = true, tenant = -tenant, name = '~' || id || '~' || name WHERE tenant = $1"
PROMOTE = "UPDATE measures SET tenant = $1 WHERE tenant = -$1::int AND NOT retired"
FINISH = """
    UPDATE tenants SET terms_revision = $2, building_revision = NULL, contributions_version = $3, generation = generation + 1
    WHERE id = $1
"""
RETIRE_BUILD = "UPDATE builds SET retiring = true, place = '', walked_at = NULL, leased_until = '-infinity' WHERE tenant = $1"

OUTDATED = """
    SELECT id, terms_revision FROM tenants t
    WHERE contributions_version < $1 AND building_revision IS NULL AND NOT EXISTS (SELECT FROM builds b WHERE b.tenant = t.id)
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Build:
    """A build as it was claimed. `place` is the name of the last subject that is done; `retiring`: only the old rows are left."""

    tenant: int
    revision: int
    version: int
    place: str
    walked: bool
    retiring: bool


async def start_upgrade(connection: asyncpg.Connection) -> int | None:
    """Start the build of one tenant whose contributions an earlier version made. Returns its number, None if there is none."""
    async with connection.transaction():
        row = await connection.fetchrow(OUTDATED, CONTRIBUTIONS_VERSION)
        if row is None:
            return None
        total = await connection.fetchval("SELECT count(*) FROM subjects WHERE tenant = $1", row["id"])
        await start_build(connection, row["id"], row["terms_revision"], total)
        return int(row["id"])


async def claim_build(connection: asyncpg.Connection) -> Build | None:
    """Lease a build that no other builder holds. A build of an earlier version starts again from its first subject."""
    async with connection.transaction():
        row = await connection.fetchrow(CLAIM_BUILD, CONTRIBUTIONS_VERSION, LEASE)
        if row is None:
            return None
        if row["version"] < CONTRIBUTIONS_VERSION and not row["retiring"]:
            await connection.execute(
                "UPDATE builds SET version = $2, place = '', done = 0, walked_at = NULL WHERE tenant = $1",
                row["tenant"],
                CONTRIBUTIONS_VERSION,
            )
            return Build(row["tenant"], row["revision"], CONTRIBUTIONS_VERSION, "", walked=False, retiring=False)
        return Build(**row)


async def advance(connection: asyncpg.Connection, build: Build, place: str, done: int, *, walked: bool = False) -> Build | None:
    """Record that the next `done` subjects, up to `place`, are done, and renew the lease; `walked`: they were the last.

    Returns the new state of the build; None if it was replaced, or another builder has advanced it.
    """
    values = (build.tenant, build.revision, build.version, place, done, LEASE, walked, build.place, build.retiring)
    if await connection.fetchval(ADVANCE, *values) is None:
        return None
    return replace(build, place=place, walked=walked)


async def release(connection: asyncpg.Connection, build: Build, after: timedelta = timedelta()) -> None:
    """Let any builder claim the build, after some time."""
    await connection.execute(
        "UPDATE builds SET leased_until = clock_timestamp() + $4::interval WHERE (tenant, revision, version) = ($1, $2, $3)",
        build.tenant,
        build.revision,
        build.version,
        after,
    )


async def seals_ready(connection: asyncpg.Connection, build: Build, small: int, patience: timedelta) -> bool:
    """Whether to serve the new generation: its spans are sealed, it has at most `small` subjects, or `patience` is over."""
    return bool(await connection.fetchval(SEALS_READY, build.tenant, small, patience))


async def exchange(connection: asyncpg.Connection, build: Build) -> bool:
    """Serve the new generation from now on, in the caller's transaction. Returns False if the build was replaced."""
    row = await connection.fetchrow(LOCK_FOR_CHANGE, build.tenant)
    current = await connection.fetchrow(
        "SELECT revision, version, walked_at, retiring FROM builds WHERE tenant = $1", build.tenant
    )
    if current is None or current["retiring"] or current["walked_at"] is None:
        return False
    if (row["building_revision"], current["revision"], current["version"]) != (build.revision, build.revision, build.version):
        return False
    await connection.execute(RETIRE, build.tenant)
    await connection.execute(PROMOTE, build.tenant)
    await connection.execute(FINISH, build.tenant, build.revision, build.version)
    await connection.execute(RETIRE_BUILD, build.tenant)
    return True


async def served_measures(connection: asyncpg.Connection, tenants: Collection[int]) -> list[int]:
    """The measures of the served generation of these tenants."""
    rows = await connection.fetch("SELECT id FROM measures WHERE tenant = ANY($1::int[])", list(tenants))
    return [row["id"] for row in rows]


async def retired_measures(connection: asyncpg.Connection, tenant: int) -> list[int]:
    """The measures whose contributions are to be deleted."""
    rows = await connection.fetch("SELECT id FROM measures WHERE tenant = -$1::int AND retired", tenant)
    return [row["id"] for row in rows]


async def delete_contributions(connection: asyncpg.Connection, subjects: Sequence[int], measures: Sequence[int]) -> None:
    """Delete what locked subjects have of retired measures."""
    await connection.execute(
        "DELETE FROM contributions WHERE subject_id = ANY($1) AND measure = ANY($2)", list(subjects), list(measures)
    )


async def delete_seals(connection: asyncpg.Connection, tenant: int, measures: Sequence[int], limit: int) -> int:
    """Delete up to `limit` seals of retired measures, with their histograms. Returns how many."""
    return int(
        await connection.fetchval(
            "WITH deleted AS (DELETE FROM seals WHERE id IN ("
            " SELECT id FROM seals WHERE tenant = $1 AND measure = ANY($2) LIMIT $3) RETURNING id),"
            " emptied AS (DELETE FROM histograms WHERE seal_id IN (SELECT id FROM deleted))"
            " SELECT count(*) FROM deleted",
            tenant,
            list(measures),
            limit,
        )
    )


async def finish_retiring(connection: asyncpg.Connection, build: Build, measures: Sequence[int]) -> None:
    """Delete the retired measures, of which nothing is left, and the build."""
    await connection.execute("DELETE FROM measures WHERE id = ANY($1) AND retired", list(measures))
    await connection.execute("DELETE FROM builds WHERE tenant = $1 AND retiring", build.tenant)

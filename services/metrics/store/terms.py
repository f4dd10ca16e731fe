"""The terms of tenants, and the builds that bring stored contributions to new ones.

A tenant's measures have one generation that is served. While a build runs they have a second one: writers write a subject's
contributions under both, and the builder walks all other subjects. So answers are of the old terms throughout, until one
transaction exchanges the two.

- Measures of the served generation have the tenant's number as `tenant`, those of the other generation its negative. So every
  query, and an earlier version of this service, reads the served one without knowing of builds.
- After the exchange the old measures are `retired`, and the builder deletes their contributions, seals and histograms in pieces.

A writer reads its tenants' terms `FOR KEY SHARE`, which it holds until it commits; what starts, retargets or ends a build locks
the tenant `FOR UPDATE`. So no batch is half under the old terms, and a build sees the subjects of every batch before it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg

from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.domain.terms import Terms

LEASE = timedelta(seconds=60)
"""How long a build is left to the builder that worked on it last."""

LOCK_FOR_WRITING = """
    SELECT id, zone, terms_revision, building_revision, generation FROM tenants WHERE id = ANY($1::int[])
    ORDER BY id FOR KEY SHARE
"""
LOCK_FOR_CHANGE = "SELECT id, zone, terms_revision, building_revision FROM tenants WHERE id = $1 FOR UPDATE"

DIMENSIONS_OF = """
    SELECT r.tenant, r.revision, r.dimensions
    FROM unnest($1::int[], $2::int[]) AS wanted (tenant, revision) JOIN terms_revisions r USING (tenant, revision)
"""

ADD_REVISION = """
    INSERT INTO terms_revisions (tenant, revision, zone, dimensions, made_at)
    SELECT t.id, 1 + greatest(t.terms_revision, t.building_revision,
        (SELECT max(r.revision) FROM terms_revisions r WHERE r.tenant = t.id)), $2, $3, $4
    FROM tenants t WHERE t.id = $1 RETURNING revision
"""

START_BUILD = """
    INSERT INTO builds (tenant, revision, version, total) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant) DO UPDATE SET revision = excluded.revision, version = excluded.version, total = excluded.total,
        place = '', done = 0, walked_at = NULL, retiring = false, leased_until = '-infinity'
"""

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

STATUS = """
    SELECT t.terms_revision, t.building_revision, b.done, b.total
    FROM tenants t LEFT JOIN builds b ON b.tenant = t.id WHERE t.slug = $1
"""

OUTDATED = """
    SELECT id, terms_revision FROM tenants t
    WHERE contributions_version < $1 AND building_revision IS NULL AND NOT EXISTS (SELECT FROM builds b WHERE b.tenant = t.id)
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""

Revision = tuple[int, int]
"""A tenant's number and a revision of its terms."""


@dataclass(frozen=True, slots=True)
class TermsInUse:
    """The terms of a tenant's served contributions, and those that a build brings; `generation` counts its finished builds."""

    served: Terms
    building: Terms | None
    generation: int


@dataclass(frozen=True, slots=True)
class Status:
    """The revision that answers are made under, and the build that is running: its revision, and of how many subjects how many
    are done."""

    revision: int
    building: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Build:
    """A build as it was claimed. `place` is the name of the last subject that is done; `retiring`: only the old rows are left."""

    tenant: int
    revision: int
    version: int
    place: str
    walked: bool
    retiring: bool


class TermsReader:
    """Reads terms. A revision never changes, so it is read once."""

    def __init__(self) -> None:
        self._dimensions: dict[Revision, tuple[str, ...]] = {}

    async def lock(self, connection: asyncpg.Connection, tenants: Collection[int]) -> dict[int, TermsInUse]:
        """The terms of `tenants`, which nobody changes before the transaction ends."""
        rows = await connection.fetch(LOCK_FOR_WRITING, sorted(tenants))
        revisions = [(row["id"], row["terms_revision"]) for row in rows]
        revisions += [(row["id"], row["building_revision"]) for row in rows if row["building_revision"]]
        dimensions = await self.dimensions(connection, revisions)

        def terms(row: asyncpg.Record, revision: int) -> Terms:
            return Terms(revision, row["zone"], dimensions[row["id"], revision])

        return {
            row["id"]: TermsInUse(
                terms(row, row["terms_revision"]),
                terms(row, row["building_revision"]) if row["building_revision"] else None,
                row["generation"],
            )
            for row in rows
        }

    async def dimensions(self, connection: asyncpg.Connection, revisions: Sequence[Revision]) -> dict[Revision, tuple[str, ...]]:
        """The tenants' own dimensions in these revisions. A tenant's first revision has none, and no row."""
        if missing := [revision for revision in revisions if revision not in self._dimensions]:
            rows = await connection.fetch(DIMENSIONS_OF, [tenant for tenant, _ in missing], [number for _, number in missing])
            self._dimensions |= dict.fromkeys(missing, ())
            self._dimensions |= {(row["tenant"], row["revision"]): tuple(row["dimensions"]) for row in rows}
        return self._dimensions


async def read_terms(connection: asyncpg.Connection, tenant: int) -> Terms:
    """The terms that the tenant's answers are made under, in this snapshot."""
    row = await connection.fetchrow("SELECT zone, terms_revision FROM tenants WHERE id = $1", tenant)
    revision = (tenant, row["terms_revision"])
    return Terms(row["terms_revision"], row["zone"], (await TermsReader().dimensions(connection, [revision]))[revision])


async def read_status(connection: asyncpg.Connection | asyncpg.Pool, slug: str) -> Status:
    """Which terms a tenant has. One that metrics doesn't know has the first revision."""
    row = await connection.fetchrow(STATUS, slug)
    if row is None:
        return Status(1, None)
    building = (row["building_revision"], row["done"], max(row["total"], row["done"])) if row["building_revision"] else None
    return Status(row["terms_revision"], building)


async def change_zone(connection: asyncpg.Connection, tenant: int, zone: str, now: datetime) -> None:
    """Make a revision with another zone, served at once, since no contribution depends on the zone. A build goes on, towards a
    revision of its own with the new zone."""
    row = await connection.fetchrow(LOCK_FOR_CHANGE, tenant)
    served, building = row["terms_revision"], row["building_revision"]
    revisions = [(tenant, served), *([(tenant, building)] if building else [])]
    dimensions = await TermsReader().dimensions(connection, revisions)
    new_served = await connection.fetchval(ADD_REVISION, tenant, zone, dimensions[tenant, served], now)
    new_building = new_served if building else None
    if building and building != served:
        new_building = await connection.fetchval(ADD_REVISION, tenant, zone, dimensions[tenant, building], now)
    await connection.execute(
        "UPDATE tenants SET zone = $2, terms_revision = $3, building_revision = $4 WHERE id = $1",
        tenant,
        zone,
        new_served,
        new_building,
    )
    if new_building:
        await connection.execute(
            "UPDATE builds SET revision = $2, leased_until = '-infinity' WHERE tenant = $1", tenant, new_building
        )


async def change_dimensions(connection: asyncpg.Connection, tenant: int, dimensions: Sequence[str], now: datetime) -> None:
    """Make a revision with other dimensions of the tenant's own, and start its build. Equal ones change nothing."""
    total = await connection.fetchval("SELECT count(*) FROM subjects WHERE tenant = $1", tenant)
    row = await connection.fetchrow(LOCK_FOR_CHANGE, tenant)
    latest = (tenant, row["building_revision"] or row["terms_revision"])
    if (await TermsReader().dimensions(connection, [latest]))[latest] == tuple(dimensions):
        return
    revision = await connection.fetchval(ADD_REVISION, tenant, row["zone"], list(dimensions), now)
    await start_build(connection, tenant, revision, total)


async def start_build(connection: asyncpg.Connection, tenant: int, revision: int, total: int) -> None:
    """Start the build of `revision`, in place of any that is running. The tenant is locked."""
    await connection.execute("UPDATE tenants SET building_revision = $2 WHERE id = $1", tenant, revision)
    await connection.execute(START_BUILD, tenant, revision, CONTRIBUTIONS_VERSION, total)


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
    """A build that no other builder works on, for this one alone for LEASE. One of an earlier version begins anew."""
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
    """Record that the next `done` subjects, up to `place`, are done; `walked`: they were the last. Renews the lease.

    Returns the build as it is now; None if it is no longer wanted, or another builder was faster.
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
    """Whether to serve the new generation: its spans are sealed, or there are so few subjects that this doesn't matter, or it
    took longer than `patience`."""
    return bool(await connection.fetchval(SEALS_READY, build.tenant, small, patience))


async def exchange(connection: asyncpg.Connection, build: Build) -> bool:
    """Serve the new generation from now on, in the caller's transaction. Returns False if the build is no longer wanted."""
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

"""Rebuilds on request: a build under the terms that a tenant has, and the difference that it makes. One row of `rebuilds` each.

The build is one like any other (`services.metrics.store.builds`). Before the exchange both generations are compared, measure by
measure: each statement sees both as of one instant, since a writer writes them in one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import asyncpg
import msgspec

from services.metrics.store.builds import Build
from services.metrics.store.contributions import COLUMNS
from services.metrics.store.terms import LOCK_FOR_CHANGE, start_build

MOST_INVALID = 1000
"""Subjects that can't be folded, of which a rebuild keeps the names."""

TENANTS = "SELECT id, slug FROM tenants WHERE $1::text IS NULL OR slug = $1 ORDER BY slug"

REQUEST = """
    INSERT INTO rebuilds (tenant, requested_at) VALUES ($1, clock_timestamp()) ON CONFLICT (tenant) DO UPDATE
    SET requested_at = excluded.requested_at, finished_at = NULL, comparison = NULL, invalid = '{}'
"""
UNFINISHED = "SELECT EXISTS (SELECT FROM rebuilds WHERE tenant = $1 AND finished_at IS NULL)"
FINISH = "UPDATE rebuilds SET finished_at = clock_timestamp(), comparison = $2 WHERE tenant = $1 AND finished_at IS NULL"
NOTE_INVALID = "UPDATE rebuilds SET invalid = (invalid || $2::text[])[1:$3] WHERE tenant = $1 AND finished_at IS NULL"
STATE = """
    SELECT t.terms_revision AS revision, t.building_revision IS NOT NULL AS building, b.tenant IS NULL AS cleared,
        coalesce(b.done, 0) AS done, greatest(b.total, b.done, 0) AS total, b.walked_at IS NOT NULL AS walked,
        coalesce(b.leased_until > clock_timestamp(), false) AS claimed, r.finished_at, r.comparison, r.invalid
    FROM tenants t JOIN rebuilds r ON r.tenant = t.id LEFT JOIN builds b ON b.tenant = t.id WHERE t.id = $1
"""

MEASURES = """
    SELECT coalesce(served.name, built.name) AS name, served.id AS served, built.id AS built
    FROM (SELECT id, name FROM measures WHERE tenant = $1) served
    FULL JOIN (SELECT id, name FROM measures WHERE tenant = -$1::int AND NOT retired) built ON built.name = served.name
    ORDER BY 1
"""
VALUES = ", ".join(column for column in COLUMNS if column not in ("tenant", "measure"))
COMPARE = f"""
    WITH counted AS (
        SELECT subject_id, amount, count(*) FILTER (WHERE measure = $2::int) AS before,
            count(*) FILTER (WHERE measure = $3::int) AS after
        FROM contributions WHERE tenant = $1 AND (measure = $2::int OR measure = $3::int) GROUP BY {VALUES}
    ), summed AS (
        SELECT coalesce(sum(before), 0)::bigint AS before, coalesce(sum(after), 0)::bigint AS after,
            coalesce(sum(greatest(before - after, 0)), 0)::bigint AS only_before,
            coalesce(sum(greatest(after - before, 0)), 0)::bigint AS only_after,
            coalesce(sum(amount * before), 0) AS amount_before, coalesce(sum(amount * after), 0) AS amount_after,
            min(subject_id) FILTER (WHERE before <> after) AS first
        FROM counted
    )
    SELECT summed.*, s.subject AS first_subject FROM summed LEFT JOIN subjects s ON s.id = summed.first
"""  # noqa: S608
COUNTS = ("before", "after", "only_before", "only_after", "amount_before", "amount_after")


@dataclass(frozen=True, slots=True)
class MeasureComparison:
    """The contributions of a measure before and after a rebuild: their number, those that only one side has, and the sums of
    their amounts in the measure's unit. `first_subject`: of those that differ, the one stored first."""

    measure: str
    before: int
    after: int
    only_before: int
    only_after: int
    amount_before: int
    amount_after: int
    first_subject: str | None

    @property
    def differs(self) -> bool:
        """Whether a contribution is on one side alone."""
        return self.only_before > 0 or self.only_after > 0


@dataclass(frozen=True, slots=True)
class RebuildComparison:
    """Both generations, by measure. The revisions differ if the terms were changed meanwhile. `not_compared`: measures for which
    the time was too short."""

    revision_before: int
    revision_after: int
    measures: Sequence[MeasureComparison]
    not_compared: Sequence[str]


@dataclass(frozen=True, slots=True)
class RebuildState:
    """How far a rebuild is. `building`: the old contributions are served; `walked`: all subjects are done; `claimed`: a process
    works on it; `cleared`: the old contributions are deleted. `invalid`: subjects that can't be folded, with the reasons."""

    revision: int
    building: bool
    cleared: bool
    done: int
    total: int
    walked: bool
    claimed: bool
    finished_at: datetime | None
    comparison: RebuildComparison | None
    invalid: Sequence[str]


decode_comparison = msgspec.json.Decoder(RebuildComparison).decode


async def tenants_to_rebuild(pool: asyncpg.Pool, slug: str | None) -> list[tuple[int, str]]:
    """The number and the slug of a tenant, or of all."""
    return [(row["id"], row["slug"]) for row in await pool.fetch(TENANTS, slug)]


async def request_rebuild(connection: asyncpg.Connection, tenant: int) -> bool:
    """Start the build of a tenant under its own terms, or the build that is running again from its first subject.

    Returns False if a rebuild of this tenant is running already, which goes on.
    """
    async with connection.transaction():
        total = await connection.fetchval("SELECT count(*) FROM subjects WHERE tenant = $1", tenant)
        row = await connection.fetchrow(LOCK_FOR_CHANGE, tenant)
        if row["building_revision"] and await connection.fetchval(UNFINISHED, tenant):
            return False
        await start_build(connection, tenant, row["building_revision"] or row["terms_revision"], total)
        await connection.execute(REQUEST, tenant)
        return True


async def is_requested(connection: asyncpg.Connection, tenant: int) -> bool:
    """Whether a rebuild of the tenant was requested, and is not finished."""
    return bool(await connection.fetchval(UNFINISHED, tenant))


async def note_invalid(connection: asyncpg.Connection, tenant: int, subjects: Sequence[str]) -> None:
    """Record subjects that can't be folded, each with the reason, if a rebuild was requested."""
    await connection.execute(NOTE_INVALID, tenant, subjects, MOST_INVALID)


async def compare(connection: asyncpg.Connection, build: Build, seconds: float) -> RebuildComparison:
    """Compare the served contributions of a tenant with those of a build, for at most `seconds`."""
    deadline = monotonic() + seconds
    compared, left_out = [], []
    for name, served, built in await connection.fetch(MEASURES, build.tenant):
        remaining = deadline - monotonic()
        try:
            if remaining <= 0:
                raise TimeoutError
            row = await connection.fetchrow(COMPARE, build.tenant, served, built, timeout=remaining)
        except TimeoutError:
            left_out.append(name)
            continue
        before, after, only_before, only_after, *amounts = (int(row[column]) for column in COUNTS)
        one = MeasureComparison(name, before, after, only_before, only_after, amounts[0], amounts[1], row["first_subject"])
        if one.before or one.after:
            compared.append(one)
    revision = await connection.fetchval("SELECT terms_revision FROM tenants WHERE id = $1", build.tenant)
    return RebuildComparison(revision, build.revision, compared, left_out)


async def finish(connection: asyncpg.Connection, tenant: int, comparison: RebuildComparison) -> None:
    """Record, in the transaction of the exchange, that the rebuild is finished, and what it changed."""
    await connection.execute(FINISH, tenant, msgspec.json.encode(comparison))


async def read_state(pool: asyncpg.Pool, tenant: int) -> RebuildState:
    """How far the tenant's last rebuild is."""
    row = dict(await pool.fetchrow(STATE, tenant))
    comparison = row.pop("comparison")
    return RebuildState(comparison=None if comparison is None else decode_comparison(comparison), **row)

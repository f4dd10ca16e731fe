"""Verifications: one running at most for each tenant, worked on in pieces by any process, and the results of earlier ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import asyncpg

from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION

Part = Literal["subjects", "seals", "events"]
PARTS: Sequence[Part] = ("subjects", "seals", "events")
"""In this order: contributions of subjects, sealed histograms over them, events of ingest that each subject must have."""

LEASE = timedelta(minutes=5)
"""How long a piece belongs to the process that claimed its verification."""
MOST_FINISHED = 50
"""Finished verifications of a tenant that are kept."""

COLUMNS = """
    id, share, started_at, finished_at, part, subjects, contributions, seals, events, differences, first_difference
"""
CLAIM = """
    UPDATE verifications v SET leased_until = clock_timestamp() + $1::interval FROM tenants t
    WHERE t.id = v.tenant AND v.id = (
        SELECT id FROM verifications WHERE finished_at IS NULL AND leased_until <= clock_timestamp()
        ORDER BY leased_until, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING v.id, v.tenant, t.slug, v.share, v.head, v.part, v.place, v.tries
"""
START = """
    INSERT INTO verifications (tenant, share, started_at, part) VALUES ($1, $2, clock_timestamp(), 'subjects')
    ON CONFLICT (tenant) WHERE finished_at IS NULL DO NOTHING
"""
DUE = """
    SELECT t.id FROM tenants t WHERE contributions_version = $2 AND NOT EXISTS (
        SELECT FROM verifications v
        WHERE v.tenant = t.id AND (v.finished_at IS NULL OR v.started_at > clock_timestamp() - $1::interval)
    ) ORDER BY t.id LIMIT 1
"""
ADVANCE = """
    UPDATE verifications SET leased_until = clock_timestamp(), head = greatest(head, $5), part = $6, place = $7, tries = 0,
        subjects = subjects + $8, contributions = contributions + $9, seals = seals + $10, events = events + $11,
        differences = differences + $12, first_difference = coalesce(first_difference, $13),
        finished_at = CASE WHEN $14 THEN clock_timestamp() END
    WHERE id = $1 AND part = $2 AND place = $3 AND tries = $4 AND finished_at IS NULL RETURNING tenant
"""
POSTPONE = "UPDATE verifications SET leased_until = clock_timestamp() + $2::interval, tries = tries + $3 WHERE id = $1"
CAUGHT_UP = """
    SELECT coalesce((SELECT min(received_at) FROM progress) >= (SELECT started_at FROM verifications WHERE id = $1), false)
"""
NOT_LATEST = """
    UPDATE verifications v SET latest = false FROM verifications finished
    WHERE finished.id = $1 AND (finished.share >= 1 OR finished.differences > 0) AND v.tenant = finished.tenant AND v.latest
"""
LATEST = "UPDATE verifications SET latest = true WHERE id = $1 AND (share >= 1 OR differences > 0)"
FORGET = """
    DELETE FROM verifications WHERE tenant = $1 AND NOT latest AND finished_at IS NOT NULL AND id <= (
        SELECT id FROM verifications WHERE tenant = $1 ORDER BY id DESC OFFSET $2 LIMIT 1
    )
"""


@dataclass(frozen=True, slots=True)
class VerificationRun:
    """A running verification as it was claimed.

    `share` of all subjects and spans is compared, in [0, 1]. `head`: the sequence of ingest up to which events are compared, 0
    before the part of events. `place`: the last thing of `part` that is done. `tries`: how often the next piece differed.
    """

    id: int
    tenant: int
    slug: str
    share: float
    head: int
    part: Part
    place: str
    tries: int


@dataclass(slots=True)
class ComparedPiece:
    """The result of comparing what follows a run's place.

    `place` None: the part is done. A difference never holds a customer's words.
    """

    place: str | None = None
    head: int = 0
    subjects: int = 0
    contributions: int = 0
    seals: int = 0
    events: int = 0
    differences: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification, so far or at its end."""

    id: int
    share: float
    started_at: datetime
    finished_at: datetime | None
    part: Part
    subjects: int
    contributions: int
    seals: int
    events: int
    differences: int
    first_difference: str | None


async def start(connection: asyncpg.Connection, tenant: int, share: float) -> None:
    """Start a verification of the tenant, unless one is running."""
    await connection.execute(START, tenant, share)


async def start_due(connection: asyncpg.Connection, every: timedelta) -> bool:
    """Start a verification of a tenant whose last one began `every` ago. Returns False if there is none."""
    tenant = await connection.fetchval(DUE, every, CONTRIBUTIONS_VERSION)
    if tenant is None:
        return False
    await start(connection, tenant, 1.0)
    return True


async def claim(connection: asyncpg.Connection) -> VerificationRun | None:
    """Lease the running verification that has waited longest; None if there is none that no other process holds."""
    row = await connection.fetchrow(CLAIM, LEASE)
    return None if row is None else VerificationRun(**row)


async def advance(connection: asyncpg.Connection, run: VerificationRun, piece: ComparedPiece) -> bool:
    """Record a piece. After the last one of the last part the verification is finished: then the result is True.

    A piece that another process has recorded meanwhile counts once.
    """
    following = PARTS.index(run.part) + 1
    finished = piece.place is None and following == len(PARTS)
    part, place = (run.part, piece.place) if piece.place is not None else (PARTS[min(following, len(PARTS) - 1)], "")
    compared = piece.subjects, piece.contributions, piece.seals, piece.events
    first = piece.differences[0] if piece.differences else None
    async with connection.transaction():
        tenant = await connection.fetchval(
            ADVANCE,
            run.id,
            run.part,
            run.place,
            run.tries,
            piece.head,
            part,
            place,
            *compared,
            len(piece.differences),
            first,
            finished,
        )
        if tenant is None or not finished:
            return False
        await connection.execute(NOT_LATEST, run.id)
        await connection.execute(LATEST, run.id)
        await connection.execute(FORGET, tenant, MOST_FINISHED)
        return True


async def is_caught_up(connection: asyncpg.Connection, run: VerificationRun) -> bool:
    """Whether the consumers have read everything that was received before the verification started."""
    return bool(await connection.fetchval(CAUGHT_UP, run.id))


async def postpone(connection: asyncpg.Connection, run: VerificationRun, after: timedelta, *, tried: bool) -> None:
    """Compare the same piece again after some time. `tried`: count this attempt."""
    await connection.execute(POSTPONE, run.id, after, int(tried))


async def find(connection: asyncpg.Connection, number: int) -> Verification:
    """A verification by its id."""
    row = await connection.fetchrow(f"SELECT {COLUMNS} FROM verifications WHERE id = $1", number)  # noqa: S608
    return Verification(**row)


async def history(connection: asyncpg.Connection, tenant: int) -> list[Verification]:
    """The verifications of a tenant, the newest first."""
    rows = await connection.fetch(f"SELECT {COLUMNS} FROM verifications WHERE tenant = $1 ORDER BY id DESC", tenant)  # noqa: S608
    return [Verification(**row) for row in rows]

"""Freeze the subjects of a tenant that nothing has touched for as long as the tenant wants, and thaw them.

A pass looks at all subjects that aren't frozen, in pieces: each is one transaction that stores its effects with its progress.
The lock of the tenant's row in `freezing` keeps other processes, and changes of the setting, out until it commits. Subjects are
locked as writers lock them: an event that arrives meanwhile is merged before, or after, and then thaws the subject.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from services.metrics.domain.untouched import is_untouched, months_before
from services.metrics.store import subjects as store
from services.metrics.store.frozen import pack
from services.metrics.store.subjects import Subject

EVERY = timedelta(days=7)
"""From the end of a pass to the begin of the next."""
AT_ONCE = 200
"""Subjects of a piece."""

READ = """
    SELECT f.after_months, f.frozen_before, f.due < 'infinity' AND (f.place <> '' OR f.due <= $2) AS running,
        (SELECT count(*) FROM frozen_subjects WHERE tenant = t.id) AS frozen
    FROM tenants t LEFT JOIN freezing f ON f.tenant = t.id WHERE t.slug = $1
"""
SET = """
    INSERT INTO freezing AS former (tenant, after_months, due) VALUES ($1, $2, $3)
    ON CONFLICT (tenant) DO UPDATE SET after_months = excluded.after_months, before = NULL, place = '', due = excluded.due,
        frozen_before = CASE WHEN excluded.after_months IS NOT NULL THEN former.frozen_before END
    WHERE former.after_months IS DISTINCT FROM excluded.after_months
"""
CLAIM = """
    SELECT tenant, after_months, coalesce(before, $1) AS began, place FROM freezing WHERE due <= $1
    ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED
"""
FOLLOWING = """
    SELECT id, subject FROM subjects s WHERE tenant = $1 AND subject > $2 AND NOT erased
    AND NOT EXISTS (SELECT FROM frozen_subjects f WHERE f.subject_id = s.id) ORDER BY subject LIMIT $3
"""
FROZEN = """
    SELECT s.id, s.subject FROM frozen_subjects f JOIN subjects s ON s.id = f.subject_id WHERE f.tenant = $1 LIMIT $2
"""
LOCK = "SELECT FROM subjects WHERE id = ANY($1) ORDER BY id FOR UPDATE"
DELETE_STATEMENTS = "DELETE FROM statements WHERE subject_id = ANY($1)"
DELETE_SCORES = "DELETE FROM scores WHERE subject_id = ANY($1)"
CONTINUE = "UPDATE freezing SET before = $2, place = $3, due = $4 WHERE tenant = $1"
END = "UPDATE freezing SET before = NULL, place = '', frozen_before = $2, due = $3 WHERE tenant = $1"
END_THAWING = "UPDATE freezing SET due = 'infinity' WHERE tenant = $1"


@dataclass(frozen=True, slots=True)
class Freezing:
    """The setting of a tenant and the progress. `after_months` None: nothing is frozen.

    `frozen` subjects are frozen now; after the last pass these were all that were untouched since `frozen_before`. `running`: a
    pass is running or due.
    """

    after_months: int | None = None
    frozen: int = 0
    frozen_before: datetime | None = None
    running: bool = False


@dataclass(frozen=True, slots=True)
class FreezePiece:
    """The subjects of a tenant that a piece froze or thawed. `ended`: it was the last of its pass."""

    tenant: int
    frozen: int = 0
    thawed: int = 0
    ended: bool = False


async def read_freezing(connection: asyncpg.Connection, tenant: str, now: datetime) -> Freezing:
    """The setting of the tenant and its progress. One that never set it freezes nothing."""
    row = await connection.fetchrow(READ, tenant, now)
    if row is None:
        return Freezing()
    return Freezing(row["after_months"], row["frozen"], row["frozen_before"], bool(row["running"]))


async def set_freezing(connection: asyncpg.Connection, tenant: int, after_months: int | None, now: datetime) -> None:
    """Store the setting. A change begins a pass, which freezes, or thaws everything."""
    await connection.execute(SET, tenant, after_months, now)


async def next_piece(connection: asyncpg.Connection, now: datetime, at_once: int = AT_ONCE) -> FreezePiece | None:
    """Freeze or thaw the next subjects of the tenant whose turn it is, in one transaction. None if none has anything to do."""
    async with connection.transaction():
        row = await connection.fetchrow(CLAIM, now)
        if row is None:
            return None
        if row["after_months"] is None:
            return await _thaw_some(connection, row["tenant"], now, at_once)
        return await _freeze_some(connection, row, now, at_once)


async def _freeze_some(connection: asyncpg.Connection, row: asyncpg.Record, now: datetime, at_once: int) -> FreezePiece:
    tenant, began = row["tenant"], row["began"]
    listed = await connection.fetch(FOLLOWING, tenant, row["place"], at_once)
    subjects = await _locked(connection, tenant, listed)
    since = months_before(began, row["after_months"])
    untouched = [
        subject
        for subject in subjects
        if subject.statements and not (subject.frozen or subject.erased) and is_untouched(subject.statements.values(), since)
    ]
    await _freeze(connection, untouched)
    if ended := len(listed) < at_once:
        await connection.execute(END, tenant, since, now + EVERY)
    else:
        await connection.execute(CONTINUE, tenant, began, listed[-1]["subject"], now)
    return FreezePiece(tenant, frozen=len(untouched), ended=ended)


async def _thaw_some(connection: asyncpg.Connection, tenant: int, now: datetime, at_once: int) -> FreezePiece:
    listed = await connection.fetch(FROZEN, tenant, at_once)
    subjects = await _locked(connection, tenant, listed)
    frozen = [subject for subject in subjects if subject.frozen]
    await store.thaw(connection, frozen)
    await store.store(connection, frozen)
    if ended := len(listed) < at_once:
        await connection.execute(END_THAWING, tenant)
    else:
        await connection.execute(CONTINUE, tenant, None, "", now)
    return FreezePiece(tenant, thawed=len(frozen), ended=ended)


async def _locked(connection: asyncpg.Connection, tenant: int, rows: list[asyncpg.Record]) -> list[Subject]:
    """The listed subjects, locked in the order in which batches lock them, with their statements and scores."""
    await connection.execute(LOCK, [row["id"] for row in rows])
    subjects = [Subject(row["id"], tenant, row["subject"], fresh=False) for row in rows]
    await store.load(connection, subjects)
    return subjects


async def _freeze(connection: asyncpg.Connection, subjects: list[Subject]) -> None:
    """Replace the rows of statements and scores of locked subjects by one compressed row each."""
    if not subjects:
        return
    rows = [
        (subject.id, subject.tenant, len(subject.statements), *pack(subject.statements.values(), subject.scores))
        for subject in subjects
    ]
    columns = ("subject_id", "tenant", "statements", "dictionary", "body")
    await connection.copy_records_to_table("frozen_subjects", records=rows, columns=columns)
    for statement in (DELETE_STATEMENTS, DELETE_SCORES):
        await connection.execute(statement, [subject.id for subject in subjects])

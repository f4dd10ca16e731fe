"""Millions of records in a database of metrics: real subjects of a template tenant, repeated over a year by SQL.

Every row of a template subject is copied with the same shift in time, so durations, levels and deadlines stay consistent. The
copies go through the real tables; only the derivation from statements is skipped.
"""

import time
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bench.metrics_events import MODEL, Story, scores
from services.metrics.store.tenants import put_tenant
from services.metrics.store.writer import DecodedBatch, Writer
from shared.events import DIMENSIONS

TEMPLATE = "template"
TEMPLATE_DAYS = 14
TEMPLATE_EVENTS = 4_000
DAYS = 365
BATCH = 500
AT_ONCE, PROGRESS = 100_000, 1_000_000
"""Records that one statement copies, so that its sort fits into memory; records between two lines about the progress."""

MEASURES = """
    INSERT INTO measures (tenant, name) SELECT $2, name FROM measures WHERE tenant = $1 ON CONFLICT DO NOTHING
"""
TERMS = "INSERT INTO terms (tenant, term) SELECT $2, term FROM terms WHERE tenant = $1 ON CONFLICT DO NOTHING"
CUSTOMERS = (
    "INSERT INTO customers (tenant, pseudonym) SELECT $2, pseudonym FROM customers WHERE tenant = $1 ON CONFLICT DO NOTHING"
)

MAPS = """
    CREATE TEMP TABLE term_of AS
        SELECT a.id AS old, b.id AS new FROM terms a JOIN terms b ON b.tenant = {new} AND b.term = a.term WHERE a.tenant = {old};
    CREATE TEMP TABLE subject_of AS
        SELECT id, subject, row_number() OVER (ORDER BY md5(subject)) - 1 AS place FROM subjects WHERE tenant = {old};
    CREATE TEMP TABLE template_rows AS
        SELECT t.place, m.id AS measure, c.at, c.bin, c.amount, u.id AS customer,
            {dimensions},
            (SELECT array_agg(t.new ORDER BY t.new) FROM term_of t WHERE t.old = ANY(c.themes)) AS themes,
            (SELECT array_agg(t.new ORDER BY t.new) FROM term_of t WHERE t.old = ANY(c.urgency)) AS urgency
        FROM contributions c
        JOIN subject_of t ON t.id = c.subject_id
        JOIN measures o ON o.id = c.measure JOIN measures m ON m.tenant = {new} AND m.name = o.name
        LEFT JOIN customers w ON w.id = c.customer LEFT JOIN customers u ON u.tenant = {new} AND u.pseudonym = w.pseudonym
        {joins}
        WHERE c.tenant = {old};
    CREATE INDEX ON template_rows (place);
    ANALYZE template_rows;
"""

COPY_SUBJECTS = """
    INSERT INTO subjects (id, tenant, subject) OVERRIDING SYSTEM VALUE
    SELECT $1::bigint + k * $3::bigint + t.place, $2, regexp_replace(t.subject, '[^/]*$', k || '-\\&')
    FROM generate_series($4::bigint, $5::bigint - 1) AS k CROSS JOIN subject_of t WHERE t.place < $3
    ORDER BY 1
"""
"""The number of the copy comes first in the id of a subject, so that the names of one copy are neighbours in the index."""
COPY_CONTRIBUTIONS = """
    INSERT INTO contributions (subject_id, tenant, measure, at, bin, amount, {dimensions}, customer, themes, urgency)
    SELECT $1::bigint + k * $3::bigint + r.place, $2, r.measure, r.at - {shift}, r.bin, r.amount, {rows},
        r.customer, r.themes, r.urgency
    FROM generate_series($4::bigint, $5::bigint - 1) AS k CROSS JOIN template_rows r
    WHERE r.place < $3 ORDER BY r.at - {shift}
"""
SHIFT = "make_interval(secs => ($6::bigint - 1 - k) * {seconds} / $6::bigint)"
"""Copy k of $6: the last is not shifted."""

COPY_STATEMENTS = """
    INSERT INTO statements (subject_id, statement, revision, seq, position, body)
    SELECT $1::bigint + k * $2::bigint + t.place, s.statement, s.revision, s.seq, s.position, s.body
    FROM generate_series($3::bigint, $4::bigint - 1) AS k CROSS JOIN subject_of t JOIN statements s ON s.subject_id = t.id
    WHERE t.place < $2
"""

INDEXES = {
    "contributions_by_subject": "CREATE INDEX contributions_by_subject ON contributions (subject_id)",
    "contributions_by_time": "CREATE INDEX contributions_by_time ON contributions (tenant, measure, at)",
}

WIDE_VALUES = 100_000
WIDEN = """
    WITH agents AS (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM terms WHERE tenant = $1 AND term LIKE 'wide-%'
    ), answers AS (
        SELECT c.ctid AS row, 1 + row_number() OVER (ORDER BY c.subject_id) % $2::bigint AS place
        FROM contributions c JOIN measures m ON m.id = c.measure WHERE c.tenant = $1 AND m.name = 'nps'
    )
    UPDATE contributions c SET agent = agents.id FROM answers JOIN agents USING (place) WHERE c.ctid = answers.row
"""

SIZES = """
    SELECT relname, pg_relation_size(oid) AS heap, pg_indexes_size(oid) AS indexes, pg_total_relation_size(oid) AS total
    FROM pg_class WHERE relname = ANY($1) ORDER BY 1
"""
TABLES = ["contributions", "histograms", "seals", "statements", "subjects"]


@dataclass(frozen=True, slots=True)
class Filled:
    """A tenant that was filled: its number, its records and their contributions."""

    tenant: int
    records: int
    contributions: int


async def fill_template(pool: asyncpg.Pool, now: datetime, tickets: float) -> int:
    """Write the template tenant's subjects as events, through the writer. Returns how many there are."""
    await put_tenant(pool, TEMPLATE, "Template", "Europe/Berlin", MODEL, now)
    events = Story(TEMPLATE, 7, now, TEMPLATE_DAYS, tickets=tickets, more=True).events(TEMPLATE_EVENTS)
    writer = Writer(pool)
    for first in range(0, len(events), BATCH):
        await writer.apply(DecodedBatch(events[first : first + BATCH]))
    scored = list(scores(events, themes=True))
    for first in range(0, len(scored), BATCH):
        await writer.apply(DecodedBatch(scores=scored[first : first + BATCH]))
    return int(await pool.fetchval("SELECT count(*) FROM subjects s JOIN tenants t ON t.id = s.tenant AND t.slug = $1", TEMPLATE))


async def fill(pool: asyncpg.Pool, slug: str, records: int, now: datetime, *, statements: bool) -> Filled:
    """Fill the tenant `slug` with `records` subjects over a year."""
    await put_tenant(pool, slug, slug.title(), "Europe/Berlin", MODEL, now)
    async with pool.acquire() as connection:
        await connection.execute("SET synchronous_commit = off; SET work_mem = '256MB'")
        old, new = [await connection.fetchval("SELECT id FROM tenants WHERE slug = $1", name) for name in (TEMPLATE, slug)]
        for statement in (MEASURES, TERMS, CUSTOMERS):
            await connection.execute(statement, old, new)
        await connection.execute(maps(old, new))
        available = await connection.fetchval("SELECT count(*) FROM subject_of")
        each = min(available, max(1, records // DAYS))
        copies = records // each
        first = await connection.fetchval("SELECT max(id) + 1 FROM subjects")
        at_once = max(1, AT_ONCE // each)
        began = time.perf_counter()
        shift = SHIFT.format(seconds=(DAYS - TEMPLATE_DAYS) * 86_400)
        columns = ", ".join(DIMENSIONS)
        contributions = COPY_CONTRIBUTIONS.format(
            dimensions=columns, rows=", ".join(f"r.{name}" for name in DIMENSIONS), shift=shift
        )
        for low in range(0, copies, at_once):
            high = min(copies, low + at_once)
            await connection.execute(COPY_SUBJECTS, first, new, each, low, high, timeout=None)
            await connection.execute(contributions, first, new, each, low, high, copies, timeout=None)
            if statements:
                await connection.execute(COPY_STATEMENTS, first, each, low, high, timeout=None)
            if low * each // PROGRESS < high * each // PROGRESS:
                print(f"  {slug}: {high * each:,} records, {time.perf_counter() - began:.0f} s", flush=True)
        await connection.execute("SELECT setval(pg_get_serial_sequence('subjects', 'id'), (SELECT max(id) FROM subjects))")
        number = await connection.fetchval("SELECT count(*) FROM contributions WHERE tenant = $1", new, timeout=None)
        await connection.execute("DROP TABLE term_of, subject_of, template_rows; RESET synchronous_commit; RESET work_mem")
        seconds = time.perf_counter() - began
    print(f"filled {slug}: {each * copies:,} records, {number:,} contributions, {seconds:.0f} s", flush=True)
    return Filled(new, each * copies, number)


async def widen(pool: asyncpg.Pool, tenant: int) -> None:
    """Give the NPS answers of a tenant WIDE_VALUES agents in turn."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO terms (tenant, term) SELECT $1, 'wide-' || n FROM generate_series(1, $2) n", tenant, WIDE_VALUES
        )
        # Without statistics the planner takes both sides for small, and compares every answer with every agent.
        await connection.execute("SET LOCAL enable_nestloop = off")
        await connection.execute(WIDEN, tenant, WIDE_VALUES, timeout=None)
    await pool.execute("VACUUM contributions", timeout=None)


def maps(old: int, new: int) -> str:
    """The statements that make the temporary tables of template rows, with the ids of the new tenant."""
    return MAPS.format(
        old=old,
        new=new,
        dimensions=", ".join(f"{name}_.new AS {name}" for name in DIMENSIONS),
        joins=" ".join(f"LEFT JOIN term_of {name}_ ON {name}_.old = c.{name}" for name in DIMENSIONS),
    )


async def drop_indexes(pool: asyncpg.Pool) -> None:
    """Drop the indexes of contributions: rows that are written in bulk need none."""
    for name in INDEXES:
        await pool.execute(f"DROP INDEX {name}")


async def make_indexes(pool: asyncpg.Pool) -> None:
    """Make the indexes again, and gather statistics."""
    began = time.perf_counter()
    async with pool.acquire() as connection:
        await connection.execute("SET maintenance_work_mem = '1GB'")
        for statement in INDEXES.values():
            await connection.execute(statement, timeout=None)
        await connection.execute("VACUUM ANALYZE contributions", timeout=None)
        await connection.execute("ANALYZE subjects", timeout=None)
    print(f"indexes and statistics: {time.perf_counter() - began:.0f} s", flush=True)


async def print_sizes(pool: asyncpg.Pool, records: int) -> None:
    """Print bytes by table, in all and of each record."""
    for row in await pool.fetch(SIZES, TABLES):
        print(
            f"{row['relname']:<14} {row['total'] / 1e6:>10,.1f} MB, of which indexes {row['indexes'] / 1e6:>10,.1f} MB:"
            f" {row['total'] / records:>7,.1f} bytes a record",
            flush=True,
        )

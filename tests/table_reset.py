"""Empty the tables of a test database, so that the next test can use it: that is cheaper than a new database."""

from collections.abc import Sequence

import asyncpg

LARGE = 1_000_000
"""Bytes. Larger tables are truncated, which leaves no dead rows. For others to delete the rows is cheaper: no files change."""


async def all_tables(connection: asyncpg.Connection) -> list[str]:
    """The service's tables, without the version of its schema."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    return [row[0] for row in await connection.fetch(query)]


async def empty_tables(connection: asyncpg.Connection, tables: Sequence[str]) -> None:
    """Delete all rows of the tables, without triggers. Raises an error if another connection still holds a lock on one of them.

    Tables that refer to a large one are emptied too.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '10s'; SET LOCAL session_replication_role = replica")
        await connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        with_rows = (f"SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS (SELECT FROM {table})" for table in tables)
        sizes = dict(await connection.fetch(" UNION ALL ".join(with_rows)))
        for table, size in sizes.items():
            await connection.execute(f"TRUNCATE {table} CASCADE" if size > LARGE else f"DELETE FROM {table}")


async def restart_sequences(connection: asyncpg.Connection) -> None:
    """Let all sequences begin at their first number again."""
    await connection.execute("SELECT setval(sequencename::regclass, start_value, false) FROM pg_sequences WHERE last_value > 0")

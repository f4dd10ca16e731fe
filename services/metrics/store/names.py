"""The directory of a tenant's names: of each team, agent and survey, by its id in records.

Names change no number, so they are no terms. They are read when a query is evaluated. Each change raises the tenant's
`names_revision`, which is a part of the revision of its results.
"""

from collections.abc import Collection, Mapping

import asyncpg
import msgspec

Directory = Mapping[str, Mapping[str, str]]
"""By dimension, the name of each value."""

READ = """
    SELECT dimension, jsonb_object_agg(value, name)::text AS names FROM names
    WHERE tenant = $1 AND dimension = ANY($2) GROUP BY dimension
"""
READ_SOME = """
    SELECT n.dimension, jsonb_object_agg(n.value, n.name)::text AS names
    FROM unnest($2::text[], $3::text[]) AS wanted (dimension, value) JOIN names n USING (dimension, value)
    WHERE n.tenant = $1 GROUP BY n.dimension
"""
REPLACE = """
    INSERT INTO names (tenant, dimension, value, name)
    SELECT $1, new.* FROM unnest($2::text[], $3::text[], $4::text[]) AS new (dimension, value, name)
"""

decode_names = msgspec.json.Decoder(dict[str, str]).decode


async def read_names(connection: asyncpg.Connection, tenant: int, dimensions: Collection[str]) -> Directory:
    """All names of these dimensions."""
    return _directory(await connection.fetch(READ, tenant, list(dimensions)))


async def names_of(connection: asyncpg.Connection, tenant: int, values: Collection[tuple[str, str]]) -> Directory:
    """The names of these values; each comes with its dimension."""
    columns = [dimension for dimension, _ in values], [value for _, value in values]
    return _directory(await connection.fetch(READ_SOME, tenant, *columns)) if values else {}


async def replace_names(connection: asyncpg.Connection, tenant: int, directory: Directory) -> None:
    """Replace the directory of a tenant, in the caller's transaction. Equal names change nothing."""
    await connection.execute("SELECT FROM tenants WHERE id = $1 FOR NO KEY UPDATE", tenant)
    rows = [(dimension, value, name) for dimension, names in directory.items() for value, name in names.items()]
    stored = await connection.fetch("SELECT dimension, value, name FROM names WHERE tenant = $1", tenant)
    if {tuple(row) for row in stored} == set(rows):
        return
    await connection.execute("DELETE FROM names WHERE tenant = $1", tenant)
    await connection.execute(REPLACE, tenant, *([row[place] for row in rows] for place in range(3)))
    await connection.execute("UPDATE tenants SET names_revision = names_revision + 1 WHERE id = $1", tenant)


def _directory(rows: Collection[asyncpg.Record]) -> Directory:
    return {row["dimension"]: decode_names(row["names"]) for row in rows}

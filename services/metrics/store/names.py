"""The directory of a tenant's names: of each team, agent and survey, by its id in records.

A tenant sets names, and its tools state them. The table `names` is the directory that queries read: the name that the tenant set
for a value, else the latest one of a tool. `tool_names` has the names of tools alone.

Names change no number, so they are no terms. They are read when a query is evaluated. Each change raises the tenant's
`names_revision`, which is a part of the revision of its results.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

Directory = Mapping[str, Mapping[str, str]]
"""By dimension, the name of each value."""
Changes = Mapping[str, Mapping[str, str | None]]
"""By dimension, the new name of each value; None removes its name."""
Key = tuple[str, str]
"""A dimension and a value of it."""

MAX_NAMES = 10_000
"""Names that a tenant may set, of all dimensions together."""

READ = """
    SELECT dimension, jsonb_object_agg(value, name)::text AS names FROM names
    WHERE tenant = $1 AND dimension = ANY($2) GROUP BY dimension
"""
READ_SOME = """
    SELECT n.dimension, jsonb_object_agg(n.value, n.name)::text AS names
    FROM unnest($2::text[], $3::text[]) AS wanted (dimension, value) JOIN names n USING (dimension, value)
    WHERE n.tenant = $1 GROUP BY n.dimension
"""
LOCK = "SELECT FROM tenants WHERE id = $1 FOR NO KEY UPDATE"
STORED = "SELECT dimension, value, name, from_tool FROM names WHERE tenant = $1"
OF_TOOLS = "SELECT dimension, value, name FROM tool_names WHERE tenant = $1"
DELETE = "DELETE FROM names WHERE tenant = $1"
INSERT = """
    INSERT INTO names (tenant, dimension, value, name, from_tool)
    SELECT $1, new.* FROM unnest($2::text[], $3::text[], $4::text[], $5::bool[]) AS new (dimension, value, name, from_tool)
"""
ADD_TOOL_NAMES = """
    WITH latest AS (
        INSERT INTO tool_names AS former (tenant, dimension, value, name, stated_at)
        SELECT $1, new.* FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[])
            AS new (dimension, value, name, stated_at)
        ON CONFLICT (tenant, dimension, value) DO UPDATE SET name = excluded.name, stated_at = excluded.stated_at
            WHERE excluded.stated_at >= former.stated_at
        RETURNING dimension, value, name
    )
    INSERT INTO names AS former (tenant, dimension, value, name, from_tool)
    SELECT $1, dimension, value, name, true FROM latest
    ON CONFLICT (tenant, dimension, value) DO UPDATE SET name = excluded.name
        WHERE former.from_tool AND former.name <> excluded.name
    RETURNING 1
"""
RAISE_REVISION = "UPDATE tenants SET names_revision = names_revision + 1 WHERE id = $1"

decode_names = msgspec.json.Decoder(dict[str, str]).decode


class TooManyNames(ValueError):
    """A tenant would have more than MAX_NAMES names of its own."""


@dataclass(frozen=True, slots=True)
class ToolName:
    """The name of a value of a dimension, and when a tool stated it."""

    dimension: str
    value: str
    name: str
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class StoredName:
    """A row of the directory. `from_tool`: the tenant has not set it."""

    name: str
    from_tool: bool


async def read_names(connection: asyncpg.Connection, tenant: int, dimensions: Collection[str]) -> Directory:
    """All names of these dimensions."""
    return _directory(await connection.fetch(READ, tenant, list(dimensions)))


async def names_of(connection: asyncpg.Connection, tenant: int, values: Collection[Key]) -> Directory:
    """The names of these values; each comes with its dimension."""
    columns = [dimension for dimension, _ in values], [value for _, value in values]
    return _directory(await connection.fetch(READ_SOME, tenant, *columns)) if values else {}


async def replace_names(connection: asyncpg.Connection, tenant: int, directory: Directory) -> None:
    """Replace all names that the tenant has set, in the caller's transaction. Raises TooManyNames."""
    await connection.execute(LOCK, tenant)
    names = {(dimension, value): name for dimension, its in directory.items() for value, name in its.items()}
    await _set_names(connection, tenant, await _read_directory(connection, tenant), names)


async def change_names(connection: asyncpg.Connection, tenant: int, changes: Changes) -> None:
    """Set or remove these names, in the caller's transaction. Raises TooManyNames."""
    await connection.execute(LOCK, tenant)
    stored = await _read_directory(connection, tenant)
    names: dict[Key, str | None] = {key: row.name for key, row in stored.items() if not row.from_tool}
    names |= {(dimension, value): name for dimension, its in changes.items() for value, name in its.items()}
    await _set_names(connection, tenant, stored, {key: name for key, name in names.items() if name is not None})


async def add_tool_names(connection: asyncpg.Connection, tenant: int, names: Sequence[ToolName]) -> None:
    """Store names that tools state, in the caller's transaction. Of two names of a value the later one counts.

    `names` has each value once.
    """
    await connection.execute(LOCK, tenant)
    columns = zip(*((name.dimension, name.value, name.name, name.stated_at) for name in names), strict=True)
    if await connection.fetch(ADD_TOOL_NAMES, tenant, *map(list, columns)):
        await connection.execute(RAISE_REVISION, tenant)


async def _read_directory(connection: asyncpg.Connection, tenant: int) -> dict[Key, StoredName]:
    rows = await connection.fetch(STORED, tenant)
    return {(row["dimension"], row["value"]): StoredName(row["name"], row["from_tool"]) for row in rows}


async def _set_names(
    connection: asyncpg.Connection, tenant: int, stored: Mapping[Key, StoredName], names: Mapping[Key, str]
) -> None:
    """Store `names` as those that the tenant has set, and the names of its tools for all other values.

    A name that equals the tool's is not stored as set, so that a directory which is read and set again still follows the tools.
    """
    tools = {(row["dimension"], row["value"]): row["name"] for row in await connection.fetch(OF_TOOLS, tenant)}
    own = {key: name for key, name in names.items() if tools.get(key) != name}
    if len(own) > MAX_NAMES:
        raise TooManyNames(f"has {len(own)} names; at most {MAX_NAMES} are allowed")
    new = {key: StoredName(name, True) for key, name in tools.items()} | {
        key: StoredName(name, False) for key, name in own.items()
    }
    if new == stored:
        return
    rows = [(*key, row.name, row.from_tool) for key, row in new.items()]
    await connection.execute(DELETE, tenant)
    await connection.execute(INSERT, tenant, *([row[place] for row in rows] for place in range(4)))
    if {key: row.name for key, row in new.items()} != {key: row.name for key, row in stored.items()}:
        await connection.execute(RAISE_REVISION, tenant)


def _directory(rows: Collection[asyncpg.Record]) -> Directory:
    return {row["dimension"]: decode_names(row["names"]) for row in rows}

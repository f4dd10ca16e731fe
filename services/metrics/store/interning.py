"""Small numbers for a tenant's values: measures, dimension values, customers."""

from collections.abc import Collection, Mapping

import asyncpg

from services.metrics.store.tables import customers, measures, terms

Value = tuple[int, str]
"""A tenant's id and one of its values."""

TABLES = {table.name: table.columns[2].name for table in (measures, terms, customers)}
REMEMBERED = 500_000
"""Values kept in memory per table; beyond that the memory starts afresh."""


class Interner:
    """Gives values of one table their ids, making rows for new ones; remembers them, for a row never changes.

    New rows are made on a connection of the pool, in a transaction of their own: two batches that meet one new value wait for one
    short insert, never for one another's batch.
    """

    def __init__(self, pool: asyncpg.Pool, table: str) -> None:
        self._pool = pool
        self._known: dict[Value, int] = {}
        column = TABLES[table]
        wanted = f"unnest($1::int[], $2::text[]) AS wanted (tenant, {column})"
        self._find = f"SELECT id, tenant, {column} FROM {table} JOIN {wanted} USING (tenant, {column})"  # noqa: S608
        self._make = f"INSERT INTO {table} (tenant, {column}) SELECT * FROM {wanted} ORDER BY 1, 2 ON CONFLICT DO NOTHING"  # noqa: S608

    async def ids(self, values: Collection[Value]) -> Mapping[Value, int]:
        """The ids of `values`; the mapping holds others too."""
        if len(self._known) > REMEMBERED:
            self._known = {}
        known = self._known
        missing = [value for value in values if value not in known]
        if missing:
            await self._look_up(missing)
            made = sorted(value for value in missing if value not in known)
            if made:
                await self._pool.execute(self._make, *columns(made))
                await self._look_up(made)
        return known

    async def _look_up(self, values: Collection[Value]) -> None:
        rows = await self._pool.fetch(self._find, *columns(values))
        self._known.update(((tenant, value), number) for number, tenant, value in rows)


def columns(values: Collection[Value]) -> tuple[list[int], list[str]]:
    """Pairs as the two arrays that `unnest` takes."""
    return [tenant for tenant, _ in values], [value for _, value in values]

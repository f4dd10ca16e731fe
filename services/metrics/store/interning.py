"""Give a tenant's values (measures, dimension values, customers) small numbers."""

import time
from collections.abc import Callable, Collection, Mapping

import asyncpg

from services.metrics.store.tables import customers, measures, terms

Value = tuple[int, str]
"""A tenant's id and one of its values."""

TABLES = {table.name: table.columns[2].name for table in (measures, terms, customers)}
REMEMBERED = 500_000
"""Values that a process remembers per table, at most; then it forgets all of them."""
REMEMBERED_SECONDS = 600.0
"""How long a process remembers a value, at most: much less than a value is marked as unused before it is deleted."""


class Interner:
    """Gives values of one table their ids, making rows for new ones, and remembers them for a while.

    New rows are made on a connection of the pool, in a transaction of their own: two batches that meet one new value wait for one
    short insert, never for one another's batch.
    """

    def __init__(self, pool: asyncpg.Pool, table: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._known: dict[Value, int] = {}
        self._since = clock()
        column = TABLES[table]
        lookup = f"unnest($1::int[], $2::text[]) AS lookup (tenant, {column})"
        unused = "false" if table == measures.name else "unused_since IS NOT NULL"
        self._find = f"SELECT id, tenant, {column}, {unused} FROM {table} JOIN {lookup} USING (tenant, {column})"  # noqa: S608
        self._make = f"INSERT INTO {table} (tenant, {column}) SELECT * FROM {lookup} ORDER BY 1, 2 ON CONFLICT DO NOTHING"  # noqa: S608
        self._use = f"UPDATE {table} SET unused_since = NULL WHERE id = ANY($1) RETURNING id"  # noqa: S608

    async def ids(self, values: Collection[Value]) -> Mapping[Value, int]:
        """The ids of `values`; the mapping holds others too."""
        if len(self._known) > REMEMBERED or self._clock() > self._since + REMEMBERED_SECONDS:
            self._known, self._since = {}, self._clock()
        known = self._known
        missing = [value for value in values if value not in known]
        if missing:
            known.update(await self._look_up(missing))
            made = sorted(value for value in missing if value not in known)
            if made:
                await self._pool.execute(self._make, *columns(made))
                known.update(await self._look_up(made))
        return known

    def forget(self, tenants: Collection[int]) -> None:
        """Look the values of these tenants up again when they are needed next."""
        self._known = {value: number for value, number in self._known.items() if value[0] not in tenants}

    async def _look_up(self, values: Collection[Value]) -> dict[Value, int]:
        """The ids of those that have a row. The mark of an unused one is removed; one that a purge deletes meanwhile has none."""
        rows = await self._pool.fetch(self._find, *columns(values))
        unused = {number for number, _, _, unused in rows if unused}
        if unused:
            unused -= {row[0] for row in await self._pool.fetch(self._use, sorted(unused))}
        return {(tenant, value): number for number, tenant, value, _ in rows if number not in unused}


def columns(values: Collection[Value]) -> tuple[list[int], list[str]]:
    """Pairs as the two arrays that `unnest` takes."""
    return [tenant for tenant, _ in values], [value for _, value in values]

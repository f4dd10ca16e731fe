"""Store contributions as rows of integers, and write only the difference to the rows that are stored."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.metrics.domain.contributions import Contribution
from services.metrics.store.interning import Interner
from services.metrics.store.subjects import Subject
from shared.events import DIMENSIONS

COLUMNS = ("subject_id", "tenant", "measure", "at", "bin", "amount", *DIMENSIONS, "customer", "themes", "urgency", "own")
COLUMN_LIST = ", ".join(COLUMNS)
TENANT, MEASURE, AT = 1, 2, 3

Row = tuple[Any, ...]
"""A contribution in the order of COLUMNS, with ids for names."""

Derived = tuple[Subject, int, Sequence[Contribution]]
"""A subject's contributions of one generation: the tenant's number for the served one, its negative for one that is built."""

Touch = tuple[int, int, datetime]
"""Where a row was added or deleted: tenant, measure, instant."""


class RowEncoder:
    """Turns contributions into rows. Names that are new get their ids."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._measures = Interner(pool, "measures")
        self._terms = Interner(pool, "terms")
        self._customers = Interner(pool, "customers")

    def forget_measures(self, tenants: Collection[int]) -> None:
        """Look up the measures of these tenants again: a build has exchanged their generations."""
        self._measures.forget({number for tenant in tenants for number in (tenant, -tenant)})

    async def rows(self, contributions: Iterable[Derived]) -> list[Row]:
        """The rows of the contributions of each subject."""
        contributions = list(contributions)
        pairs = [(subject, c) for subject, _, several in contributions for c in several]
        generations = [generation for _, generation, several in contributions for _ in several]
        dims = {(s.tenant, c.dims) for s, c in pairs}
        lists = {(s.tenant, names) for s, c in pairs for names in (c.themes, c.urgency) if names}
        own = {(s.tenant, c.own) for s, c in pairs if c.own}
        measures = await self._measures.ids(
            {(generation, c.measure) for generation, (_, c) in zip(generations, pairs, strict=True)}
        )
        terms = await self._terms.ids(
            {(tenant, name) for tenant, names in dims | lists | own for name in names if name is not None}
        )
        customers = await self._customers.ids({(s.tenant, c.customer) for s, c in pairs if c.customer})
        dims_ids = {
            (tenant, names): tuple(None if name is None else terms[tenant, name] for name in names)
            for tenant, names in dims | own
        }
        list_ids = {(tenant, names): tuple(sorted(terms[tenant, name] for name in names)) for tenant, names in lists}
        return [
            (
                s.id,
                s.tenant,
                measures[generation, c.measure],
                c.at,
                c.bin,
                c.amount,
                *dims_ids[s.tenant, c.dims],
                customers[s.tenant, c.customer] if c.customer else None,
                list_ids.get((s.tenant, c.themes)),
                list_ids.get((s.tenant, c.urgency)),
                dims_ids[s.tenant, c.own] if c.own else None,
            )
            for generation, (s, c) in zip(generations, pairs, strict=True)
        ]


async def replace(connection: asyncpg.Connection, subjects: Iterable[Subject], rows: Iterable[Row]) -> set[Touch]:
    """Make `rows` the contributions of `subjects`, which must be locked. Only the difference of the two multisets is written."""
    expected = Counter(rows)
    stored: defaultdict[Row, list[Any]] = defaultdict(list)
    known = [subject.id for subject in subjects if not subject.fresh]
    if known:
        query = f"SELECT ctid, {COLUMN_LIST} FROM contributions WHERE subject_id = ANY($1)"  # noqa: S608
        for ctid, *values, themes, urgency, own in await connection.fetch(query, known):
            stored[(*values, themes and tuple(themes), urgency and tuple(urgency), own and tuple(own))].append(ctid)
    surplus = {row: ctids[expected[row] :] for row, ctids in stored.items() if len(ctids) > expected[row]}
    missing = expected - Counter({row: len(ctids) for row, ctids in stored.items()})
    if surplus:
        # a ctid does not change: nobody else may touch the rows of a locked subject, and what moves rows locks the whole table
        deleted = [ctid for ctids in surplus.values() for ctid in ctids]
        await connection.execute("DELETE FROM contributions WHERE ctid = ANY($1::tid[])", deleted)
    if missing:
        records = sorted(missing.elements(), key=touch)
        await connection.copy_records_to_table("contributions", records=records, columns=COLUMNS)
    return {touch(row) for changed in (surplus, missing) for row in changed}


def touch(row: Row) -> Touch:
    """Where the row counts. Queries read rows in this order, so they are written in it."""
    return row[TENANT], row[MEASURE], row[AT]

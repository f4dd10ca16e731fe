"""Store contributions as rows of integers, and write only the difference to the rows that are stored."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import asyncpg

from services.metrics.domain.contributions import Contribution
from services.metrics.store.interning import Interner
from services.metrics.store.subjects import Subject
from shared.events import DIMENSIONS

COLUMNS = ("subject_id", "tenant", "measure", "at", "bin", "amount", *DIMENSIONS, "customer", "themes", "urgency", "own")
COLUMN_LIST = ", ".join(COLUMNS)
SUBJECT, TENANT, MEASURE, AT = 0, 1, 2, 3

Row = tuple[Any, ...]
"""A contribution in the order of COLUMNS, with ids for names."""

Names = tuple[str | None, ...]
Ids = tuple[int | None, ...]

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

    async def rows(self, derived: Iterable[Derived]) -> list[Row]:
        """The rows of the contributions of each subject."""
        derived = list(derived)
        single, lists = _names_of(derived)
        terms = await self._terms.ids({(tenant, name) for tenant, names in single | lists for name in names if name is not None})
        measures = await self._measures.ids({(generation, c.measure) for _, generation, several in derived for c in several})
        customers = await self._customers.ids(
            {(s.tenant, c.customer) for s, _, several in derived for c in several if c.customer}
        )
        single_ids: defaultdict[int, dict[Names, Ids]] = defaultdict(dict)
        for tenant, names in single:
            single_ids[tenant][names] = tuple(None if name is None else terms[tenant, name] for name in names)
        list_ids: defaultdict[int, dict[Names, Ids]] = defaultdict(dict)
        for tenant, names in lists:
            list_ids[tenant][names] = tuple(sorted(terms[tenant, name] for name in names if name is not None))
        return [
            (
                s.id,
                s.tenant,
                measures[generation, c.measure],
                c.at,
                c.bin,
                c.amount,
                *single_ids[s.tenant][c.dims],
                customers[s.tenant, c.customer] if c.customer else None,
                list_ids[s.tenant][c.themes] if c.themes else None,
                list_ids[s.tenant][c.urgency] if c.urgency else None,
                single_ids[s.tenant][c.own] if c.own else None,
            )
            for s, generation, several in derived
            for c in several
        ]


def _names_of(derived: Iterable[Derived]) -> tuple[set[tuple[int, Names]], set[tuple[int, Names]]]:
    """Two sets of tuples, each with its tenant: one value for each dimension, and all values of one multi-valued dimension."""
    single: set[tuple[int, Names]] = set()
    lists: set[tuple[int, Names]] = set()
    for subject, _, several in derived:
        for c in several:
            single.add((subject.tenant, c.dims))
            if c.own:
                single.add((subject.tenant, c.own))
            if c.themes:
                lists.add((subject.tenant, c.themes))
            if c.urgency:
                lists.add((subject.tenant, c.urgency))
    return single, lists


async def replace(connection: asyncpg.Connection, subjects: Iterable[Subject], rows: Iterable[Row]) -> set[Touch]:
    """Make `rows` the contributions of `subjects`, which must be locked. Only the difference of the two multisets is written."""
    known = {subject.id for subject in subjects if not subject.fresh}
    added: list[Row] = []
    expected: Counter[Row] = Counter()
    for row in rows:
        if row[SUBJECT] in known:
            expected[row] += 1
        else:
            added.append(row)
    stored: defaultdict[Row, list[Any]] = defaultdict(list)
    if known:
        query = f"SELECT ctid, {COLUMN_LIST} FROM contributions WHERE subject_id = ANY($1)"  # noqa: S608
        for ctid, *values, themes, urgency, own in await connection.fetch(query, list(known)):
            stored[(*values, themes and tuple(themes), urgency and tuple(urgency), own and tuple(own))].append(ctid)
    surplus = {row: ctids[expected[row] :] for row, ctids in stored.items() if len(ctids) > expected[row]}
    for row, count in expected.items():
        added += [row] * (count - len(stored.get(row, ())))
    if surplus:
        # a ctid does not change: nobody else may touch the rows of a locked subject, and what moves rows locks the whole table
        deleted = [ctid for ctids in surplus.values() for ctid in ctids]
        await connection.execute("DELETE FROM contributions WHERE ctid = ANY($1::tid[])", deleted)
    if added:
        # queries read rows in this order, so they are written in it
        added.sort(key=touch)
        await connection.copy_records_to_table("contributions", records=added, columns=COLUMNS)
    return {*map(touch, surplus), *map(touch, added)}


touch: Callable[[Row], Touch] = itemgetter(TENANT, MEASURE, AT)
"""Where a row counts."""

"""Store contributions as rows of integers, and write only the difference to the rows that are stored."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
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
LISTS, NO_LISTS = slice(-3, None), (None, None, None)
STORED = f"SELECT ctid, {COLUMN_LIST} FROM contributions WHERE subject_id = ANY($1) AND measure <> ALL($2::int[])"  # noqa: S608

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
        names = _names_of(derived)
        terms = await self._terms.ids(
            {(tenant, name) for tenant, values in names.single | names.lists for name in values if name is not None}
        )
        measures = await self._measures.ids(names.measures)
        customers = await self._customers.ids(names.customers)
        single = {key: tuple(None if name is None else terms[key[0], name] for name in key[1]) for key in names.single}
        lists = {key: tuple(sorted(terms[key[0], name] for name in key[1] if name is not None)) for key in names.lists}
        rows: list[Row] = []
        for subject, generation, several in derived:
            tenant, dims = subject.tenant, None
            ids: Ids = ()
            for c in several:
                if c.dims is not dims:  # contributions of one time share the tuple, which has a slow hash
                    dims, ids = c.dims, single[tenant, c.dims]
                rows.append(
                    (
                        subject.id,
                        tenant,
                        measures[generation, c.measure],
                        c.at,
                        c.bin,
                        c.amount,
                        *ids,
                        customers[tenant, c.customer] if c.customer else None,
                        lists[tenant, c.themes] if c.themes else None,
                        lists[tenant, c.urgency] if c.urgency else None,
                        single[tenant, c.own] if c.own else None,
                    )
                )
        return rows


@dataclass(frozen=True, slots=True)
class _Names:
    """The different names of contributions, each with its tenant: tuples with one value for each dimension, tuples of all values
    of one multi-valued dimension, measures by the generation's number, and customers."""

    single: set[tuple[int, Names]] = field(default_factory=set)
    lists: set[tuple[int, Names]] = field(default_factory=set)
    measures: set[tuple[int, str]] = field(default_factory=set)
    customers: set[tuple[int, str]] = field(default_factory=set)


def _names_of(derived: Iterable[Derived]) -> _Names:
    names = _Names()
    for subject, generation, several in derived:
        tenant, dims, customer = subject.tenant, None, None
        for c in several:
            names.measures.add((generation, c.measure))
            if c.dims is not dims:
                dims = c.dims
                names.single.add((tenant, c.dims))
            if c.customer and c.customer is not customer:
                customer = c.customer
                names.customers.add((tenant, c.customer))
            if c.own:
                names.single.add((tenant, c.own))
            if c.themes:
                names.lists.add((tenant, c.themes))
            if c.urgency:
                names.lists.add((tenant, c.urgency))
    return names


async def replace(
    connection: asyncpg.Connection, subjects: Iterable[Subject], rows: Iterable[Row], others: Collection[int] = ()
) -> list[Touch]:
    """Make `rows` the contributions of `subjects`, which must be locked. Only the difference of the two multisets is written.

    Contributions of the measures `others` are left as they are. Returns where rows were deleted, and where rows were added.
    """
    known = {subject.id for subject in subjects if not subject.fresh}
    stored: dict[Row, list[Any]] = {}
    for record in await connection.fetch(STORED, list(known), list(others)) if known else ():
        ctid, row = record[0], record[1:]
        if row[LISTS] != NO_LISTS:
            row = (*row[:-3], *(None if one is None else tuple(one) for one in row[LISTS]))
        stored.setdefault(row, []).append(ctid)
    subjects_with_rows = {row[SUBJECT] for row in stored}
    added: list[Row] = []
    for row in rows:
        if row[SUBJECT] in subjects_with_rows and (equal := stored.get(row)):
            equal.pop()
        else:
            added.append(row)
    surplus = {row: ctids for row, ctids in stored.items() if ctids}
    if surplus:
        # a ctid does not change: nobody else may touch the rows of a locked subject, and what moves rows locks the whole table
        deleted = [ctid for ctids in surplus.values() for ctid in ctids]
        await connection.execute("DELETE FROM contributions WHERE ctid = ANY($1::tid[])", deleted)
    if added:
        # queries read rows in this order, so they are written in it
        for column in (AT, MEASURE, TENANT):  # three sorts by one column each take half the time of one sort by tuples
            added.sort(key=itemgetter(column))
        await connection.copy_records_to_table("contributions", records=added, columns=COLUMNS)
    return [*map(touch, surplus), *map(touch, added)]


touch: Callable[[Row], Touch] = itemgetter(TENANT, MEASURE, AT)
"""Where a row counts."""

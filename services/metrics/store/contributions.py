"""Contributions as rows, and the writing of what changed in them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.metrics.domain.contributions import Contribution
from services.metrics.store.interning import Interner
from services.metrics.store.subjects import Subject
from shared.events import DIMENSIONS

COLUMNS = ("subject_id", "tenant", "measure", "at", "bin", "amount", *DIMENSIONS, "customer")
COLUMN_LIST = ", ".join(COLUMNS)
TENANT, MEASURE, AT = 1, 2, 3

Row = tuple[Any, ...]
"""A contribution in the order of COLUMNS, all its values as numbers."""

Touch = tuple[int, int, datetime]
"""Where a row was added or taken away: tenant, measure, instant."""


class Rows:
    """Turns contributions into rows."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._measures = Interner(pool, "measures")
        self._terms = Interner(pool, "terms")
        self._customers = Interner(pool, "customers")

    async def of(self, found: Iterable[tuple[Subject, Sequence[Contribution]]]) -> list[Row]:
        """The rows of each subject's contributions; values seen for the first time get their numbers here."""
        found = list(found)
        alike = {(subject.tenant, c.dims) for subject, several in found for c in several}
        measures = await self._measures.ids({(s.tenant, c.measure) for s, several in found for c in several})
        terms = await self._terms.ids({(tenant, value) for tenant, dims in alike for value in dims if value is not None})
        customers = await self._customers.ids({(s.tenant, c.customer) for s, several in found for c in several if c.customer})
        numbered = {
            (tenant, dims): tuple(None if value is None else terms[tenant, value] for value in dims) for tenant, dims in alike
        }
        return [
            (
                s.id,
                s.tenant,
                measures[s.tenant, c.measure],
                c.at,
                c.bin,
                c.amount,
                *numbered[s.tenant, c.dims],
                customers[s.tenant, c.customer] if c.customer else None,
            )
            for s, several in found
            for c in several
        ]


async def replace(connection: asyncpg.Connection, subjects: Iterable[Subject], rows: Iterable[Row]) -> set[Touch]:
    """Make `rows` the contributions of `subjects`, which are locked, by writing the difference of the two multisets."""
    wanted = Counter(rows)
    places: defaultdict[Row, list[Any]] = defaultdict(list)
    known = [subject.id for subject in subjects if not subject.fresh]
    if known:
        query = f"SELECT ctid, {COLUMN_LIST} FROM contributions WHERE subject_id = ANY($1)"  # noqa: S608
        for place, *row in await connection.fetch(query, known):
            places[tuple(row)].append(place)
    surplus = {row: found[wanted[row] :] for row, found in places.items() if len(found) > wanted[row]}
    missing = wanted - Counter({row: len(found) for row, found in places.items()})
    if surplus:
        # a ctid holds still: nobody else may touch the rows of a locked subject, and what moves rows locks the whole table
        gone = [place for found in surplus.values() for place in found]
        await connection.execute("DELETE FROM contributions WHERE ctid = ANY($1::tid[])", gone)
    if missing:
        records = sorted(missing.elements(), key=touch)
        await connection.copy_records_to_table("contributions", records=records, columns=COLUMNS)
    return {touch(row) for changed in (surplus, missing) for row in changed}


def touch(row: Row) -> Touch:
    """Where the row counts: also the order in which queries read rows, and so the order of writing them."""
    return row[TENANT], row[MEASURE], row[AT]

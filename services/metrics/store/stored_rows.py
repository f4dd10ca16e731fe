"""Stored contributions with their names, in a form that can be compared with contributions that are computed again."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

import asyncpg

from services.metrics.domain.contributions import Contribution
from services.metrics.domain.measure import MULTI_VALUED
from services.metrics.store.subjects import Subject
from shared.events import DIMENSIONS


def _names(column: str) -> str:
    return f"(SELECT array_agg(t.term) FROM unnest(c.{column}) AS v (id) LEFT JOIN terms t USING (id))"  # noqa: S608


STORED = f"""
    SELECT c.subject_id, c.tenant, m.tenant, m.name, c.at, c.bin, c.amount,
        {", ".join(f"{d}_.term" for d in DIMENSIONS)}, cu.pseudonym,
        {", ".join(map(_names, MULTI_VALUED.values()))},
        (SELECT array_agg(t.term ORDER BY v.place)
         FROM unnest(c.own) WITH ORDINALITY AS v (id, place) LEFT JOIN terms t USING (id))
    FROM contributions c
    LEFT JOIN measures m ON m.id = c.measure
    {" ".join(f"LEFT JOIN terms {d}_ ON {d}_.id = c.{d}" for d in DIMENSIONS)}
    LEFT JOIN customers cu ON cu.id = c.customer
    WHERE c.subject_id = ANY($1) AND coalesce(m.tenant, 0) <> -c.tenant
"""  # noqa: S608
"""Contributions of the served generation; those of a build that is running, or was finished, are in no answer."""

Plain = tuple[object, ...]
"""A contribution as a tuple that can be compared."""


def plain(c: Contribution) -> Plain:
    """A contribution as a tuple that can be compared with a stored row."""
    return c.measure, c.at, c.bin, c.amount, *c.dims, c.customer, c.themes, c.urgency, c.own


def stored_plain(row: Iterable[Any]) -> Plain:
    """The last columns of a row of STORED, from the measure on, in the form of `plain`. A deleted name is "?"."""
    *values, themes, urgency, own = row
    return (*values, sorted_names(themes), sorted_names(urgency), tuple(own or ()))


def sorted_names(names: Iterable[str | None] | None) -> tuple[str, ...]:
    """Names of a multi-valued dimension in order; deleted ones are "?"."""
    return tuple(sorted("?" if name is None else name for name in names or ()))


def contribution_of(row: Iterable[Any]) -> Contribution:
    """A row of STORED as a contribution. A deleted name is "?"."""
    _, _, _, measure, at, place, amount, *dims, customer, themes, urgency, own = row
    names = sorted_names(themes), sorted_names(urgency)
    return Contribution(measure, at, place, amount, tuple(dims), customer, *names, tuple(own or ()))


async def stored_rows(
    connection: asyncpg.Connection, tenant: int, measure: int, start: datetime, end: datetime
) -> AsyncIterator[Contribution]:
    """The stored contributions of a measure, by its number, in [start, end), read as they are needed."""
    query = STORED.replace("c.subject_id = ANY($1)", "c.tenant = $1 AND c.measure = $2 AND c.at >= $3 AND c.at < $4")
    async for row in connection.cursor(query, tenant, measure, start, end, prefetch=2000):
        yield contribution_of(row)


async def read_contributions(connection: asyncpg.Connection, subjects: Iterable[Subject]) -> defaultdict[int, Counter[Plain]]:
    """The stored contributions of each subject, with names. A row of another tenant or its measure is marked as astray."""
    tenant_of = {subject.id: subject.tenant for subject in subjects}
    stored: defaultdict[int, Counter[Plain]] = defaultdict(Counter)
    for subject, tenant, owner, *row in await connection.fetch(STORED, list(tenant_of)):
        astray = tenant != tenant_of[subject] or owner != tenant
        values = stored_plain(row)
        stored[subject][(*values, "astray") if astray else values] += 1
    return stored


def difference(subject: Subject, expected: Counter[Plain], stored: Counter[Plain]) -> list[str]:
    """One line if the contributions of a subject differ."""
    missing, surplus = expected - stored, stored - expected
    if not missing and not surplus:
        return []
    measure, at, *_ = min((*missing, *surplus), key=lambda row: (str(row[1]), str(row[0])))
    first = f"the first: {measure} at {at.isoformat() if isinstance(at, datetime) else at}"
    return [f"{subject.name}: {missing.total()} contributions missing, {surplus.total()} too many; {first}"]

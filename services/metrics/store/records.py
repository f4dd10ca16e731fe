"""The records behind a number: contributions, newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

import asyncpg
import msgspec

from services.metrics.store.cursors import Cursor
from services.metrics.store.selection import Parameters, Scope, conditions
from services.metrics.store.subjects import Subject, load
from shared.events import DIMENSIONS


class Place(Cursor, frozen=True, array_like=True):
    """Where a page ended: the instant and subject of its last record, and how many records of both have been given."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    subject_id: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    given: Annotated[int, msgspec.Meta(ge=0, le=2**31)]


@dataclass(frozen=True, slots=True)
class Record:
    """A contribution with its names. `subject` has its statements and scores only after `loaded`."""

    subject: Subject
    measure: str
    at: datetime
    bin: int
    amount: int
    dims: dict[str, str | None]


FOUND = """
    SELECT f.* FROM unnest($2::int[]) AS m (measure) CROSS JOIN LATERAL (
        SELECT c.* FROM contributions c
        WHERE c.tenant = $1 AND c.measure = m.measure AND c.at >= $3 AND c.at < $4
          AND ($5::timestamptz IS NULL OR (c.at, c.subject_id) <= ($5, $6::bigint)) {conditions}
        ORDER BY c.at DESC, c.subject_id DESC LIMIT $7::bigint + $8::bigint
    ) f
"""

LATEST = """
    SELECT f.* FROM (
        SELECT c.* FROM (
            SELECT DISTINCT ON (c.customer, CASE WHEN c.customer IS NULL THEN c.ctid END) c.*
            FROM contributions c JOIN subjects s ON s.id = c.subject_id JOIN measures m ON m.id = c.measure
            WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $3 AND c.at < $4 {conditions}
            ORDER BY c.customer, CASE WHEN c.customer IS NULL THEN c.ctid END,
                c.at DESC, s.subject DESC, m.name DESC, c.bin DESC, c.amount DESC
        ) c
        WHERE $5::timestamptz IS NULL OR (c.at, c.subject_id) <= ($5, $6::bigint)
        ORDER BY c.at DESC, c.subject_id DESC LIMIT $7::bigint + $8::bigint
    ) f
"""

STANDING = """
    SELECT DISTINCT ON (c.at, c.subject_id) c.* FROM (
        SELECT c.*, max(c.at) OVER own AS latest, sum(c.amount) OVER own AS level,
            max(c.amount) OVER (PARTITION BY c.subject_id, c.at) AS up
        FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $3 AND c.at < $4 {conditions}
        WINDOW own AS (PARTITION BY c.subject_id)
    ) c
    WHERE c.level > 0 AND c.at = c.latest AND c.amount = c.up
      AND ($5::timestamptz IS NULL OR (c.at, c.subject_id) <= ($5, $6::bigint))
    ORDER BY c.at DESC, c.subject_id DESC LIMIT $7::bigint + $8::bigint
"""

NAMED = """
    SELECT f.subject_id, f.tenant, s.subject, f.measure, f.at, f.bin, f.amount, {names}
    FROM ({found}) f JOIN subjects s ON s.id = f.subject_id {joins}
    ORDER BY f.at DESC, f.subject_id DESC, f.measure, f.bin, f.amount, f.themes, f.urgency LIMIT $7::bigint OFFSET $8::bigint
"""

NAMES = ", ".join(f"{dimension}_.term AS {dimension}" for dimension in DIMENSIONS)
JOINS = " ".join(f"LEFT JOIN terms {dimension}_ ON {dimension}_.id = f.{dimension}" for dimension in DIMENSIONS)


async def records(
    connection: asyncpg.Connection,
    scope: Scope,
    start: datetime,
    end: datetime,
    limit: int,
    after: Place | None,
    *,
    standing: bool = False,
) -> tuple[list[Record], Place | None]:
    """Up to `limit` records of [start, end), newest first, and where the next page begins.

    `standing`: the subjects whose ups and downs come to more than nothing, each once, by the last of them.
    """
    values = [scope.tenant, list(scope.measures), start, end]
    where = (after.at, after.subject_id) if after else (None, None)
    parameters = Parameters(*values, *where, limit + 1, after.given if after else 0)
    template = STANDING if standing else LATEST if scope.selection.per_respondent else FOUND
    found = template.format(conditions=conditions(scope, parameters))
    rows = await connection.fetch(NAMED.format(found=found, names=NAMES, joins=JOINS), *parameters.values)
    page = [record(row, scope) for row in rows[:limit]]
    return page, following(rows[:limit], after) if len(rows) > limit else None


async def loaded(connection: asyncpg.Connection, page: Sequence[Record]) -> list[Record]:
    """These records with subjects that hold their statements and scores; records of one subject share it."""
    subjects = {one.subject.id: replace(one.subject) for one in page}
    await load(connection, subjects.values())
    return [replace(one, subject=subjects[one.subject.id]) for one in page]


def record(row: asyncpg.Record, scope: Scope) -> Record:
    dims = {dimension: row[dimension] for dimension in DIMENSIONS}
    subject = Subject(row["subject_id"], row["tenant"], row["subject"], fresh=False)
    return Record(subject, scope.measures[row["measure"]], row["at"], row["bin"], row["amount"], dims)


def following(rows: Sequence[Any], after: Place | None) -> Place:
    """The cursor behind the last of `rows`."""
    at, subject_id = rows[-1]["at"], rows[-1]["subject_id"]
    given = sum((row["at"], row["subject_id"]) == (at, subject_id) for row in rows)
    if after and (after.at, after.subject_id) == (at, subject_id):
        given += after.given
    return Place(at, subject_id, given)

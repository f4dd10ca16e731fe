"""The records of a KPI: contributions with names in place of ids, newest first, page by page."""

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


class RecordCursor(Cursor, frozen=True, array_like=True):
    """Where a page ended: the instant and the subject of its last record, and how many records of both were on pages so far."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    subject_id: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    listed: Annotated[int, msgspec.Meta(ge=0, le=2**31)]


@dataclass(frozen=True, slots=True)
class NamedContribution:
    """A contribution with names in place of ids. `subject` has its statements and scores after `load_subjects` only."""

    subject: Subject
    measure: str
    at: datetime
    bin: int
    amount: int
    dims: dict[str, str | None]


SELECTED = """
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
                c.at DESC, s.subject COLLATE "C" DESC, m.name COLLATE "C" DESC, c.bin DESC, c.amount DESC, c.themes, c.urgency
        ) c
        WHERE $5::timestamptz IS NULL OR (c.at, c.subject_id) <= ($5, $6::bigint)
        ORDER BY c.at DESC, c.subject_id DESC LIMIT $7::bigint + $8::bigint
    ) f
"""

OPEN = """
    SELECT DISTINCT ON (c.at, c.subject_id) c.* FROM (
        SELECT c.*, max(c.at) OVER of_subject AS latest, sum(c.amount) OVER of_subject AS level,
            max(c.amount) OVER (PARTITION BY c.subject_id, c.at) AS up
        FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= $3 AND c.at < $4 {conditions}
        WINDOW of_subject AS (PARTITION BY c.subject_id)
    ) c
    WHERE c.level > 0 AND c.at = c.latest AND c.amount = c.up
      AND ($5::timestamptz IS NULL OR (c.at, c.subject_id) <= ($5, $6::bigint))
    ORDER BY c.at DESC, c.subject_id DESC LIMIT $7::bigint + $8::bigint
"""

NAMED = """
    SELECT f.subject_id, f.tenant, s.subject, f.measure, f.at, f.bin, f.amount, {names}
    FROM ({selected}) f JOIN subjects s ON s.id = f.subject_id {joins}
    ORDER BY f.at DESC, f.subject_id DESC, f.measure, f.bin, f.amount, f.themes, f.urgency LIMIT $7::bigint OFFSET $8::bigint
"""

COLUMNS = {dimension: dimension for dimension in DIMENSIONS}
"""The column of each dimension that every tenant has, by its name in the result of NAMED."""


async def records(
    connection: asyncpg.Connection,
    scope: Scope,
    start: datetime,
    end: datetime,
    limit: int,
    after: RecordCursor | None,
    *,
    open_only: bool = False,
) -> tuple[list[NamedContribution], RecordCursor | None]:
    """Up to `limit` records in [start, end), newest first, and where the next page begins, None at the end.

    `open_only`: of each subject whose amounts have a positive sum its latest record, and no others.
    """
    values = [scope.tenant, list(scope.measures), start, end]
    where = (after.at, after.subject_id) if after else (None, None)
    parameters = Parameters(*values, *where, limit + 1, after.listed if after else 0)
    template = OPEN if open_only else LATEST if scope.selection.per_respondent else SELECTED
    selected = template.format(conditions=conditions(scope, parameters))
    names, joins = name_joins(scope)
    rows = await connection.fetch(NAMED.format(selected=selected, names=names, joins=joins), *parameters.values)
    page = [_record(row, scope) for row in rows[:limit]]
    return page, _next_place(rows[:limit], after) if len(rows) > limit else None


def name_joins(scope: Scope) -> tuple[str, str]:
    """SQL of the names of a contribution `f` in each dimension, for `dims_of`, and of the joins that they need."""
    columns = COLUMNS | {f"own_{place}": f"own[{place}]" for place in range(1, len(scope.selection.own) + 1)}
    names = ", ".join(f"{name}_.term AS {name}" for name in columns)
    return names, " ".join(f"LEFT JOIN terms {name}_ ON {name}_.id = f.{column}" for name, column in columns.items())


def dims_of(row: asyncpg.Record, scope: Scope) -> dict[str, str | None]:
    """The values of a row with the names of `name_joins`, by dimension."""
    own = {dimension: row[f"own_{place}"] for place, dimension in enumerate(scope.selection.own, start=1)}
    return {dimension: row[dimension] for dimension in DIMENSIONS} | own


async def load_subjects(connection: asyncpg.Connection, page: Sequence[NamedContribution]) -> list[NamedContribution]:
    """The records with the statements and scores of their subjects. Records of one subject share it."""
    subjects = {record.subject.id: replace(record.subject) for record in page}
    await load(connection, subjects.values())
    return [replace(record, subject=subjects[record.subject.id]) for record in page]


def _record(row: asyncpg.Record, scope: Scope) -> NamedContribution:
    return NamedContribution(
        subject=Subject(row["subject_id"], row["tenant"], row["subject"], fresh=False),
        measure=scope.measures[row["measure"]],
        at=row["at"],
        bin=row["bin"],
        amount=row["amount"],
        dims=dims_of(row, scope),
    )


def _next_place(rows: Sequence[Any], after: RecordCursor | None) -> RecordCursor:
    """The cursor after the last of `rows`."""
    at, subject_id = rows[-1]["at"], rows[-1]["subject_id"]
    listed = sum((row["at"], row["subject_id"]) == (at, subject_id) for row in rows)
    if after and (after.at, after.subject_id) == (at, subject_id):
        listed += after.listed
    return RecordCursor(at, subject_id, listed)

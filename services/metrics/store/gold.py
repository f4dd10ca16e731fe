"""A tenant's gold, page by page. Its order does not change while more arrives."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import asyncpg
import msgspec

from services.metrics.domain.gold import Gold, gold
from services.metrics.domain.view import view
from services.metrics.store.cursors import Cursor
from services.metrics.store.derivation import decode_scores
from services.metrics.store.subjects import Subject, load


class GoldCursor(Cursor, frozen=True, array_like=True):
    """Where a page ended: a subject, and the last of its comments on the page; `""`: the page begins with the subject."""

    subject_id: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    comment: Annotated[str, msgspec.Meta(max_length=64)]


BEGINNING = GoldCursor(0, "")


@dataclass(frozen=True, slots=True)
class GoldRow:
    """A row of gold and its subject."""

    subject: Subject
    gold: Gold


SUBJECTS = """
    SELECT s.id, s.tenant, s.subject FROM subjects s JOIN tenants t ON t.id = s.tenant
    WHERE t.slug = $1 AND s.judged AND NOT s.erased AND s.id >= $2 ORDER BY s.id LIMIT $3
"""


async def page(
    connection: asyncpg.Connection, tenant: str, model: str, after: GoldCursor, limit: int
) -> tuple[list[GoldRow], GoldCursor | None]:
    """Up to `limit` rows after `after`, and where the next page begins, None at the end.

    At most `limit` + 1 subjects are read, so a page may have fewer rows, even none, without being the last.
    """
    rows = await connection.fetch(SUBJECTS, tenant, after.subject_id, limit + 1)
    subjects = [Subject(number, tenant_id, name, fresh=False) for number, tenant_id, name in rows]
    await load(connection, subjects)
    return await asyncio.to_thread(page_of, subjects, after, model, limit)


def page_of(subjects: Sequence[Subject], after: GoldCursor, model: str, limit: int) -> tuple[list[GoldRow], GoldCursor | None]:
    """The page of these subjects. Slow for long histories: run it off the event loop."""
    page: list[GoldRow] = []
    for row in _rows_after(subjects, after, model):
        if len(page) == limit:
            return page, GoldCursor(page[-1].subject.id, page[-1].gold.comment)
        page.append(row)
    return page, GoldCursor(subjects[-1].id + 1, "") if len(subjects) > limit else None


def _rows_after(subjects: Sequence[Subject], after: GoldCursor, model: str) -> Iterator[GoldRow]:
    for subject in subjects:
        for row in gold(view(subject.statements.values()), decode_scores(subject.scores), model):
            if (subject.id, row.comment) > (after.subject_id, after.comment):
                yield GoldRow(subject, row)

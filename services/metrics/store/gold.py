"""The gold of a tenant, page by page, in an order that what is still coming in doesn't disturb."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import asyncpg
import msgspec

from services.metrics.domain.gold import Gold, gold
from services.metrics.domain.view import view
from services.metrics.store.cursors import Cursor
from services.metrics.store.subjects import Subject, load
from services.metrics.store.writer import decoded


class Place(Cursor, frozen=True, array_like=True):
    """Where a page ended: a subject, and the last of its comments that was given; `""`: the next comment is its first."""

    subject_id: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    comment: Annotated[str, msgspec.Meta(max_length=64)]


BEGINNING = Place(0, "")


@dataclass(frozen=True, slots=True)
class Found:
    """A row of gold and whose it is."""

    subject: Subject
    gold: Gold


JUDGED = """
    SELECT s.id, s.tenant, s.subject FROM subjects s JOIN tenants t ON t.id = s.tenant
    WHERE t.slug = $1 AND s.judged AND NOT s.erased AND s.id >= $2 ORDER BY s.id LIMIT $3
"""


async def page(
    connection: asyncpg.Connection, tenant: str, model: str, after: Place, limit: int
) -> tuple[list[Found], Place | None]:
    """Up to `limit` rows behind `after`, and where to go on, None at the end.

    At most `limit` + 1 subjects are looked at, so a page may hold fewer rows, even none, without being the last.
    """
    rows = await connection.fetch(JUDGED, tenant, after.subject_id, limit + 1)
    subjects = [Subject(number, tenant_id, name, fresh=False) for number, tenant_id, name in rows]
    await load(connection, subjects)
    return await asyncio.to_thread(cut, subjects, after, model, limit)


def cut(subjects: Sequence[Subject], after: Place, model: str, limit: int) -> tuple[list[Found], Place | None]:
    """The page that these subjects make. Pure, and long enough to be kept off the event loop."""
    found: list[Found] = []
    for one in _behind(subjects, after, model):
        if len(found) == limit:
            return found, Place(found[-1].subject.id, found[-1].gold.comment)
        found.append(one)
    return found, Place(subjects[-1].id + 1, "") if len(subjects) > limit else None


def _behind(subjects: Sequence[Subject], after: Place, model: str) -> Iterator[Found]:
    for subject in subjects:
        for one in gold(view(subject.statements.values()), decoded(subject.scores), model):
            if (subject.id, one.comment) > (after.subject_id, after.comment):
                yield Found(subject, one)

"""Two models' labels of the same comments, from contributions.

Nearly every comment is alone at its instant of its subject; there the two label rows of that instant are of one comment, and SQL
counts them. Where a subject has several at one instant, as a survey with two questions, nothing in the rows tells which belong
together: these are paired by their texts, from what was said.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.metrics.domain.shadow import Confusion, Pair, pairs
from services.metrics.domain.view import view
from services.metrics.store.selection import NOWHERE, Scope
from services.metrics.store.subjects import Subject, load
from services.metrics.store.writer import decoded

JUDGED = """
    WITH judged AS (
        SELECT c.subject_id, c.at, count(*) FILTER (WHERE c.measure = $2) AS comments,
            min(c.amount) FILTER (WHERE c.measure = $3) AS before, min(c.amount) FILTER (WHERE c.measure = $4) AS after
        FROM contributions c
        WHERE c.tenant = $1 AND c.measure IN ($2, $3, $4) AND c.at >= $5 AND c.at < $6
        GROUP BY 1, 2
    )
"""
COUNTED = f"""
    {JUDGED} SELECT before, after, count(*) FROM judged
    WHERE comments = 1 AND before IS NOT NULL AND after IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608
SEVERAL = f"{JUDGED} SELECT subject_id, at FROM judged WHERE comments > 1"  # noqa: S608
CHANGED = f"""
    {JUDGED} SELECT subject_id, at FROM judged
    WHERE comments = 1 AND before <> after ORDER BY at DESC, subject_id DESC LIMIT $7
"""  # noqa: S608

AT_ONCE = 500
"""Subjects that are loaded and folded in one go."""

Place = tuple[int, datetime]
"""A subject's id and an instant."""


@dataclass(slots=True)
class Comparison:
    """What became of comparing: the counts, and the newest comments whose label would change, with their subjects."""

    confusion: Confusion = field(default_factory=Confusion)
    changed: list[tuple[str, Pair]] = field(default_factory=list)


async def compare(
    connection: asyncpg.Connection, scope: Scope, promoted: str, candidate: str, start: datetime, end: datetime, examples: int
) -> Comparison:
    """Compare the labels in [start, end) that both models have, with up to `examples` of those that differ."""
    numbers = {name: number for number, name in scope.measures.items()}
    wanted = [numbers.get(name, NOWHERE) for name in ("comments", f"label:{promoted}", f"label:{candidate}")]
    values = (scope.tenant, *wanted, start, end)
    found = Comparison()
    for before, after, count in await connection.fetch(COUNTED, *values):
        found.confusion.counts[before, after] += count
    places = [(number, at) for number, at in await connection.fetch(SEVERAL, *values)]
    for subject, pair in await paired(connection, places, promoted, candidate):
        found.confusion.add([pair])
        if pair.changed:
            found.changed.append((subject, pair))
    places = [(number, at) for number, at in await connection.fetch(CHANGED, *values, examples)]
    found.changed += [told for told in await paired(connection, places, promoted, candidate) if told[1].changed]
    found.changed.sort(key=lambda told: (told[1].comment.at, told[0], told[1].comment.text_hash), reverse=True)
    del found.changed[examples:]
    return found


async def paired(
    connection: asyncpg.Connection, places: Sequence[Place], promoted: str, candidate: str
) -> list[tuple[str, Pair]]:
    """The comments at `places`, each with the name of its subject."""
    wanted, found = set(places), []
    ids = sorted({number for number, _ in places})
    for begin in range(0, len(ids), AT_ONCE):
        rows = await connection.fetch("SELECT id, tenant, subject FROM subjects WHERE id = ANY($1)", ids[begin : begin + AT_ONCE])
        subjects = [Subject(number, tenant, name, fresh=False) for number, tenant, name in rows]
        await load(connection, subjects)
        folded = await asyncio.to_thread(fold, subjects, promoted, candidate)
        found += [(subject.name, pair) for subject, pair in folded if (subject.id, pair.comment.at) in wanted]
    return found


def fold(subjects: Sequence[Subject], promoted: str, candidate: str) -> list[tuple[Subject, Pair]]:
    """Every comment of `subjects` with what both models say of it."""
    return [
        (subject, pair)
        for subject in subjects
        for pair in pairs(view(subject.statements.values()), decoded(subject.scores), promoted, candidate)
    ]

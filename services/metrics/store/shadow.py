"""Two models' labels of the same comments, from contributions.

Nearly every comment is alone at its instant of its subject; there the two label rows of that instant are of one comment, and SQL
counts them. Where a subject has several at one instant, as a survey with two questions, nothing in the rows tells which belong
together: these are paired by their texts, from what was said.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.metrics.domain.shadow import Confusion, Pair, pairs
from services.metrics.domain.view import view
from services.metrics.store.selection import NO_ID, Scope
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
SEVERAL = f"""
    {JUDGED} SELECT subject_id, at FROM judged WHERE comments > 1 AND before IS NOT NULL AND after IS NOT NULL ORDER BY subject_id
"""  # noqa: S608
CHANGED = f"""
    {JUDGED} SELECT subject_id, at FROM judged
    WHERE comments = 1 AND before <> after ORDER BY at DESC, subject_id DESC LIMIT $7
"""  # noqa: S608

AT_ONCE = 500
"""Subjects that are loaded and folded in one go."""

Place = tuple[int, datetime]
"""A subject's id and an instant."""

Told = tuple[str, Pair]
"""A comment with what both models say of it, under its subject's name."""


@dataclass(slots=True)
class Comparison:
    """What became of comparing: the counts, and the newest comments whose label would change, the newest first."""

    confusion: Confusion = field(default_factory=Confusion)
    changed: list[Told] = field(default_factory=list)

    def keep(self, found: Sequence[Told], examples: int) -> None:
        """Let `changed` hold the newest `examples` of its own and of those among `found` that differ."""
        differing = [told for told in found if told[1].changed]
        self.changed = heapq.nlargest(examples, [*self.changed, *differing], key=newness)


def newness(told: Told) -> tuple[datetime, str, str]:
    subject, pair = told
    return pair.comment.at, subject, pair.comment.text_hash


async def compare(
    connection: asyncpg.Connection, scope: Scope, promoted: str, candidate: str, start: datetime, end: datetime, examples: int
) -> Comparison:
    """Compare the labels in [start, end) that both models have, with up to `examples` of those that differ."""
    numbers = {name: number for number, name in scope.measures.items()}
    wanted = [numbers.get(name, NO_ID) for name in ("comments", f"label:{promoted}", f"label:{candidate}")]
    values = (scope.tenant, *wanted, start, end)
    found = Comparison()
    for before, after, count in await connection.fetch(COUNTED, *values):
        found.confusion.counts[before, after] += count
    async for places in parts(connection, SEVERAL, *values):
        async for told in paired(connection, places, promoted, candidate):
            found.confusion.add(pair for _, pair in told)
            found.keep(told, examples)
    places = [(number, at) for number, at in await connection.fetch(CHANGED, *values, examples)]
    async for told in paired(connection, places, promoted, candidate):
        found.keep(told, examples)
    return found


async def parts(connection: asyncpg.Connection, query: str, *values: object) -> AsyncIterator[list[Place]]:
    """The places that `query` finds in order of their subjects, those of about AT_ONCE subjects at a time, never half of a
    subject's;
    read as they are needed, in a transaction."""
    part: list[Place] = []
    subjects = 0
    async for number, at in connection.cursor(query, *values, prefetch=AT_ONCE):
        if not part or part[-1][0] != number:
            subjects += 1
            if subjects > AT_ONCE:
                yield part
                part, subjects = [], 1
        part.append((number, at))
    if part:
        yield part


async def paired(
    connection: asyncpg.Connection, places: Sequence[Place], promoted: str, candidate: str
) -> AsyncIterator[list[Told]]:
    """The comments at `places`, those of AT_ONCE subjects at a time."""
    wanted = set(places)
    ids = sorted({number for number, _ in places})
    for begin in range(0, len(ids), AT_ONCE):
        rows = await connection.fetch("SELECT id, tenant, subject FROM subjects WHERE id = ANY($1)", ids[begin : begin + AT_ONCE])
        subjects = [Subject(number, tenant, name, fresh=False) for number, tenant, name in rows]
        await load(connection, subjects)
        folded = await asyncio.to_thread(fold, subjects, promoted, candidate)
        yield [(subject.name, pair) for subject, pair in folded if (subject.id, pair.comment.at) in wanted]


def fold(subjects: Sequence[Subject], promoted: str, candidate: str) -> list[tuple[Subject, Pair]]:
    """Every comment of `subjects` with what both models say of it."""
    return [
        (subject, pair)
        for subject in subjects
        for pair in pairs(view(subject.statements.values()), decoded(subject.scores), promoted, candidate)
    ]

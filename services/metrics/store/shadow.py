"""Compare the labels that two models give to the same comments.

Nearly every comment is the only one of its subject at its instant. Then the two label rows of that instant are of one comment,
and SQL counts them. A subject may have several comments at one instant, as a survey with two questions has. Then the rows don't
tell which belong together, and the comments are paired by their texts, from statements and scores.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.metrics.domain.measures import COMMENTS, LABEL
from services.metrics.domain.shadow import Confusion, Pair, pairs
from services.metrics.domain.view import view
from services.metrics.store.derivation import decode_scores
from services.metrics.store.selection import NO_ID, Scope
from services.metrics.store.subjects import Subject, load

LABELS = """
    WITH labels AS (
        SELECT c.subject_id, c.at, count(*) FILTER (WHERE c.measure = $2) AS comments,
            min(c.amount) FILTER (WHERE c.measure = $3) AS before, min(c.amount) FILTER (WHERE c.measure = $4) AS after
        FROM contributions c
        WHERE c.tenant = $1 AND c.measure IN ($2, $3, $4) AND c.at >= $5 AND c.at < $6
        GROUP BY 1, 2
    )
"""
COUNTED = f"""
    {LABELS} SELECT before, after, count(*) FROM labels
    WHERE comments = 1 AND before IS NOT NULL AND after IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608
SEVERAL = f"""
    {LABELS} SELECT subject_id, at FROM labels WHERE comments > 1 AND before IS NOT NULL AND after IS NOT NULL ORDER BY subject_id
"""  # noqa: S608
CHANGED = f"""
    {LABELS} SELECT subject_id, at FROM labels
    WHERE comments = 1 AND before <> after ORDER BY at DESC, subject_id DESC LIMIT $7
"""  # noqa: S608

SUBJECTS_AT_ONCE = 500

Place = tuple[int, datetime]
"""The id of a subject and an instant."""

NamedPair = tuple[str, Pair]
"""The name of a subject, and one of its comments with the verdicts of both models."""


@dataclass(slots=True)
class ModelComparison:
    """The numbers of equal and different labels, and the newest comments whose labels differ, newest first."""

    confusion: Confusion = field(default_factory=Confusion)
    changed: list[NamedPair] = field(default_factory=list)

    def add_examples(self, pairs: Sequence[NamedPair], limit: int) -> None:
        """Keep in `changed` the newest `limit` of its own and of those of `pairs` whose labels differ."""
        differing = [pair for pair in pairs if pair[1].changed]
        self.changed = heapq.nlargest(limit, [*self.changed, *differing], key=_newness)


def _newness(named: NamedPair) -> tuple[datetime, str, str]:
    subject, pair = named
    return pair.comment.at, subject, pair.comment.text_hash


async def compare(
    connection: asyncpg.Connection, scope: Scope, promoted: str, candidate: str, start: datetime, end: datetime, examples: int
) -> ModelComparison:
    """Compare the comments in [start, end) that both models gave a label, with up to `examples` of those that differ."""
    ids = {name: number for number, name in scope.measures.items()}
    measures = [ids.get(name, NO_ID) for name in (COMMENTS.family, LABEL.named(promoted), LABEL.named(candidate))]
    values = (scope.tenant, *measures, start, end)
    comparison = ModelComparison()
    for before, after, count in await connection.fetch(COUNTED, *values):
        comparison.confusion.counts[before, after] += count
    async for places in _places(connection, SEVERAL, *values):
        async for pairs_of_part in _pairs_at(connection, places, promoted, candidate):
            comparison.confusion.add(pair for _, pair in pairs_of_part)
            comparison.add_examples(pairs_of_part, examples)
    places = [(number, at) for number, at in await connection.fetch(CHANGED, *values, examples)]
    async for pairs_of_part in _pairs_at(connection, places, promoted, candidate):
        comparison.add_examples(pairs_of_part, examples)
    return comparison


async def _places(connection: asyncpg.Connection, query: str, *values: object) -> AsyncIterator[list[Place]]:
    """The places that `query` returns in the order of their subjects, those of about SUBJECTS_AT_ONCE subjects at a time.

    The places of one subject are never divided. They are read as needed, inside a transaction.
    """
    part: list[Place] = []
    subjects = 0
    async for number, at in connection.cursor(query, *values, prefetch=SUBJECTS_AT_ONCE):
        if not part or part[-1][0] != number:
            subjects += 1
            if subjects > SUBJECTS_AT_ONCE:
                yield part
                part, subjects = [], 1
        part.append((number, at))
    if part:
        yield part


async def _pairs_at(
    connection: asyncpg.Connection, places: Sequence[Place], promoted: str, candidate: str
) -> AsyncIterator[list[NamedPair]]:
    """The comments at `places`, those of SUBJECTS_AT_ONCE subjects at a time."""
    chosen = set(places)
    ids = sorted({number for number, _ in places})
    for begin in range(0, len(ids), SUBJECTS_AT_ONCE):
        query = "SELECT id, tenant, subject FROM subjects WHERE id = ANY($1)"
        rows = await connection.fetch(query, ids[begin : begin + SUBJECTS_AT_ONCE])
        subjects = [Subject(number, tenant, name, fresh=False) for number, tenant, name in rows]
        await load(connection, subjects)
        folded = await asyncio.to_thread(_fold, subjects, promoted, candidate)
        yield [(subject.name, pair) for subject, pair in folded if (subject.id, pair.comment.at) in chosen]


def _fold(subjects: Sequence[Subject], promoted: str, candidate: str) -> list[tuple[Subject, Pair]]:
    """Every comment of `subjects` with the verdicts of both models."""
    return [
        (subject, pair)
        for subject in subjects
        for pair in pairs(view(subject.statements.values()), decode_scores(subject.scores), promoted, candidate)
    ]

"""Check a value that depends on too many subjects to recompute it from the statements of all.

The value is counted again from all of its contributions, without stored counts. For a sample of subjects, all contributions are
computed again from their statements and compared with the stored ones. Work and memory don't depend on the size of the window.
"""

import random
from asyncio import to_thread
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from services.metrics.domain.terms import Terms
from services.metrics.store.derivation import fold
from services.metrics.store.selection import Parameters, Scope, conditions
from services.metrics.store.stored_rows import Plain, difference, plain, read_contributions
from services.metrics.store.subjects import Subject, load

INSTANTS = 100
"""Random times of the window at which subjects are drawn."""
AT_EACH = 20
"""Subjects that are drawn at each of them, at most: those with the first contributions after it."""
AT_ONCE = 200
"""Subjects that are in memory at a time."""

DRAW = """
    SELECT DISTINCT s.id, s.subject
    FROM unnest($3::timestamptz[], $4::timestamptz[]) AS i (low, high)
    CROSS JOIN LATERAL (
        SELECT c.subject_id FROM contributions c
        WHERE c.tenant = $1 AND c.measure = ANY($2::int[]) AND c.at >= i.low AND c.at < i.high {conditions}
        ORDER BY c.at LIMIT $5
    ) drawn
    JOIN subjects s ON s.id = drawn.subject_id
    ORDER BY s.id
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """The subjects of a sample, and of how many the stored contributions differ from those that their statements give."""

    subjects: int
    differing: int


async def check_sample(connection: asyncpg.Connection, scope: Scope, terms: Terms, start: datetime, end: datetime) -> Sample:
    """Draw subjects with contributions of the selection in [start, end), and compare all of their contributions.

    Equal windows draw at equal times.
    """
    subjects = await draw(connection, scope, start, end)
    differing = 0
    for first in range(0, len(subjects), AT_ONCE):
        part = [replace(subject) for subject in subjects[first : first + AT_ONCE]]
        await load(connection, part)
        stored = await read_contributions(connection, part)
        expected = await to_thread(computed, part, terms)
        differing += sum(bool(difference(s, rows, stored[s.id])) for s, rows in zip(part, expected, strict=True))
    return Sample(len(subjects), differing)


def computed(subjects: Iterable[Subject], terms: Terms) -> list[Counter[Plain]]:
    """The contributions of loaded subjects. It takes a while: run it off the event loop."""
    return [Counter(map(plain, fold(subject, terms))) for subject in subjects]


async def draw(connection: asyncpg.Connection, scope: Scope, start: datetime, end: datetime) -> list[Subject]:
    """Up to INSTANTS · AT_EACH subjects with contributions of the selection at random times in [start, end)."""
    chance = random.Random(f"{start.isoformat()} {end.isoformat()}")
    lows = sorted(start + (end - start) * chance.random() for _ in range(INSTANTS))
    parameters = Parameters(scope.tenant, list(scope.measures), lows, [*lows[1:], end], AT_EACH)
    rows = await connection.fetch(DRAW.format(conditions=conditions(scope, parameters)), *parameters.values)
    return [Subject(row["id"], scope.tenant, row["subject"], fresh=False) for row in rows]

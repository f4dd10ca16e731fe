"""How many of the comments that count now each model has scored, and subjects with comments that it hasn't."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from services.metrics.domain.measures import ABSTAINED, COMMENTS, LABEL
from services.metrics.store.query import histograms
from services.metrics.store.selection import NO_ID, Selection, resolve

UNSCORED = """
    SELECT s.subject FROM contributions c JOIN subjects s ON s.id = c.subject_id
    WHERE c.tenant = $1 AND c.measure = ANY($2)
    GROUP BY s.id, s.subject HAVING count(*) FILTER (WHERE c.measure = $3) > count(*) FILTER (WHERE c.measure <> $3)
    ORDER BY s.id LIMIT $4
"""

EVER = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Coverage:
    """A tenant's comments, and how many of them have a score of each model; one without a sentiment is a score too."""

    comments: int
    scores: Counter[str]

    def share(self, model: str) -> float | None:
        """The percentage of comments with a score of `model`; None where there are none."""
        return 100 * self.scores[model] / self.comments if self.comments else None


async def coverage(connection: asyncpg.Connection, tenant: str) -> Coverage:
    """The coverage of the tenant's models. Models without a score that counts are left out."""
    scope = await resolve(connection, tenant, Selection((COMMENTS.family, LABEL.named(""), ABSTAINED.named(""))))
    cells = await histograms(connection, scope, EVER) if scope else {}
    measured = cells.get((0, ()), {})
    scores: Counter[str] = Counter()
    for name, histogram in measured.items():
        scores[name.partition(":")[2]] += histogram.n
    return Coverage(scores.pop("", 0), scores)


async def unscored(connection: asyncpg.Connection, tenant: str, model: str, limit: int) -> list[str]:
    """The first `limit` subjects, in the order of their first event, with a comment that `model` hasn't scored."""
    scope = await resolve(connection, tenant, Selection((COMMENTS.family, LABEL.named(model), ABSTAINED.named(model))))
    if scope is None:
        return []
    comments = next((number for number, name in scope.measures.items() if name == COMMENTS.family), NO_ID)
    rows = await connection.fetch(UNSCORED, scope.tenant, list(scope.measures), comments, limit)
    return [row["subject"] for row in rows]

"""How many comments each model has scored: of those that count now, be it all of a tenant's or those of a range."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from services.metrics.store.query import histograms
from services.metrics.store.selection import Selection, resolve

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
    """What the tenant's models have scored. A model that has scored nothing that still counts is not among them."""
    scope = await resolve(connection, tenant, Selection(("comments", "label:", "abstained:")))
    found = await histograms(connection, scope, EVER) if scope else {}
    measured = found.get((0, ()), {})
    scores: Counter[str] = Counter()
    for name, histogram in measured.items():
        scores[name.partition(":")[2]] += histogram.n
    return Coverage(scores.pop("", 0), scores)

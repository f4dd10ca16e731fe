"""Fixtures of the tests of metrics."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import NewDatabase
from tests.service.metrics.database import (
    MetricsDatabase,
    open_metrics_db,
    survey_response,
)
from tests.service.metrics.model_scores import NEW, ago, judged, silent
from tests.unit.metrics.build import words


@pytest.fixture
async def metrics_db(database: NewDatabase) -> AsyncIterator[MetricsDatabase]:
    """An empty database with the tenant acme in Berlin."""
    async with open_metrics_db(await database("metrics")) as metrics_db:
        await metrics_db.tenant()
        yield metrics_db


@pytest.fixture
async def two_models(metrics_db: MetricsDatabase) -> MetricsDatabase:
    """Four comments that VADER scored, one of them a non-answer; the new model has scored two."""
    texts = {1: "great", 2: "awful", 3: "it broke", 4: "n/a"}
    await metrics_db.apply(
        *(survey_response(n, words(text), at=ago(n)) for n, text in texts.items()),
        judged(1, "great", 0.8),
        judged(2, "awful", -0.6),
        judged(3, "it broke", 0.0),
        silent(4, "n/a"),
        judged(1, "great", 0.9, NEW),
        judged(3, "it broke", -0.7, NEW),
    )
    return metrics_db

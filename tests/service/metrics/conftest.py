"""Fixtures of the tests of metrics."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import NewDatabase
from tests.service.metrics.database import (
    MetricsDatabase,
    open_empty_metrics_db,
    open_metrics_db,
    survey_response,
)
from tests.service.metrics.model_scores import NEW, ago, judged, silent
from tests.service.metrics.story import story
from tests.unit.metrics.build import words


@pytest.fixture
async def metrics_db(database: NewDatabase, empty_metrics_databases: list[str]) -> AsyncIterator[MetricsDatabase]:
    """An empty database with the tenant acme in Berlin."""
    async with open_empty_metrics_db(database, empty_metrics_databases) as metrics_db:
        await metrics_db.tenant()
        yield metrics_db


@pytest.fixture(scope="module")
async def url_of_story(database: NewDatabase) -> str:
    """A database in which the events and scores of the story are applied and sealed, to be copied."""
    url = await database("metrics")
    events, scores = story()
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await metrics_db.apply(*events, *scores)
        assert await metrics_db.seal()
    return url


@pytest.fixture
async def metrics_with_story(url_of_story: str, copy_database: NewDatabase) -> AsyncIterator[MetricsDatabase]:
    """A copy of that database."""
    async with open_metrics_db(await copy_database(url_of_story)) as metrics_db:
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

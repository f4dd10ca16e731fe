"""Fixtures of the tests of metrics."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import NewDatabase
from tests.service.metrics.database import MetricsDatabase, open_metrics_db


@pytest.fixture
async def metrics_db(database: NewDatabase) -> AsyncIterator[MetricsDatabase]:
    """An empty database with the tenant acme in Berlin."""
    async with open_metrics_db(await database("metrics")) as metrics_db:
        await metrics_db.tenant()
        yield metrics_db

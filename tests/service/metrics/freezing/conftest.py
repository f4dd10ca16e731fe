"""Fixtures of the tests of freezing: a database in which the story is applied, and what ingest has of it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.service.metrics.database import MetricsDatabase, serving
from tests.service.metrics.freezing.story import NOW, story
from tests.service.metrics.verification import Inbox


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(story()[0])


@pytest.fixture
async def metrics(metrics_db: MetricsDatabase) -> MetricsDatabase:
    await metrics_db.tenant()
    events, scores = story()
    await metrics_db.apply(*events, *scores)
    return metrics_db


@pytest.fixture
async def http(metrics: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(metrics.url, NOW) as http:
        yield http

"""One database with a small story for all tests that only read; those that write take one of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import NewDatabase
from tests.service.metrics.world import World, opened


@pytest.fixture
async def world(database: NewDatabase) -> AsyncIterator[World]:
    """An empty database with the tenant acme in Berlin."""
    async with opened(await database("metrics")) as world:
        await world.tenant()
        yield world

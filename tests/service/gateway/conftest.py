"""The gateway over a real database, with services behind it that the test plays itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.conftest import NewDatabase
from tests.service.gateway.door import Announcements, Behind, Door, opened

OpenDoor = Callable[..., AbstractAsyncContextManager[Door]]


@pytest.fixture(scope="session")
def open_door(database: NewDatabase) -> OpenDoor:
    """`async with open_door(**settings) as door`: a gateway of the test's own."""

    @asynccontextmanager
    async def fresh(**settings: Any) -> AsyncIterator[Door]:
        async with opened(await database("gateway"), Announcements(), **settings) as door:
            yield door

    return fresh


@pytest.fixture(scope="session")
async def door(open_door: OpenDoor) -> AsyncIterator[Door]:
    """One gateway for the tests that need nothing special."""
    async with open_door() as door:
        yield door


@pytest.fixture(autouse=True)
def behind_forgets(request: pytest.FixtureRequest) -> None:
    """What the shared gateway heard and was told to answer ends with the test."""
    if "door" in request.fixturenames:
        behind = request.getfixturevalue("door").behind
        behind.heard.clear()
        behind.answer = Behind().answer

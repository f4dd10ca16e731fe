"""Looked-up connections, remembered for a moment, so that a webhook costs no query."""

import time
from collections.abc import Awaitable, Callable

from services.ingest.domain.connection import Connection
from services.ingest.store.connections import Connections

MOST_REMEMBERED = 50_000


class Directory:
    """Connections by id, and the built-in one by tenant. What another replica changes is heard within `seconds`."""

    def __init__(self, connections: Connections, seconds: float) -> None:
        self._connections = connections
        self._seconds = seconds
        self._known: dict[tuple[str, str], tuple[float, Connection | None]] = {}

    async def find(self, connection: str) -> Connection | None:
        return await self._remembered(("id", connection), self._connections.find)

    async def built_in(self, tenant: str) -> Connection | None:
        return await self._remembered(("api", tenant), self._connections.built_in)

    def forget(self, connection: str) -> None:
        """What was changed here is heard here at once."""
        self._known.pop(("id", connection), None)

    async def _remembered(
        self, key: tuple[str, str], look_up: Callable[[str], Awaitable[Connection | None]]
    ) -> Connection | None:
        now = time.monotonic()
        found = self._known.get(key)
        if found is not None and found[0] > now:
            return found[1]
        connection = await look_up(key[1])
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = (now + self._seconds, connection)
        return connection

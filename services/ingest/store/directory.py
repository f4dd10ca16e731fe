"""Looked-up connections, remembered for a moment, so that a webhook costs no query."""

import asyncio
import time

from services.ingest.domain.connection import Connection
from services.ingest.store.connections import Connections, is_id

MOST_REMEMBERED = 50_000

Key = tuple[str, str]


class Directory:
    """Connections by id, and the built-in one by tenant. What another replica changes is heard within `seconds`."""

    def __init__(self, connections: Connections, seconds: float) -> None:
        self._connections = connections
        self._seconds = seconds
        self._known: dict[Key, tuple[float, Connection | None]] = {}
        self._asked: dict[Key, asyncio.Future[Connection | None]] = {}

    def remembered(self, connection: str) -> Connection | None:
        """The connection if it was looked up a moment ago; None says nothing."""
        found = self._known.get(("id", connection))
        return found[1] if found is not None and found[0] > time.monotonic() else None

    async def find(self, connection: str) -> Connection | None:
        return await self._remembered(("id", connection)) if is_id(connection) else None

    async def built_in(self, tenant: str) -> Connection | None:
        return await self._remembered(("api", tenant))

    def forget(self, connection: str) -> None:
        """What was changed here is heard here at once."""
        self._known.pop(("id", connection), None)
        self._asked.pop(("id", connection), None)

    async def _remembered(self, key: Key) -> Connection | None:
        found = self._known.get(key)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(self._look_up(key))
        return await asyncio.shield(self._asked[key])

    async def _look_up(self, key: Key) -> Connection | None:
        """One query, however many wait for it. What was forgotten meanwhile isn't remembered."""
        asked = self._asked.get(key)
        try:
            kind, name = key
            connection = await (self._connections.find(name) if kind == "id" else self._connections.built_in(name))
            if self._asked.get(key) is asked:
                self._remember(key, connection)
            return connection
        finally:
            if self._asked.get(key) is asked:
                self._asked.pop(key, None)

    def _remember(self, key: Key, connection: Connection | None) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = (time.monotonic() + self._seconds, connection)

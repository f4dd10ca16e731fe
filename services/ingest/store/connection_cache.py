"""A short-lived cache of connections, so a webhook costs no query."""

import asyncio

from cachetools import TTLCache

from services.ingest.domain.connection import Connection
from services.ingest.store.connections import ConnectionSource, is_id

MAX_ENTRIES = 50_000

Key = tuple[str, str]


class ConnectionCache:
    """Connections by id, and the built-in one by tenant. Changes by other replicas are seen within `seconds`."""

    def __init__(self, connections: ConnectionSource, seconds: float) -> None:
        self._connections = connections
        self._entries: TTLCache[Key, Connection | None] = TTLCache(MAX_ENTRIES, seconds)
        self._lookups: dict[Key, asyncio.Task[Connection | None]] = {}

    def cached(self, connection: str) -> Connection | None:
        """The connection with this id if it is cached, without a lookup."""
        try:
            return self._entries[("id", connection)]
        except KeyError:
            return None

    async def find(self, connection: str) -> Connection | None:
        """The connection with this id, also if it is deleted. A text that does not have the form of an id is neither looked up
        nor cached."""
        return await self._cached_or_loaded(("id", connection)) if is_id(connection) else None

    async def built_in(self, tenant: str) -> Connection | None:
        """The tenant's built-in connection."""
        return await self._cached_or_loaded(("api", tenant))

    def invalidate(self, connection: str) -> None:
        """Forget the connection, and the result of a lookup that is in progress."""
        self._entries.pop(("id", connection), None)
        self._lookups.pop(("id", connection), None)

    async def _cached_or_loaded(self, key: Key) -> Connection | None:
        try:
            return self._entries[key]
        except KeyError:
            if key not in self._lookups:
                self._lookups[key] = asyncio.create_task(self._load(key))
            return await asyncio.shield(self._lookups[key])

    async def _load(self, key: Key) -> Connection | None:
        """One query, however many callers wait for it. The result is not cached if `invalidate` was called meanwhile."""
        lookup = asyncio.current_task()
        try:
            kind, name = key
            connection = await (self._connections.find(name) if kind == "id" else self._connections.built_in(name))
            if self._lookups.get(key) is lookup:
                self._entries[key] = connection
            return connection
        finally:
            if self._lookups.get(key) is lookup:
                self._lookups.pop(key, None)

"""Append-only lists of versions, one for each tenant. A revision of the tenant's terms consists of the first versions of a list,
up to a number."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import asyncpg
import msgspec
from cachetools import LRUCache

Version = TypeVar("Version")
Whole = TypeVar("Whole")

Beginning = tuple[int, int]
"""A tenant's number, and how many of its versions count."""

READ = """
    SELECT v.tenant, wanted.versions, v.body
    FROM unnest($1::int[], $2::int[]) AS wanted (tenant, versions)
    JOIN {table} v ON v.tenant = wanted.tenant AND v.number <= wanted.versions ORDER BY v.tenant, wanted.versions, v.number
"""
READ_SOME = "SELECT number, body FROM {table} WHERE tenant = $1 AND number = ANY($2::int[])"
LIST = "SELECT body, made_at FROM {table} WHERE tenant = $1 ORDER BY number"
ADD = """
    INSERT INTO {table} (tenant, number, body, made_at)
    SELECT $1, 1 + count(*), $2, $3 FROM {table} WHERE tenant = $1 RETURNING number
"""


@dataclass(frozen=True, slots=True)
class Versions(Generic[Version]):
    """The versions in a table, whose bodies are JSON of `kind`."""

    table: str
    kind: type[Version]

    async def read(self, connection: asyncpg.Connection, beginnings: Collection[Beginning]) -> dict[Beginning, list[Version]]:
        """The versions of each of `beginnings`."""
        versions: dict[Beginning, list[Version]] = {beginning: [] for beginning in beginnings}
        query = READ.format(table=self.table)
        for tenant, count, body in await connection.fetch(query, [t for t, _ in versions], [count for _, count in versions]):
            versions[tenant, count].append(self._decode(body))
        return versions

    async def read_some(self, connection: asyncpg.Connection, tenant: int, numbers: Collection[int]) -> dict[int, Version]:
        """Those of the tenant's versions that have these numbers."""
        rows = await connection.fetch(READ_SOME.format(table=self.table), tenant, list(numbers))
        return {row["number"]: self._decode(row["body"]) for row in rows}

    async def history(self, connection: asyncpg.Connection, tenant: int) -> list[tuple[Version, datetime]]:
        """All versions of the tenant, each with the time at which it was added, in that order."""
        rows = await connection.fetch(LIST.format(table=self.table), tenant)
        return [(self._decode(row["body"]), row["made_at"]) for row in rows]

    async def add(self, connection: asyncpg.Connection, tenant: int, version: Version, now: datetime) -> int:
        """Add a version. Returns how many the tenant has then. The tenant must be locked."""
        body = msgspec.json.encode(version)
        return await connection.fetchval(ADD.format(table=self.table), tenant, body, now)  # type: ignore[no-any-return]

    def _decode(self, body: bytes) -> Version:
        return msgspec.json.decode(body, type=self.kind)


class CachedVersions(Generic[Version, Whole]):
    """Reads lists of versions and makes one object of each with `build`. A list never changes, so its object stays in memory."""

    def __init__(self, versions: Versions[Version], build: Callable[[Sequence[Version]], Whole], size: int) -> None:
        self._versions = versions
        self._build = build
        self._objects: LRUCache[Beginning, Whole] = LRUCache(size)

    async def read(self, connection: asyncpg.Connection, beginnings: Collection[Beginning]) -> dict[Beginning, Whole]:
        """The object of each of `beginnings`."""
        known = {beginning: self._build(()) for beginning in beginnings if beginning[1] == 0}
        known |= {beginning: self._objects[beginning] for beginning in beginnings if beginning in self._objects}
        if missing := [beginning for beginning in beginnings if beginning not in known]:
            read = {
                beginning: self._build(listed) for beginning, listed in (await self._versions.read(connection, missing)).items()
            }
            self._objects.update(read)
            known |= read
        return known

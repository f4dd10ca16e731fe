"""Imports into one connection, on a real PostgreSQL."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg

from services.ingest.domain.connection import Connection
from services.ingest.domain.imports.job import Import
from services.ingest.importer import Importer
from services.ingest.store.imports import Imports
from tests.unit.ingest.making import connection, nps, response


@dataclass
class Tool:
    """The one connection."""

    provider: str = "standard"

    async def find(self, name: str) -> Connection | None:
        return connection(self.provider)

    async def built_in(self, tenant: str) -> Connection | None:
        return None


@dataclass
class Setup:
    pool: asyncpg.Pool
    uploads: Imports
    observed: list[str | None] = field(default_factory=list)
    tool: Tool = field(default_factory=Tool)

    def importer(self) -> Importer:
        """The importer of another process."""
        return Importer(
            self.pool,
            self.uploads,
            self.tool,
            lambda: datetime.now(UTC),
            lambda tool, delivery: self.observed.append(delivery.id),
        )

    async def started(self, content: bytes, cut: int = 1_000_000, file_format: str = "ndjson") -> Import:
        job = await self.uploads.create("acme", "con_1", file_format, None, None, None)
        assert job
        for number, begin in enumerate(range(0, len(content), cut), 1):
            await self.uploads.add_part("acme", job.id, number, content[begin : begin + cut])
        started = await self.uploads.start("acme", job.id)
        assert isinstance(started, Import)
        return started

    async def finish(self) -> None:
        """Work until no import is due."""
        importer = self.importer()
        while await importer.step():
            pass

    async def load(self, job: Import) -> Import:
        loaded = await self.uploads.find("acme", job.id)
        assert loaded
        return loaded

    async def end_claims(self) -> None:
        """Let every claim end now."""
        await self.pool.execute("UPDATE imports SET due = now() WHERE due < 'infinity'")
        await self.pool.execute("UPDATE import_ranges SET due = now()")

    async def count(self, table: str) -> int:
        return int(await self.pool.fetchval(f"SELECT count(*) FROM {table}"))


class Crash(BaseException):
    """The end of the process."""


def records(count: int) -> bytes:
    return b"".join(json.dumps(response(nps(), id=f"r-{number}")).encode() + b"\n" for number in range(count))


def reviews(lines: int, of: int) -> bytes:
    """Archived batches of Trustpilot, each of so many reviews: `r-<line>-<number>`."""
    return b"".join(
        json.dumps({"events": [review(f"r-{line}-{number}") for number in range(of)]}).encode() + b"\n" for line in range(lines)
    )


def review(name: str) -> dict[str, object]:
    """Trustpilot's event of a new review."""
    data = {"id": name, "stars": 4, "createdAt": "2026-11-20T09:00:00Z"}
    return {"eventName": "service-review-created", "eventData": data}

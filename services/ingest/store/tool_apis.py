"""The state of the API of each connection: blocked for a while, or stopped until its credentials change. Replicas share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

SUCCEEDED = """
INSERT INTO tool_apis AS former (connection, last_success) VALUES ($1, now())
ON CONFLICT (connection) DO UPDATE SET failures = 0, blocked_until = NULL, last_success = now()
WHERE former.failures > 0 OR former.last_success IS NULL OR former.last_success < now() - interval '10 seconds'
"""
"""Writes at most every ten seconds while all goes well."""

FAILED = """
INSERT INTO tool_apis AS former (connection, failures, last_error, last_error_at) VALUES ($1, $3, $2, now())
ON CONFLICT (connection) DO UPDATE
SET failures = former.failures + excluded.failures, last_error = excluded.last_error, last_error_at = now()
RETURNING failures
"""
BLOCK = """
UPDATE tool_apis SET blocked_until = greatest(blocked_until, now() + make_interval(secs => $2)) WHERE connection = $1
"""
STOP = """
INSERT INTO tool_apis AS former (connection, stopped, last_error, last_error_at)
SELECT id, $3, $3, now() FROM connections WHERE id = $1 AND sealed_credentials = $2
ON CONFLICT (connection) DO UPDATE SET stopped = excluded.stopped, last_error = excluded.last_error, last_error_at = now()
"""
"""Only if the credentials are still those that the tool refused."""

STATES = """
SELECT name, waiting.count, waiting.oldest, stopped, blocked_until, last_success, last_error, last_error_at
FROM unnest($1::text[]) AS name LEFT JOIN tool_apis ON tool_apis.connection = name CROSS JOIN LATERAL (
    SELECT count(*), min(added) AS oldest FROM (SELECT added FROM fetches WHERE connection = name LIMIT 10000) AS own
) AS waiting
"""


@dataclass(frozen=True, slots=True)
class ToolApiState:
    """`waiting`: things to fetch, counted up to 10,000; `oldest`: since when the first of them waits."""

    waiting: int
    oldest: datetime | None
    stopped: str | None
    blocked_until: datetime | None
    last_success: datetime | None
    last_error: str | None
    last_error_at: datetime | None


class ToolApis:
    """The table `tool_apis`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def succeeded(self, connection: str) -> None:
        """Note that the tool answered. Ends a block."""
        await self._pool.execute(SUCCEEDED, connection)

    async def failed(self, connection: str, error: str, *, counts: bool) -> int:
        """Note an error. Returns the number of failures in a row; `counts`: this error is a failure."""
        return int(await self._pool.fetchval(FAILED, connection, error, int(counts)))

    async def block(self, connection: str, seconds: float) -> None:
        """Let no process call this API for `seconds`. A block that lasts longer stays."""
        await self._pool.execute(BLOCK, connection, seconds)

    async def stop(self, connection: str, encrypted_credentials: bytes, reason: str) -> bool:
        """Let no process call this API until its credentials change. False, and nothing is changed, if they have changed."""
        return bool((await self._pool.execute(STOP, connection, encrypted_credentials, reason)).endswith(" 1"))

    async def load(self, connections: Sequence[str]) -> Mapping[str, ToolApiState]:
        """The state of the API of each connection."""
        return {row[0]: ToolApiState(*row[1:]) for row in await self._pool.fetch(STATES, connections)}

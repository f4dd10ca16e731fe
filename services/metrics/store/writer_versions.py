"""Which versions of the contributions' definition are written, so that an older process never overwrites what a newer one wrote.

- A process states its version before it writes, and then every STATE_SECONDS, by the database's clock.
- Each transaction that writes contributions looks for a newer version once it has locked its subjects, and ends if there is one.
  The newer process had stated its version before it wrote to these subjects. So the older one sees it, and writes nothing.
- A newer version that nobody stated for ENDED_AFTER was rolled back. What it wrote is mixed with what this version wrote:
  `end_newer` gives every tenant and every build the version MIXED, and the builder computes contributions again.

So an older process could overwrite something only after a transaction of a newer process that takes longer than ENDED_AFTER while
no process of that version states it. Once one does so again, older ones leave, and its builds repair what they overwrote.
"""

from datetime import timedelta

import asyncpg

STATE_SECONDS = 5.0
ENDED_AFTER = timedelta(seconds=30)
MIXED = 0
"""The version of contributions that several versions wrote: lower than every version, so that each computes them again."""

STATE = """
    INSERT INTO writer_versions (version, stated_at) VALUES ($1, clock_timestamp())
    ON CONFLICT (version) DO UPDATE SET stated_at = greatest(writer_versions.stated_at, excluded.stated_at)
"""
NEWER = "SELECT max(version) FROM writer_versions WHERE version > $1"
END_NEWER = "DELETE FROM writer_versions WHERE version > $1 AND stated_at <= clock_timestamp() - $2::interval RETURNING version"
MIX = "UPDATE tenants SET contributions_version = $1", "UPDATE builds SET version = $1"


class OutdatedVersion(Exception):
    """Processes with a newer version of the contributions' definition write, so this one must not. Nothing was written."""

    def __init__(self, version: int, newer: int) -> None:
        super().__init__(f"contributions are written by version {newer}, and this process has version {version}")


async def state_version(connection: asyncpg.Connection | asyncpg.Pool, version: int) -> None:
    """State that a process with this version may write now. It counts once it is committed."""
    await connection.execute(STATE, version)


async def newer_version(connection: asyncpg.Connection, version: int) -> int | None:
    """The newest version that is written, if it is newer than `version`."""
    return await connection.fetchval(NEWER, version)  # type: ignore[no-any-return]


async def refuse_outdated(connection: asyncpg.Connection, version: int) -> None:
    """Raise OutdatedVersion while a newer version is written. A transaction that writes calls it once its subjects are locked."""
    if newer := await newer_version(connection, version):
        raise OutdatedVersion(version, newer)


async def end_newer(connection: asyncpg.Connection, version: int) -> list[int]:
    """Forget newer versions that have ended, and have all contributions computed again. Returns these versions."""
    async with connection.transaction():
        rows = await connection.fetch(END_NEWER, version, ENDED_AFTER)
        for statement in MIX if rows else ():
            await connection.execute(statement, MIXED)
        return [row["version"] for row in rows]

"""`python -m services.metrics.rebuild`: compute all contributions again, in place, from statements and scores.

Subjects are locked in batches, and only rows that differ are written, so the services may go on. The builder does the same by
itself after an upgrade, one tenant at a time and without mixing old and new contributions (`services.metrics.builder`).
"""

import asyncio
import sys

from services.metrics.settings import Settings
from services.metrics.store.writer import Writer
from shared.database import open_pool
from shared.startup import read_settings

AT_ONCE = 500


async def rebuild(writer: Writer) -> int:
    """Rebuild every subject. Returns how many there are."""
    after: int | None = 0
    count = 0
    while after is not None:
        done = await writer.rebuild(after, AT_ONCE)
        count, after = count + done.subjects, done.last
    return count


async def run(settings: Settings) -> int:
    """Rebuild the database of these settings."""
    async with open_pool(settings.database_url, 3) as pool:
        return await rebuild(Writer(pool))


def main() -> None:
    """The command."""
    settings = read_settings("metrics", Settings)
    sys.stdout.write(f"rebuilt {asyncio.run(run(settings)):,} subjects\n")


if __name__ == "__main__":
    main()

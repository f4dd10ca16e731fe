"""`python -m services.metrics.rebuild`: contributions again, from statements and scores alone.

Subjects are locked in batches and go through the one writer: only what differs is written, and the services may go on.
"""

import asyncio
import sys

from services.metrics.settings import Settings
from services.metrics.store.writer import Writer
from shared.database import open_pool

AT_ONCE = 500


async def rebuild(writer: Writer) -> int:
    """Rebuild every subject; how many there are."""
    after: int | None = 0
    count = 0
    while after is not None:
        done = await writer.rebuild(after, AT_ONCE)
        count, after = count + done.subjects, done.last
    return count


async def run(settings: Settings) -> int:
    async with open_pool(settings.database_url, 3) as pool:
        return await rebuild(Writer(pool))


def main() -> None:
    sys.stdout.write(f"rebuilt {asyncio.run(run(Settings())):,} subjects\n")


if __name__ == "__main__":
    main()

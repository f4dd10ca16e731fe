"""`python -m services.ingest.replay`: publish stored events again, after a loss of Kafka or of the database of metrics.

Queues them for the services that run. Metrics counts an event that it has already only once, so a `--since` that is too early
only costs time. docs/deployment.md, "Backup and loss", says when it is needed.
"""

import argparse
import asyncio
import sys
from datetime import datetime

from services.ingest.inbox import locks
from services.ingest.settings import Settings
from services.ingest.store.event_log import EventLog
from shared.database import open_pool
from shared.startup import read_settings

LONGEST_SECONDS = 3600.0


def parse_since(text: str) -> datetime:
    """An instant in ISO 8601. Raises ValueError if it has no offset from UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an offset from UTC is needed")
    return at


async def replay(settings: Settings, tenant: str | None, since: datetime | None) -> int:
    """Queue the events received since `since` (None: all) of a tenant (None: of all). Returns the number of deliveries."""
    async with open_pool(settings.database, 1, LONGEST_SECONDS) as pool:
        return await EventLog(pool, locks.ARRIVALS).replay(tenant, since)


def main() -> None:
    """The command."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    extent = arguments.add_mutually_exclusive_group(required=True)
    extent.add_argument("--since", type=parse_since, help="events received from this time on, such as 2026-11-29T02:00:00Z")
    extent.add_argument("--all", action="store_true", help="all events")
    arguments.add_argument("--tenant", help="of this tenant alone")
    options = arguments.parse_args()
    deliveries = asyncio.run(replay(read_settings("ingest", Settings), options.tenant, options.since))
    sys.stdout.write(f"deliveries queued: {deliveries:,}. Ingest publishes them in the order of their receipt.\n")


if __name__ == "__main__":
    main()

"""`python -m services.ingest.replay`: publish stored events again, after a loss of Kafka or of the database of metrics.

Adds a replay and works on it, beside the services that run and publish. Metrics counts an event that it has already only once, so
a `--since` that is too early only costs time. docs/deployment.md, "Backup and loss", says when it is needed.
"""

import argparse
import asyncio
import sys
import time
from contextlib import suppress
from datetime import datetime
from uuid import uuid4

from services.ingest.inbox.replays import ALL_TENANTS, Replay
from services.ingest.inbox.selection import Selection
from services.ingest.replayer import Replayer
from services.ingest.settings import Settings
from shared.database import open_pool
from shared.problems import Conflict
from shared.startup import read_settings

REPORT_SECONDS = 10.0
"""Between two lines about the progress."""


def parse_since(text: str) -> datetime:
    """An instant in ISO 8601. Raises ValueError if it has no offset from UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an offset from UTC is needed")
    return at


async def replay(settings: Settings, tenant: str | None, since: datetime | None, id_: str | None = None) -> int:
    """Publish the events received since `since` (None: all) of a tenant (None: of all) again. Returns the number of deliveries.

    Returns when all are in the outbox. If it is ended before, ingest continues, and a call with the same id waits for the same
    replay.
    """
    async with open_pool(settings.database, 2) as pool:
        replayer = Replayer(pool)
        selection = Selection(ALL_TENANTS if tenant is None else tenant, since=since)
        current = await replayer.add(selection, id_ or uuid4().hex)
        if current.finished:
            done = f"{current.finished:%Y-%m-%dT%H:%M:%SZ}"
            sys.stderr.write(f"replay {current.id} was done at {done}; for another one choose another --id\n")
        worker = asyncio.create_task(replayer.run())
        try:
            while current.state == "running":
                began = time.monotonic()
                current = await replayer.wait(current, REPORT_SECONDS)
                if time.monotonic() - began >= REPORT_SECONDS:
                    report(current)
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker
    return current.queued


def report(current: Replay) -> None:
    """Print the progress of a replay to the standard error."""
    sys.stderr.write(f"replay {current.id}: {current.progress:.0%}, deliveries queued: {current.queued:,}\n")


def parse_name(text: str) -> str:
    """A name that is not empty. Raises ValueError if it is."""
    if not text:
        raise ValueError("a name is needed")
    return text


def main() -> None:
    """The command."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    extent = arguments.add_mutually_exclusive_group(required=True)
    extent.add_argument("--since", type=parse_since, help="events received from this time on, such as 2026-11-29T02:00:00Z")
    extent.add_argument("--all", action="store_true", help="all events")
    arguments.add_argument("--tenant", type=parse_name, help="of this tenant alone")
    arguments.add_argument(
        "--id", type=parse_name, help="an id of your choice; with the id of a replay that exists, wait for its end"
    )
    options = arguments.parse_args()
    try:
        deliveries = asyncio.run(replay(read_settings("ingest", Settings), options.tenant, options.since, options.id))
    except Conflict as conflict:
        arguments.exit(1, f"{conflict.detail}\n")
    sys.stdout.write(f"deliveries queued: {deliveries:,}. Ingest publishes them in the order of their receipt.\n")


if __name__ == "__main__":
    main()

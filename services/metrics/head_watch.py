"""The worker that notices that ingest lacks events which are counted here: its database was restored to an earlier time."""

import asyncio

import asyncpg
import httpx
import structlog

from services.metrics.clients.ingest import Ingest
from services.metrics.instruments import AHEAD
from services.metrics.store.progress import highest_seq
from shared.database import OUTAGE

log = structlog.get_logger()

LOOK_SECONDS = 30.0


class HeadWatch:
    """`run` is the worker. It compares the highest sequence number that was counted with the one that ingest has assigned."""

    def __init__(self, pool: asyncpg.Pool, ingest: Ingest) -> None:
        self._pool = pool
        self._ingest = ingest
        self._ahead = 0

    async def run(self) -> None:
        """Look every LOOK_SECONDS until cancelled; wait out an outage of the database or of ingest."""
        while True:
            try:
                await self.look()
            except (*OUTAGE, httpx.HTTPError) as error:
                log.info("head.unknown", error=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Set the gauge AHEAD, and log it if it has grown."""
        counted = await highest_seq(self._pool)
        if counted is None:  # nothing was counted, perhaps since the database was made anew
            self._ahead = 0
            AHEAD.set(0)
            return
        head = await self._ingest.latest_seq()  # read last: ingest had every event before it was counted
        ahead = max(0, counted - head)
        if ahead > self._ahead:
            log.error("head.behind", counted=counted, head=head)
        self._ahead = ahead
        AHEAD.set(ahead)

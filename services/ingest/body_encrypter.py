"""Encrypts stored bodies that are plain, in small steps in the background, once INGEST_ENCRYPT_BODIES is on.

The rows themselves say what is left, so any replica continues after a crash. The gauge `earshot_ingest_plain_bodies` is their
number.
"""

import asyncio
import time

import asyncpg
import structlog

from services.ingest.inbox.plain_bodies import encrypt_next
from services.ingest.store.vault import Vault
from shared.database import OUTAGE, RETRYABLE
from shared.problems import Unavailable

log = structlog.get_logger()

STEP_BODIES = 100
STEP_BYTES = 1024 * 1024
IDLE_SECONDS = 300.0
"""From the end of a pass to the next one, which finds bodies that a replica without encryption has stored meanwhile."""
MAX_PAUSE = 2.0
"""Seconds. After a step the worker pauses for as long as the step took, so it uses at most half of a processor."""


class BodyEncrypter:
    """`run` is the worker. Start one per process; any number of processes may run it over one database."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault
        self._after = -1

    async def run(self) -> None:
        """Encrypt plain bodies until cancelled."""
        while self._vault.encrypts:
            pause = IDLE_SECONDS
            try:
                begun = time.monotonic()
                if await self.step():
                    pause = min(time.monotonic() - begun, MAX_PAUSE)
            except (Unavailable, *OUTAGE, *RETRYABLE) as error:
                log.warning("encrypter.unavailable", error=type(error).__name__)
                pause = MAX_PAUSE
            except asyncpg.PostgresError as error:
                log.error("encrypter.refused", error=type(error).__name__)
            await asyncio.sleep(pause)
        await asyncio.Event().wait()

    async def step(self) -> bool:
        """Encrypt the next plain bodies. False at the end of a pass; the next step begins another one."""
        batch = await encrypt_next(self._pool, self._vault, self._after, STEP_BODIES, STEP_BYTES)
        self._after = batch.last if batch else -1
        if batch:
            log.info("encrypter.encrypted", bodies=batch.encrypted, last=batch.last)
        return batch is not None

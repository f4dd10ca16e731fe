"""Creates keys for bodies ahead of their use, and deletes those whose bodies were deleted or replaced.

Triggers on the inbox list the keys to delete, so no statement that deletes a body can forget its key. The list is in the inbox's
database and the keys may be in another one, so a key is deleted before its entry in the list: after a crash both are done again.
Keys that no body uses, such as those that a killed process created, are deleted every SWEEP_SECONDS.
"""

import asyncio
import time

import asyncpg
import structlog

from services.ingest.store.body_keys import forget_spent_keys, spent_keys
from services.ingest.store.vault import Vault
from shared.database import OUTAGE, RETRYABLE

log = structlog.get_logger()

POLL_SECONDS = 1.0
SWEEP_SECONDS = 600.0
"""From the end of a sweep of unused keys to the next one."""


class KeyKeeper:
    """`run` is the worker. Start one per process; any number of processes may run it over one database."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault
        self._sweep_at = 0.0

    async def run(self) -> None:
        """Create and delete keys until cancelled."""
        while True:
            try:
                await self._vault.refill()
                await self._vault.renew()
                while await self.delete_spent_keys():
                    pass
                await self._sweep()
                await self._vault.wait_until_low(POLL_SECONDS)
            except (*OUTAGE, *RETRYABLE) as error:
                log.warning("keys.unavailable", error=type(error).__name__)
                await asyncio.sleep(POLL_SECONDS)
            except asyncpg.PostgresError as error:
                log.error("keys.refused", error=type(error).__name__)
                await asyncio.sleep(POLL_SECONDS)

    async def _sweep(self) -> None:
        """Delete unused keys, if it is time."""
        if time.monotonic() < self._sweep_at:
            return
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        if deleted := await self._vault.sweep():
            log.info("keys.swept", keys=deleted)

    async def delete_spent_keys(self) -> int:
        """Delete a batch of the keys whose bodies are deleted. Returns their number."""
        if numbers := await spent_keys(self._pool):
            await self._vault.delete_keys(numbers)
            await forget_spent_keys(self._pool, numbers)
            log.info("keys.deleted", keys=len(numbers))
        return len(numbers)

"""Creates keys for bodies ahead of their use, and deletes those whose bodies were deleted or replaced.

Triggers on the inbox list the latter, so no statement that deletes a body can forget its key. The list is in the inbox's database
and the keys may be in another one, so a key is deleted first and its entry after it: after a crash both are done again.
"""

import asyncio

import asyncpg
import structlog

from services.ingest.store.vault import Vault, forget_spent_keys, spent_keys
from shared.database import OUTAGE, RETRYABLE

log = structlog.get_logger()

POLL_SECONDS = 1.0


class KeyKeeper:
    """`run` is the worker. Start one per process; any number of processes may run it over one database."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def run(self) -> None:
        """Create and delete keys until cancelled."""
        while True:
            try:
                await self._vault.refill()
                while await self.delete_spent_keys():
                    pass
                await self._vault.wait_until_low(POLL_SECONDS)
            except (*OUTAGE, *RETRYABLE) as error:
                log.warning("keys.unavailable", error=type(error).__name__)
                await asyncio.sleep(POLL_SECONDS)
            except asyncpg.PostgresError as error:
                log.error("keys.refused", error=type(error).__name__)
                await asyncio.sleep(POLL_SECONDS)

    async def delete_spent_keys(self) -> int:
        """Delete a batch of the keys whose bodies are deleted. Returns their number."""
        if numbers := await spent_keys(self._pool):
            await self._vault.delete_keys(numbers)
            await forget_spent_keys(self._pool, numbers)
            log.info("keys.deleted", keys=len(numbers))
        return len(numbers)

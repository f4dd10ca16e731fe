"""A semaphore that tenants share fairly: they acquire it round-robin, and none may hold all of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.gateway.domain.tenant_queue import TenantQueue
from shared.problems import TooManyRequests, Unavailable


class FairSemaphore:
    """Limits work in progress to `limit`, of which one tenant may hold `per_tenant`. A `TenantQueue` decides who is next.

    At most `max_waiting` tasks of a tenant wait, each for at most `timeout` seconds (None: no bound).
    """

    def __init__(self, limit: int, per_tenant: int, max_waiting: int | None = None, timeout: float | None = None) -> None:
        self._free = limit
        self._per_tenant = per_tenant
        self._max_waiting = max_waiting
        self._timeout = timeout
        self._holding: Counter[str] = Counter()
        self._present: Counter[str] = Counter()
        """Tasks of each tenant that wait or hold."""
        self._waiting: TenantQueue[asyncio.Future[None]] = TenantQueue()

    @asynccontextmanager
    async def acquired(self, tenant: str, key: str = "", *, urgent: bool = False) -> AsyncIterator[None]:
        """Acquire the semaphore and release it at the end. An `urgent` task goes before the key's others.

        Raises TooManyRequests if `max_waiting` tasks of the tenant wait already, Unavailable after the timeout.
        """
        if self._max_waiting is not None and self._present[tenant] >= self._per_tenant + self._max_waiting:
            raise TooManyRequests("too many calls of this tenant are in progress", headers={"Retry-After": "1"})
        self._present[tenant] += 1
        try:
            await self._acquire(tenant, key, urgent)
            try:
                yield
            finally:
                self._release(tenant)
        finally:
            self._present[tenant] -= 1
            if not self._present[tenant]:
                del self._present[tenant]

    async def _acquire(self, tenant: str, key: str, urgent: bool) -> None:
        acquired: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.push(tenant, key, acquired, urgent=urgent)
        self._wake_next()
        try:
            async with asyncio.timeout(self._timeout):
                await acquired
        except (asyncio.CancelledError, TimeoutError) as error:
            if acquired.done() and not acquired.cancelled():
                self._release(tenant)
            else:
                self._waiting.remove(tenant, key, acquired)
            if isinstance(error, TimeoutError):
                raise Unavailable("too many calls of this tenant are in progress") from None
            raise

    def _release(self, tenant: str) -> None:
        self._free += 1
        self._holding[tenant] -= 1
        if not self._holding[tenant]:
            del self._holding[tenant]
        self._wake_next()

    def _wake_next(self) -> None:
        while self._free and (entry := self._waiting.pop(lambda tenant: self._holding[tenant] < self._per_tenant)):
            tenant, acquired = entry
            if acquired.done():  # cancelled, and not yet removed from the queue
                continue
            self._free -= 1
            self._holding[tenant] += 1
            acquired.set_result(None)

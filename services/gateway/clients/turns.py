"""Turns at a service that does so much at a time: tenants take them in rotation, and none may take all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.gateway.domain.fair_queue import FairQueue


class Turns:
    """`at_once` turns may be taken at one time, `per_tenant` of them by one tenant; who gets a free one, `FairQueue` says."""

    def __init__(self, at_once: int, per_tenant: int) -> None:
        self._free = at_once
        self._per_tenant = per_tenant
        self._taken: Counter[str] = Counter()
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @asynccontextmanager
    async def turn(self, tenant: str, key: str = "", *, first: bool = False) -> AsyncIterator[None]:
        """Wait for a turn and hold it. `first`: before the key's others."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.push(tenant, key, granted, first=first)
        self._grant()
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._give_back(tenant)
            else:
                self._waiting.remove(tenant, key, granted)
            raise
        try:
            yield
        finally:
            self._give_back(tenant)

    def _give_back(self, tenant: str) -> None:
        self._free += 1
        self._taken[tenant] -= 1
        if not self._taken[tenant]:
            del self._taken[tenant]
        self._grant()

    def _grant(self) -> None:
        while self._free and (found := self._waiting.pop(lambda tenant: self._taken[tenant] < self._per_tenant)):
            tenant, granted = found
            if granted.done():  # cancelled, and yet to be removed
                continue
            self._free -= 1
            self._taken[tenant] += 1
            granted.set_result(None)

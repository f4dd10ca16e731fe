"""Turns at a service that does so much at a time: tenants take them in rotation, and none may take all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.gateway.domain.fair_queue import FairQueue
from shared.problems import TooManyRequests, Unavailable


class Turns:
    """`at_once` turns may be taken at one time, `per_tenant` of them by one tenant; who gets a free one, `FairQueue` says. Of one
    tenant `waiting` may wait, each for `patience` seconds (None: any number, and for ever)."""

    def __init__(self, at_once: int, per_tenant: int, waiting: int | None = None, patience: float | None = None) -> None:
        self._free = at_once
        self._per_tenant = per_tenant
        self._most_waiting = waiting
        self._patience = patience
        self._taken: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        """Of each tenant, how many wait for a turn or hold one."""
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @asynccontextmanager
    async def turn(self, tenant: str, key: str = "", *, first: bool = False) -> AsyncIterator[None]:
        """Wait for a turn and hold it. `first`: before the key's others. Raises TooManyRequests where too many of the tenant wait
        already, Unavailable where the turn does not come in time."""
        if self._most_waiting is not None and self._asked[tenant] >= self._per_tenant + self._most_waiting:
            raise TooManyRequests("too many calls of this tenant are in progress", headers={"Retry-After": "1"})
        self._asked[tenant] += 1
        try:
            await self._wait(tenant, key, first)
            try:
                yield
            finally:
                self._give_back(tenant)
        finally:
            self._asked[tenant] -= 1
            if not self._asked[tenant]:
                del self._asked[tenant]

    async def _wait(self, tenant: str, key: str, first: bool) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.push(tenant, key, granted, first=first)
        self._grant()
        try:
            async with asyncio.timeout(self._patience):
                await granted
        except (asyncio.CancelledError, TimeoutError) as ended:
            if granted.done() and not granted.cancelled():
                self._give_back(tenant)
            else:
                self._waiting.remove(tenant, key, granted)
            if isinstance(ended, TimeoutError):
                raise Unavailable("too many calls of this tenant are in progress") from None
            raise

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

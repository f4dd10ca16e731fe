"""Turns at a limited resource, shared fairly between tenants: one with many requests waits for its own, not the others for it."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.problems import Unavailable


class FairQueue:
    """At most `at_once` turns in all and `per_tenant` for one tenant; up to `waiting` more of each tenant wait in line.

    A turn that ends goes to the next tenant in the round that waits and may have one more; within a tenant the first to come
    is the first to be served. All of it belongs to one event loop.
    """

    def __init__(self, at_once: int, per_tenant: int, waiting: int) -> None:
        self._at_once = at_once
        self._per_tenant = per_tenant
        self._waiting_limit = waiting
        self._working: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """By tenant, the one to be served next first."""

    @asynccontextmanager
    async def turn(self, tenant: str, patience: float) -> AsyncIterator[None]:
        """A turn for `tenant`, waiting up to `patience` seconds for it.

        Raises Unavailable if as many of the tenant's requests wait already as may, or if the turn doesn't come in time.
        """
        await self._begin(tenant, patience)
        try:
            yield
        finally:
            self._end(tenant)

    async def _begin(self, tenant: str, patience: float) -> None:
        if self._may_work(tenant):
            self._working[tenant] += 1
            return
        line = self._waiting.setdefault(tenant, deque())
        if len(line) >= self._waiting_limit:
            raise Unavailable(f"{self._waiting_limit} requests of this tenant are waiting already", retry_after=2)
        place = asyncio.get_running_loop().create_future()
        line.append(place)
        try:
            async with asyncio.timeout(patience):
                await place
        except (asyncio.CancelledError, TimeoutError) as error:
            self._leave(tenant, place)
            if isinstance(error, TimeoutError):
                raise Unavailable(f"no turn within {patience:g} s: this tenant has too many requests at work") from None
            raise

    def _may_work(self, tenant: str) -> bool:
        """Whether a turn is free for `tenant`. Then nobody waits who could take it: see `_end`."""
        return self._working.total() < self._at_once and self._working[tenant] < self._per_tenant

    def _leave(self, tenant: str, place: asyncio.Future[None]) -> None:
        """Give up waiting; a turn that was given in this very moment goes on to the next."""
        if place.done() and not place.cancelled():
            self._end(tenant)
            return
        line = self._waiting.get(tenant, deque())
        if place in line:
            line.remove(place)
        if not line:
            self._waiting.pop(tenant, None)

    def _end(self, tenant: str) -> None:
        self._working[tenant] -= 1
        if not self._working[tenant]:
            del self._working[tenant]
        for waiting in list(self._waiting):
            if self._may_work(waiting) and self._serve(waiting):
                return

    def _serve(self, tenant: str) -> bool:
        """Give the first in the line of `tenant` a turn, and move the tenant to the end of the round; whether there was one."""
        line = self._waiting.pop(tenant)
        place = None
        while line and place is None:
            first = line.popleft()
            place = None if first.done() else first  # one that is done was cancelled, and is about to leave the line
        if line:
            self._waiting[tenant] = line
        if place is None:
            return False
        self._working[tenant] += 1
        place.set_result(None)
        return True

"""Share a limited resource fairly: tenants take turns, so that one with many requests delays only itself."""

import asyncio
import math
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.problems import Unavailable


class FairQueue:
    """At most `at_once` turns in all and `per_tenant` of one tenant; up to `waiting` more requests of each tenant wait.

    A turn that ends goes to the next waiting tenant below its limit, round robin; within a tenant, first come, first served. A
    queue belongs to one event loop.
    """

    def __init__(self, at_once: int, per_tenant: int, waiting: int) -> None:
        self._at_once = at_once
        self._per_tenant = per_tenant
        self._waiting_limit = waiting
        self._working: Counter[str] = Counter()
        self._last_end = -math.inf
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """Waiting requests by tenant, in the order of the round robin."""

    @property
    def idle_seconds(self) -> float:
        """How long ago the last turn ended; 0 while there is one, infinite before the first one."""
        return 0.0 if self._working else asyncio.get_running_loop().time() - self._last_end

    @asynccontextmanager
    async def turn(self, tenant: str, patience: float) -> AsyncIterator[None]:
        """A turn for `tenant`, after waiting up to `patience` seconds.

        Raises Unavailable if the tenant's queue is full, or if there is no turn in time.
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
        queue = self._waiting.setdefault(tenant, deque())
        if len(queue) >= self._waiting_limit:
            raise Unavailable(f"{self._waiting_limit} requests of this tenant are already waiting", retry_after=2)
        place = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            async with asyncio.timeout(patience):
                await place
        except (asyncio.CancelledError, TimeoutError) as error:
            self._leave(tenant, place)
            if isinstance(error, TimeoutError):
                raise Unavailable(f"not begun within {patience:g} s: too many requests of this tenant are in progress") from None
            raise

    def _may_work(self, tenant: str) -> bool:
        """Whether a turn is free for `tenant`. No waiting request can use it then, since `_end` gives turns to them first."""
        return self._working.total() < self._at_once and self._working[tenant] < self._per_tenant

    def _leave(self, tenant: str, place: asyncio.Future[None]) -> None:
        """Stop waiting. A turn that was given at this moment goes to the next request."""
        if place.done() and not place.cancelled():
            self._end(tenant)
            return
        queue = self._waiting.get(tenant, deque())
        if place in queue:
            queue.remove(place)
        if not queue:
            self._waiting.pop(tenant, None)

    def _end(self, tenant: str) -> None:
        self._last_end = asyncio.get_running_loop().time()
        self._working[tenant] -= 1
        if not self._working[tenant]:
            del self._working[tenant]
        for waiting in list(self._waiting):
            if self._may_work(waiting) and self._serve(waiting):
                return

    def _serve(self, tenant: str) -> bool:
        """Give a turn to the first waiting request of `tenant`, and move the tenant to the end. Returns whether there was one."""
        queue = self._waiting.pop(tenant)
        place = None
        while queue and place is None:
            first = queue.popleft()
            place = None if first.done() else first  # a request that is done was cancelled, and is about to leave
        if queue:
            self._waiting[tenant] = queue
        if place is None:
            return False
        self._working[tenant] += 1
        place.set_result(None)
        return True

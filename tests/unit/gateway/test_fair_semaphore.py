"""FairSemaphore at a service, and memory for bodies: one tenant gets its share, and its excess is refused."""

import asyncio

import pytest

from services.gateway.clients.fair_semaphore import FairSemaphore
from shared.problems import TooManyRequests, Unavailable


async def hold(semaphore: FairSemaphore, tenant: str, released: asyncio.Event) -> None:
    async with semaphore.acquired(tenant):
        await released.wait()


async def test_a_tenant_that_floods_a_service_waits_for_itself_alone() -> None:
    semaphore, released = FairSemaphore(limit=4, per_tenant=2, max_waiting=3), asyncio.Event()
    flood = [asyncio.create_task(hold(semaphore, "a", released)) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests) as refused:
        await hold(semaphore, "a", released)
    assert refused.value.headers["Retry-After"]
    async with asyncio.timeout(5), semaphore.acquired("b"), semaphore.acquired("b"):
        pass
    released.set()
    await asyncio.gather(*flood)
    async with asyncio.timeout(5), semaphore.acquired("a"):
        pass


async def test_a_turn_that_does_not_come_is_waited_for_so_long() -> None:
    semaphore, released = FairSemaphore(limit=1, per_tenant=1, max_waiting=3, timeout=0.05), asyncio.Event()
    holder = asyncio.create_task(hold(semaphore, "a", released))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await hold(semaphore, "a", released)
    released.set()
    await holder
    await asyncio.wait_for(hold(semaphore, "a", released), 5)

"""FairSemaphore at a service, and memory for bodies: one tenant gets its share, and its excess is refused."""

import asyncio

import pytest

from services.gateway.clients.fair_semaphore import FairSemaphore
from services.gateway.domain.tenant_queue import TenantQueue
from shared.problems import TooManyRequests, Unavailable


async def hold(semaphore: FairSemaphore, tenant: str, released: asyncio.Event) -> None:
    async with semaphore.acquired(tenant):
        await released.wait()


async def test_a_tenant_that_floods_a_service_delays_only_itself() -> None:
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


async def test_waiting_ends_after_the_timeout() -> None:
    semaphore, released = FairSemaphore(limit=1, per_tenant=1, max_waiting=3, timeout=0.05), asyncio.Event()
    holder = asyncio.create_task(hold(semaphore, "a", released))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await hold(semaphore, "a", released)
    released.set()
    await holder
    await asyncio.wait_for(hold(semaphore, "a", released), 5)


def test_the_queue_serves_tenants_and_keys_round_robin_and_urgent_items_first() -> None:
    queue: TenantQueue[int] = TenantQueue()
    pushed = [("a", "k", False), ("a", "k", False), ("a", "k", True), ("a", "l", False), ("b", "m", False)]
    for item, (tenant, key, first) in enumerate(pushed):
        queue.push(tenant, key, item, urgent=first)
    queue.remove("a", "k", 1)
    queue.remove("a", "k", 1)
    queue.remove("c", "k", 1)
    order = [queue.pop(lambda tenant: tenant != "b")]
    while entry := queue.pop():
        order.append(entry)
    assert order == [("a", 2), ("b", 4), ("a", 3), ("a", 0)]


async def test_a_cancelled_wait_holds_nothing() -> None:
    semaphore = FairSemaphore(limit=1, per_tenant=1)

    async def hold() -> None:
        async with semaphore.acquired("a"):
            pass

    async with semaphore.acquired("a"):
        waiting = [asyncio.create_task(hold()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # it was granted its turn just now
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not waiting[2].cancelled()
    await asyncio.wait_for(hold(), 5)

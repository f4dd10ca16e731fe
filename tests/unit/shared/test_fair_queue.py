"""The fair queue: who waits for whom, in what order, and what becomes of those who give up."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from shared.fair_queue import FairQueue
from shared.problems import Unavailable


class Working:
    """Requests at a queue that end on demand; `begun` has their names in the order in which they got a turn."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.begun: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def come(self, *names: str, patience: float = 30) -> None:
        """Requests arrive in this order; the first letter of a name is its tenant."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._work(name, patience))
            await settled()

    async def _work(self, name: str, patience: float) -> None:
        async with self.queue.turn(name[0], patience):
            self.begun.append(name)
            await self._ends[name].wait()

    async def end(self, *names: str) -> None:
        for name in names:
            self._ends[name].set()
            await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def at(queue: FairQueue) -> AsyncIterator[Working]:
    working = Working(queue)
    yield working
    for task in working.tasks.values():
        task.cancel()
        with suppress(asyncio.CancelledError, Unavailable):
            await task


async def test_a_tenant_at_its_limit_does_not_delay_another() -> None:
    async with at(FairQueue(4, 2, 20)) as working:
        await working.come(*(f"a{n}" for n in range(12)), "b0")
        assert working.begun == ["a0", "a1", "b0"]
        await working.end("a0")
        assert working.begun[3:] == ["a2"]


async def test_waiting_tenants_are_served_round_robin_each_in_order() -> None:
    async with at(FairQueue(2, 2, 20)) as working:
        await working.come("a0", "a1", "a2", "a3", "a4", "b0", "b1", "c0")
        await working.end("a0", "a1", "a2", "b0", "c0", "a3")
        assert working.begun == ["a0", "a1", "a2", "b0", "c0", "a3", "b1", "a4"]


async def test_a_tenant_with_a_full_queue_gets_503_with_retry_after_and_others_do_not() -> None:
    async with at(FairQueue(1, 1, 2)) as working:
        await working.come("a0", "a1", "a2", "a3", "b0")
        with pytest.raises(Unavailable) as refused:
            await working.tasks["a3"]
        assert refused.value.headers == {"Retry-After": "2"}
        await working.end("a0", "a1")
        assert working.begun == ["a0", "a1", "b0"]


async def test_a_request_that_waits_too_long_gets_503_and_uses_no_turn() -> None:
    async with at(FairQueue(1, 1, 5)) as working:
        await working.come("a0")
        await working.come("a1", patience=0.01)
        with pytest.raises(Unavailable):
            await working.tasks["a1"]
        await working.come("a2")
        await working.end("a0")
        assert working.begun == ["a0", "a2"]


async def test_a_cancelled_request_leaves_the_queue_and_uses_no_turn() -> None:
    async with at(FairQueue(1, 1, 5)) as working:
        await working.come("a0", "a1", "b0")
        working.tasks["a1"].cancel()
        await settled()
        await working.end("a0")
        assert working.begun == ["a0", "b0"]


async def test_a_turn_given_at_the_moment_of_a_cancellation_goes_to_the_next() -> None:
    queue = FairQueue(1, 1, 5)
    first, second = queue.turn("a", 30), queue.turn("a", 30)
    await first.__aenter__()
    waiting = asyncio.create_task(second.__aenter__())
    await settled()
    await first.__aexit__(None, None, None)  # the turn is now the second one's, which has not run since
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(5), queue.turn("b", 1):
        pass


async def test_a_queue_is_idle_since_its_last_turn() -> None:
    queue = FairQueue(2, 2, 2)
    assert queue.idle_seconds == math.inf
    async with queue.turn("a", 1):
        async with queue.turn("b", 1):
            assert queue.idle_seconds == 0
        assert queue.idle_seconds == 0
    await asyncio.sleep(0.01)
    assert 0 < queue.idle_seconds < math.inf

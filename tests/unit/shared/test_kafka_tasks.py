"""Running coroutines side by side, and letting them finish."""

import asyncio

import pytest

from shared.kafka.tasks import finishing, first_of


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        ended.append("forever")


async def fails() -> None:
    await asyncio.sleep(0)
    raise LookupError


async def test_the_first_to_end_ends_the_others_and_its_fault_is_told() -> None:
    ended: list[str] = []
    with pytest.raises(LookupError):
        await first_of(forever(ended), fails())
    assert ended == ["forever"]


async def test_a_cancellation_ends_all_of_them() -> None:
    ended: list[str] = []
    work = asyncio.create_task(first_of(forever(ended), forever(ended)))
    await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert ended == ["forever", "forever"]


@pytest.mark.parametrize(("takes", "finished"), [(0.05, True), (3600, False)])
async def test_work_in_hand_is_finished_within_its_grace(takes: float, finished: bool) -> None:
    done: list[bool] = []

    async def work() -> None:
        await asyncio.sleep(takes)
        done.append(True)

    task = asyncio.create_task(finishing(work(), grace=0.3))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bool(done) is finished


async def test_the_works_own_fault_is_told() -> None:
    with pytest.raises(LookupError):
        await finishing(fails(), grace=1)

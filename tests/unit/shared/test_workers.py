"""Workers that end, concurrent coroutines, and their cancellation."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from shared.workers import Workers, finish_before_cancel, run_until_first_ends


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        ended.append("forever")


async def fails() -> None:
    await asyncio.sleep(0)
    raise LookupError


async def test_the_first_coroutine_to_end_cancels_the_others_and_its_error_is_raised() -> None:
    ended: list[str] = []
    with pytest.raises(LookupError):
        await run_until_first_ends(forever(ended), fails())
    assert ended == ["forever"]


async def test_a_cancellation_cancels_all_of_them() -> None:
    ended: list[str] = []
    work = asyncio.create_task(run_until_first_ends(forever(ended), forever(ended)))
    await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert ended == ["forever", "forever"]


@pytest.mark.parametrize(("takes", "finished"), [(0.05, True), (3600, False)])
async def test_cancelled_work_may_finish_within_its_grace(takes: float, finished: bool) -> None:
    done: list[bool] = []

    async def work() -> None:
        await asyncio.sleep(takes)
        done.append(True)

    task = asyncio.create_task(finish_before_cancel(work(), grace=0.3))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bool(done) is finished


async def test_an_error_of_the_work_is_raised() -> None:
    with pytest.raises(LookupError):
        await finish_before_cancel(fails(), grace=1)


async def returns() -> None:
    await asyncio.sleep(0)


async def is_cancelled_by_another() -> None:
    task = asyncio.create_task(asyncio.sleep(3600))
    await asyncio.sleep(0)
    task.cancel()
    await task


@pytest.mark.parametrize(
    ("run", "error"), [(fails, "LookupError"), (returns, "none"), (is_cancelled_by_another, "CancelledError")]
)
async def test_every_end_of_a_worker_is_logged_and_makes_it_dead(run: Callable[[], Awaitable[None]], error: str) -> None:
    with capture_logs() as logs:
        async with Workers() as workers:
            workers.start("relay", run)
            workers.start("sweeper", lambda: forever([]))
            async with asyncio.timeout(5):
                while not workers.dead:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            assert workers.dead == ["relay"]
    assert [(line["event"], line["worker"], line["error"]) for line in logs] == [("worker.died", "relay", error)]


async def test_the_end_at_the_closing_is_not_logged() -> None:
    with capture_logs() as logs:
        async with Workers() as workers:
            workers.start("sweeper", lambda: forever([]))
            await asyncio.sleep(0)
    assert (logs, workers.dead) == ([], [])

"""Small bodies are read on the event loop, until one of their tenant took much processor time."""

import threading
import time

import pytest

from services.ingest.threads import SLOW_SECONDS, FairThreads

SMALL = 500


def work_for(seconds: float) -> threading.Thread:
    """Use so much processor time. Returns the thread."""
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass
    return threading.current_thread()


def wait_for(seconds: float) -> threading.Thread:
    """Take so much time by the clock, as on a machine where others have the processor. Returns the thread."""
    time.sleep(seconds)
    return threading.current_thread()


async def read_for(threads: FairThreads, tenant: str, seconds: float) -> threading.Thread:
    return await threads.read(tenant, SMALL, lambda: work_for(seconds))


@pytest.mark.parametrize("quick", [0, 1, 50])
async def test_after_a_slow_body_the_next_is_read_in_a_thread_whatever_came_before(quick: int) -> None:
    threads = FairThreads()
    for _ in range(quick):
        assert await read_for(threads, "acme", 0) is threading.current_thread()
    assert await read_for(threads, "acme", 4 * SLOW_SECONDS) is threading.current_thread()
    assert await read_for(threads, "acme", 0) is not threading.current_thread()
    assert await read_for(threads, "other", 0) is threading.current_thread()


async def test_a_body_that_only_the_clock_calls_slow_changes_nothing() -> None:
    threads = FairThreads()
    assert await threads.read("acme", SMALL, lambda: wait_for(10 * SLOW_SECONDS)) is threading.current_thread()
    assert await read_for(threads, "acme", 0) is threading.current_thread()


async def test_a_slow_body_is_noticed_after_a_pause_too() -> None:
    threads = FairThreads()
    await read_for(threads, "acme", 0)
    wait_for(10 * SLOW_SECONDS)
    await read_for(threads, "acme", 4 * SLOW_SECONDS)
    assert await read_for(threads, "acme", 0) is not threading.current_thread()


async def test_the_work_of_others_before_a_body_is_not_counted_as_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.threads.SAMPLE_SECONDS", 60)
    threads = FairThreads()
    await read_for(threads, "other", 0)
    work_for(10 * SLOW_SECONDS)
    await threads.read("acme", SMALL, lambda: wait_for(2 * SLOW_SECONDS))
    assert await read_for(threads, "acme", 0) is threading.current_thread()

"""Supervision with units of paper: what dies comes back, and in the end everything is stopped, services before servers."""

import asyncio
from collections.abc import Callable

import pytest

from deploy.local.processes import StartFailed
from deploy.local.stack import run_together
from deploy.local.supervisor import Supervisor, describe_exit


class Paper:
    """A fake unit that runs until `die` is called."""

    def __init__(self, name: str, journal: list[str], failures: int = 0) -> None:
        self.name = name
        self.pid: int | None = None
        self.journal = journal
        self.failures = failures
        self._starts = 0
        self._end: asyncio.Future[int] = asyncio.Future()

    async def start(self, progress: Callable[[str], None] = lambda line: None) -> None:
        self._starts += 1
        if self._starts > 1 and self.failures:
            self.failures -= 1
            raise StartFailed(f"{self.name} is stubborn")
        self.pid = 100 + self._starts
        self._end = asyncio.Future()

    async def wait(self) -> int:
        return await self._end

    async def stop(self) -> None:
        self.journal.append(self.name)

    def die(self, status: int = -9) -> None:
        self._end.set_result(status)


async def settled(truth: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not truth():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.001)


async def test_a_process_that_dies_is_restarted_and_its_new_pid_is_published() -> None:
    notes: list[str] = []
    published: list[dict[str, int | None]] = []
    keeper = Supervisor(print, notes.append, lambda: published.append(keeper.pids), first_pause=0.001)
    unit = Paper("ingest", [])
    await keeper.start(unit)
    assert keeper.pids == {"ingest": 101}
    unit.die()
    await settled(lambda: bool(published))
    assert published == [{"ingest": 102}]
    assert notes == ["ingest was killed by SIGKILL; starting it again"]
    await keeper.stop()


async def test_a_restart_is_retried_until_it_succeeds() -> None:
    notes: list[str] = []
    published: list[int] = []
    keeper = Supervisor(print, notes.append, lambda: published.append(1), first_pause=0.001)
    unit = Paper("kafka", [], failures=3)
    await keeper.start(unit)
    unit.die(status=1)
    await settled(lambda: bool(published))
    assert notes == ["kafka ended with status 1; starting it again"] + 3 * ["kafka is stubborn"]
    await keeper.stop()


async def test_servers_are_stopped_after_the_services() -> None:
    journal: list[str] = []
    keeper = Supervisor(print, print, lambda: None)
    for name in ("postgres", "ingest", "kafka", "gateway"):
        await keeper.start(Paper(name, journal))
    await keeper.stop(last=("postgres", "kafka"))
    assert set(journal[:2]) == {"ingest", "gateway"}
    assert set(journal[2:]) == {"postgres", "kafka"}


async def test_the_first_error_of_concurrent_steps_is_raised() -> None:
    async def fails() -> None:
        raise StartFailed("port 8400 is taken")

    with pytest.raises(StartFailed, match="port 8400"):
        await run_together(asyncio.sleep(60), fails())


def test_exit_statuses_are_described_in_words() -> None:
    assert describe_exit(-11) == "was killed by SIGSEGV"
    assert describe_exit(3) == "ended with status 3"

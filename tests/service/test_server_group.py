"""Several processes behind one port: they share the requests, and are observed, replaced and stopped together."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.servers import free_port
from tests.contract.local_processes import has_ended, until

PROCESSES = 2
ROOT = Path(__file__).parents[2]
FAILING_MODULE = """
from shared import server_group
from shared.settings import SharedSettings

server_group.RESTART_SECONDS = 0.01
raise SystemExit(server_group.ServerGroup("this", SharedSettings(), 1).run())
"""
"""`python -m this` ends at once."""


@dataclass
class Group:
    """A running group. Each request opens a connection of its own."""

    supervisor: asyncio.subprocess.Process
    http: httpx.AsyncClient
    log: Path

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def pids(self, requests: int = 40) -> Counter[int]:
        """How many of so many simultaneous requests each process answered."""
        return Counter([answer.json() for answer in await asyncio.gather(*(self.get("/pid") for _ in range(requests)))])

    def lines(self, event: str) -> list[dict[str, object]]:
        parsed = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in parsed if line["event"] == event]

    def started(self) -> list[int]:
        """The numbers of the processes that have started to serve."""
        return sorted(int(str(line["process"])) for line in self.lines("service.started"))

    def children(self) -> list[int]:
        pid = self.supervisor.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def settings(port: int) -> dict[str, str]:
    return os.environ | {"INTERNAL_TOKEN": "internal-token-of-the-tests", "PORT": str(port), "PROCESSES": str(PROCESSES)}


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Group]:
    port = free_port()
    with (folder / "log").open("wb") as log:
        supervisor = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.service.grouped_server", cwd=ROOT, env=settings(port), stderr=log
        )
    no_reuse = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=15, limits=no_reuse) as http:
        group = Group(supervisor, http, folder / "log")
        try:
            await until(lambda: len(group.lines("service.started")) == PROCESSES)
            yield group
        finally:
            if supervisor.returncode is None:
                supervisor.terminate()
            await supervisor.wait()


@pytest.fixture(scope="module")
async def group(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Group]:
    async with running(tmp_path_factory.mktemp("group")) as group:
        yield group


async def test_all_processes_answer_requests(group: Group) -> None:
    assert group.started() == [0, 1]
    shares = await group.pids(100)
    assert sorted(shares) == sorted(group.children())
    assert min(shares.values()) >= 20


async def test_a_port_in_use_is_an_error(group: Group) -> None:
    port = int(str(group.http.base_url.port))
    second = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.service.grouped_server", cwd=ROOT, env=settings(port), stderr=asyncio.subprocess.PIPE
    )
    _, log = await second.communicate()
    failed = json.loads(log)
    assert second.returncode == 3
    assert (failed["event"], failed["error"]) == ("service.failed", "EADDRINUSE")


async def test_metrics_are_those_of_all_processes_whichever_is_asked(group: Group) -> None:
    before = await answered_in_all(group)
    await group.pids(30)
    for _ in range(4):
        assert await answered_in_all(group) == before + 30
    families = text_string_to_metric_families((await group.get("/metrics")).text)
    starts = next(list(family.samples) for family in families if family.name == "process_start_time_seconds")
    assert [sample.labels for sample in starts] == [{"process": "0"}, {"process": "1"}]


async def answered_in_all(group: Group) -> float:
    families = text_string_to_metric_families((await group.get("/metrics")).text)
    return sum(sample.value for family in families if family.name == "answered" for sample in family.samples)


async def test_readiness_and_liveness_are_red_while_one_process_can_not_answer(group: Group) -> None:
    """Connections to the stopped process wait. Of so many at least one reaches the other."""
    assert (await group.get("/readyz")).json() == {"status": "ok", "missing": []}
    stopped = group.children()[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        requests = [asyncio.create_task(group.get(path)) for path in ("/livez", "/readyz") for _ in range(20)]
        done, waiting = await asyncio.wait(requests, timeout=8)
        for request in waiting:
            request.cancel()
        answers = [request.result() for request in done]
        assert {answer.url.path for answer in answers} == {"/livez", "/readyz"}
        assert {answer.status_code for answer in answers} == {503}
        assert {tuple(answer.json()["missing"]) for answer in answers} == {("process 0",)}
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert (await group.get("/readyz")).status_code == 200


async def test_a_process_that_is_killed_is_replaced_and_connections_to_it_wait(group: Group) -> None:
    killed, other = group.children()
    os.kill(killed, signal.SIGKILL)
    await until(lambda: bool(group.lines("process.died")))
    shares = await group.pids(40)
    assert set(shares) == set(group.children())
    assert other in shares
    assert killed not in shares
    assert (await group.get("/readyz")).status_code == 200
    assert group.lines("process.died")[0]["status"] == "SIGKILL"


async def test_sigterm_lets_all_processes_answer_what_they_have_begun(tmp_path: Path) -> None:
    async with running(tmp_path) as group:
        slow = [asyncio.create_task(group.get("/slow")) for _ in range(20)]
        await asyncio.sleep(0.3)
        group.supervisor.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*slow)
        assert {answer.status_code for answer in answers} == {200}
        assert await group.supervisor.wait() == 0
        assert len(group.lines("service.stopped")) == PROCESSES


async def test_the_processes_end_with_their_supervisor(tmp_path: Path) -> None:
    async with running(tmp_path) as group:
        children = group.children()
        group.supervisor.kill()
        await until(lambda: all(map(has_ended, children)))


async def test_processes_that_die_again_and_again_end_the_group_with_an_error() -> None:
    failing = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FAILING_MODULE, cwd=ROOT, env=settings(free_port()), stdout=asyncio.subprocess.PIPE
    )
    log, _ = await failing.communicate()
    assert failing.returncode == 1
    assert b"processes.failed" in log

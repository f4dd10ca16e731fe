"""`python -m deploy.local`: the files that it writes, restarts, shutdown, and that its data stays."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.ports import free_port_base, is_free
from deploy.local.settings import OFFSETS, SERVICES
from tests.contract.local_processes import has_ended, until

ROOT = Path(__file__).parents[2]
PROCESSES = (*SERVICES, "kafka", "postgres")


class Running:
    """A stack without history, started like by `make run DEMO=0`."""

    def __init__(self, data: Path, base: int) -> None:
        self.data = data
        self.base = base
        self.process = self.launch()

    def launch(self) -> subprocess.Popen[str]:
        environment = os.environ | {"DATA": str(self.data), "PORT_BASE": str(self.base), "DEMO": "0"}
        command = [sys.executable, "-m", "deploy.local"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def demo(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.data / "demo.json").read_text())
        return content

    def until_ready(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not (self.data / "demo.json").exists():
            if self.process.poll() is not None:
                pytest.fail(self.process.communicate()[0])
            assert time.monotonic() < deadline, "the stack did not become ready"
            time.sleep(0.05)

    def wait_for_end(self) -> tuple[int, str]:
        """Wait for the end; returns the exit status and the output."""
        output = self.process.communicate(timeout=60)[0]
        return self.process.returncode, output

    def stop(self, *signals: signal.Signals) -> tuple[int, str]:
        """Send the signals; returns the exit status and the output."""
        for number in signals or (signal.SIGTERM,):
            self.process.send_signal(number)
            time.sleep(0.1)
        return self.wait_for_end()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        stack = Running(Path(folder) / "data", free_port_base())
        try:
            stack.until_ready()
            yield stack
        finally:
            stack.process.kill()
            stack.process.communicate()


def test_demo_json_has_urls_keys_connections_and_pids(running: Running) -> None:
    demo = running.demo
    urls = {f"{name}_url": f"http://127.0.0.1:{running.base + OFFSETS[name]}" for name in SERVICES}
    assert set(demo) == {*urls, "api_key", "admin_key", "connections", "pids"}
    assert {name: demo[name] for name in urls} == urls
    assert set(demo["pids"]) == set(PROCESSES)
    assert not any(has_ended(pid) for pid in demo["pids"].values())
    assert [c["provider"] for c in demo["connections"]] == ["standard", "typeform", "zendesk"]
    for connection in demo["connections"]:
        assert set(connection) == {"id", "provider", "hook_url", "secret"}
        assert connection["hook_url"] == f"{demo['ingest_url']}/v1/hooks/{connection['id']}"


def test_files_with_secrets_are_readable_by_their_owner_only(running: Running) -> None:
    for name in ("secrets.json", "services.env", "demo.json"):
        assert stat.S_IMODE((running.data / name).stat().st_mode) == 0o600


async def test_the_keys_have_their_scopes(running: Running) -> None:
    demo = running.demo
    async with httpx.AsyncClient(base_url=demo["gateway_url"]) as http:
        reader, admin = ({"authorization": f"Bearer {demo[key]}"} for key in ("api_key", "admin_key"))
        assert (await http.get("/v1/kpis", headers=reader)).status_code == 200
        assert (await http.get("/v1/connections", headers=reader)).status_code == 403
        assert (await http.get("/v1/connections", headers=admin)).status_code == 200
        answer = await http.get("/v1/kpis/nps", params={"window": "24h"}, headers=reader)
        assert answer.json()["window"]["tz"] == "Europe/Berlin"


def test_a_second_stack_on_the_same_data_or_ports_refuses_clearly(running: Running) -> None:
    status, output = Running(running.data, free_port_base()).wait_for_end()
    assert status == 1
    assert str(running.process.pid) in output
    assert "DATA" in output
    with tempfile.TemporaryDirectory() as other:
        status, output = Running(Path(other), running.base).wait_for_end()
    assert status == 1
    assert str(running.base) in output
    assert "PORT_BASE" in output
    assert running.demo


@pytest.mark.parametrize("name", PROCESSES)
async def test_a_killed_process_is_restarted_and_demo_json_has_its_new_pid(running: Running, name: str) -> None:
    before = running.demo["pids"]
    os.kill(before[name], signal.SIGKILL)
    await until(lambda: running.demo["pids"][name] != before[name])
    after = running.demo["pids"]
    assert not has_ended(after[name])
    assert {other: after[other] for other in PROCESSES if other != name} == {
        other: before[other] for other in PROCESSES if other != name
    }


async def test_it_stops_all_processes_and_the_next_start_uses_the_data(running: Running) -> None:
    first = running.demo
    status, output = running.stop(signal.SIGINT, signal.SIGINT, signal.SIGTERM)
    assert status == 0, output
    assert re.search(rf"{first['gateway_url']}/#key={first['api_key']}", output)
    assert all(has_ended(pid) for pid in first["pids"].values())
    assert all(is_free(running.base + offset) for offset in OFFSETS.values())
    assert not (running.data / "demo.json").exists()

    running.process = running.launch()
    running.until_ready()
    assert {**running.demo, "pids": None} == {**first, "pids": None}
    pids = running.demo["pids"].values()
    running.process.kill()
    await until(lambda: all(has_ended(pid) for pid in pids))

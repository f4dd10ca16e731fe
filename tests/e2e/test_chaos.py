"""Kill each process under load: every acknowledged delivery is counted once, and at the end `make verify` finds no difference."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from deploy.local.environment import read_environment
from tests.e2e.stack import Stack, nps_response, until


@dataclass
class Load:
    """Senders that behave like tools: they retry each delivery, under its id, until it is acknowledged."""

    stack: Stack
    connection: dict[str, str]
    acknowledged: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    stopping: bool = False

    async def is_large(self) -> bool:
        """Whether enough was acknowledged that a loss would show."""
        return self.acknowledged > 50

    async def run(self, senders: int = 8) -> None:
        await asyncio.gather(*(self._sender() for _ in range(senders)))

    async def _sender(self) -> None:
        while not self.stopping:
            await self._deliver(uuid4().hex)
            await asyncio.sleep(0.02)

    async def _deliver(self, delivery: str) -> None:
        payload = {"type": "feedback", "data": nps_response(9, id=delivery, comment="Quick and friendly answer, thanks.")}
        while True:
            try:
                answer = await self.stack.deliver("standard", payload, connection=self.connection, delivery=delivery)
            except httpx.HTTPError:
                await asyncio.sleep(0.2)
                continue
            if answer.status_code == 202:
                assert answer.json()["status"] in {"accepted", "duplicate"}
                self.acknowledged += 1
                return
            assert answer.status_code == 503, f"our fault must be 503, not {answer.status_code}"
            assert answer.headers["retry-after"]
            await asyncio.sleep(0.2)


async def wait_until_counted(stack: Stack, load: Load) -> None:
    own = {"filter[connection]": load.connection["id"]}

    async def arrived() -> bool:
        answer = await stack.get("/v1/kpis/nps", window="24h", **own)
        return answer.status_code == 200 and answer.json()["rows"][0]["n"] == load.acknowledged

    await until(arrived, seconds=90, description=f"{load.acknowledged} acknowledged deliveries counted, each once")


@pytest.fixture(scope="module", autouse=True)
async def verified_at_the_end(stack: Stack) -> AsyncIterator[None]:
    """Verify once, after all losses of this module: each verification compares the whole history of the stack."""
    yield
    result = await stack.verify()
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("victim", ["ingest", "sentiment", "metrics", "gateway", "kafka", "postgres"])
async def test_nothing_acknowledged_is_lost_when_a_process_is_killed_under_load(stack: Stack, victim: str) -> None:
    load = Load(stack, await stack.new_connection("standard"))
    running = asyncio.create_task(load.run())
    await asyncio.sleep(1.5)
    pid = stack.kill(victim)
    await stack.restarted(victim, pid)
    await asyncio.sleep(1.5)
    await until(load.is_large, description="51 acknowledged deliveries")
    load.stopping = True
    await running
    await wait_until_counted(stack, load)


async def test_while_kafka_hangs_webhooks_are_accepted_and_counted_later(stack: Stack) -> None:
    load = Load(stack, await stack.new_connection("standard"))
    broker = int(stack.demo["pids"]["kafka"])
    os.kill(broker, signal.SIGSTOP)
    try:
        for _ in range(50):
            answer = await stack.deliver("standard", {"data": nps_response(10)}, connection=load.connection)
            assert answer.status_code == 202
            load.acknowledged += 1
        row = await stack.row("nps", **{"filter[connection]": load.connection["id"]})
        assert row["n"] == 0, "a stopped broker passes nothing on"
    finally:
        os.kill(broker, signal.SIGCONT)
    await wait_until_counted(stack, load)


async def test_metrics_counts_nothing_twice_after_a_pause(stack: Stack) -> None:
    load = Load(stack, await stack.new_connection("standard"))
    running = asyncio.create_task(load.run(senders=4))
    metrics = int(stack.demo["pids"]["metrics"])
    await asyncio.sleep(0.5)
    os.kill(metrics, signal.SIGSTOP)
    await asyncio.sleep(3)
    os.kill(metrics, signal.SIGCONT)
    await asyncio.sleep(0.5)
    load.stopping = True
    await running
    await wait_until_counted(stack, load)


DELIVERIES, RESPONSES = 2_000, 200
"""Of a replay; each response is corrected nine times, so that the verification compares few subjects."""
HANDLED_EVENTS = 'earshot_kafka_handled_total{group="metrics",topic="feedback.events"}'


@dataclass
class Publishing:
    """The progress of what ingest publishes, and of what metrics has handled since its start, repeated events included."""

    stack: Stack

    @property
    def internal(self) -> dict[str, str]:
        return {"authorization": f"Bearer {read_environment(self.stack.data / 'services.env')['INTERNAL_TOKEN']}"}

    async def waiting(self) -> int | None:
        """Deliveries in the outbox, and those of replays that are not there yet; None while ingest is down."""
        try:
            answer = await self.stack.http.get(f"{self.stack.ingest_url}/internal/head", headers=self.internal)
        except httpx.HTTPError:
            return None
        return int(answer.json()["unpublished"]) if answer.status_code == 200 else None

    async def is_done(self) -> bool:
        return await self.waiting() == 0

    async def is_in_the_middle(self) -> bool:
        waiting = await self.waiting()
        return waiting is not None and 0 < waiting < DELIVERIES * 3 // 4

    async def handled(self) -> float:
        lines = (await self.stack.http.get(f"{self.stack.demo['metrics_url']}/metrics")).text.splitlines()
        return sum(float(line.removeprefix(HANDLED_EVENTS)) for line in lines if line.startswith(HANDLED_EVENTS))


async def test_a_replay_goes_on_after_ingest_is_killed_in_the_middle_of_it(stack: Stack) -> None:
    connection, publishing, began = await stack.new_connection("standard"), Publishing(stack), datetime.now(UTC).isoformat()
    records = [nps_response(number % 11, id=f"{connection['id']}-{number % RESPONSES}") for number in range(DELIVERIES)]
    posted = await stack.admin("POST", "/v1/feedback:batch", params={"connection": connection["id"]}, json=records)
    assert {result["status"] for result in posted.json()["results"]} == {"accepted"}
    load = Load(stack, connection, acknowledged=RESPONSES)
    await wait_until_counted(stack, load)
    await until(publishing.is_done, description="an empty outbox")
    before = await publishing.handled()

    request = {"since": began, "tenant": "demo"}
    accepted = await stack.http.post(f"{stack.ingest_url}/internal/replay", headers=publishing.internal, json=request)
    await until(publishing.is_in_the_middle, description="the middle of the replay")
    pid = stack.kill("ingest")
    assert await publishing.handled() < before + DELIVERIES
    await stack.restarted("ingest", pid)
    await until(publishing.is_done, description="all is published")

    async def is_handled() -> bool:
        return await publishing.handled() >= before + DELIVERIES

    await until(is_handled, description="all events handled again")
    assert (await stack.get(f"/v1/replay/{accepted.json()['id']}", key=stack.admin_key)).json()["state"] == "done"
    await wait_until_counted(stack, load)

"""Several processes of ingest behind one port: what any of them acknowledges is stored once, also when one is killed. Their
children import files."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.servers import free_port
from shared.database import dsn
from tests.contract.local_processes import until
from tests.contract.service_processes import SECRET_KEY, TOKEN
from tests.signing import standard
from tests.unit.ingest.making import nps, response

ROOT = Path(__file__).parents[2]
PROCESSES = 2
SENDERS, DELIVERIES = 8, 200
INSIDE = {"authorization": f"Bearer {TOKEN}", "x-earshot-tenant": "acme"}


@pytest.fixture
async def ingest(ingest_url: str, tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """The supervisor of ingest's processes, without Kafka, and a client that opens a connection for each request."""
    port = free_port()
    environment = os.environ | {
        "INGEST_DATABASE_URL": ingest_url,
        "INGEST_SECRET_KEY": SECRET_KEY,
        "INGEST_PORT": str(port),
        "INGEST_PROCESSES": str(PROCESSES),
        "INTERNAL_TOKEN": TOKEN,
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
    }
    with (tmp_path / "log").open("wb") as log:
        supervisor = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.ingest", cwd=ROOT, env=environment, stderr=log
        )
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=INSIDE, timeout=30, limits=limits) as http:
        await until(lambda: (tmp_path / "log").read_text().count('"service.started"') == PROCESSES)
        yield supervisor, http
        supervisor.terminate()
        assert await supervisor.wait() == 0


async def connect(http: httpx.AsyncClient) -> dict[str, Any]:
    (await http.put("/internal/tenants/acme", json={"name": "Acme", "zone": "UTC"})).raise_for_status()
    answer = await http.post("/v1/connections", json={"provider": "standard", "name": "tool"})
    return answer.raise_for_status().json()


def signed(connection: dict[str, Any], delivery: str) -> tuple[bytes, dict[str, str]]:
    content = json.dumps({"data": response(nps(9), id=delivery)}).encode()
    return content, standard(connection["secret"], content, delivery=delivery)


async def deliver(http: httpx.AsyncClient, connection: dict[str, Any], delivery: str) -> str:
    """Send a delivery again until it is acknowledged, as tools do. Returns the status of the acknowledgement."""
    content, headers = signed(connection, delivery)
    while True:
        try:
            answer = await http.post(f"/v1/hooks/{connection['id']}", content=content, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        assert answer.status_code == 202, answer.text
        return str(answer.json()["status"])


async def test_deliveries_to_several_processes_are_stored_once_also_when_one_is_killed(
    ingest: tuple[asyncio.subprocess.Process, httpx.AsyncClient], ingest_url: str
) -> None:
    supervisor, http = ingest
    connection = await connect(http)
    statuses: dict[str, str] = {}

    async def send(sender: int) -> None:
        for number in range(sender, DELIVERIES, SENDERS):
            statuses[str(number)] = await deliver(http, connection, str(number))

    sending = [asyncio.create_task(send(sender)) for sender in range(SENDERS)]
    await until(lambda: len(statuses) >= DELIVERIES // 2)
    shares = await deliveries_by_process(http)
    children = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    await asyncio.gather(*sending)
    assert len(shares) == PROCESSES
    assert all(shares.values())
    assert set(statuses.values()) <= {"accepted", "duplicate"}
    database = await asyncpg.connect(dsn(ingest_url))
    rows = await database.fetch("SELECT seq, delivery FROM inbox WHERE connection = $1", connection["id"])
    await database.close()
    assert sorted(row["delivery"] for row in rows) == sorted(map(str, range(DELIVERIES)))
    assert len({row["seq"] for row in rows}) == DELIVERIES
    await until_ready(http)


async def deliveries_by_process(http: httpx.AsyncClient) -> dict[str, float]:
    families = text_string_to_metric_families((await http.get("/metrics")).text)
    samples = [sample for family in families if family.name == "earshot_ingest_deliveries" for sample in family.samples]
    return {sample.labels["process"]: sample.value for sample in samples if sample.labels["outcome"] == "accepted"}


async def until_ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while (await http.get("/readyz")).status_code != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_file_is_imported_by_child_processes(ingest: tuple[asyncio.subprocess.Process, httpx.AsyncClient]) -> None:
    _, http = ingest
    await connect(http)
    created = await http.post("/v1/imports", json={"format": "ndjson"})
    job = f"/v1/imports/{created.raise_for_status().json()['id']}"
    lines = [json.dumps(response(nps(9), id=f"r-{number}", at="2026-11-20T10:00:00Z")) for number in range(20)]
    (await http.put(f"{job}/parts/1", content="\n".join(lines).encode())).raise_for_status()
    (await http.post(f"{job}:start")).raise_for_status()
    async with asyncio.timeout(60):
        while (view := (await http.get(job)).json())["finished_at"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert (view["state"], view["accepted"]) == ("done", 20)

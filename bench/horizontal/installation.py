"""The installation: three machines, each with a broker, a database and replicas, and the balancers before the replicas."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.horizontal.balancer import Balancer
from bench.horizontal.machine import KAFKA, PORTS
from bench.horizontal.network import address
from bench.metrics_events import MODEL
from deploy.local.kafka import new_cluster_id
from deploy.local.processes import run_command
from services.gateway.admin import open_admin
from services.gateway.settings import Settings as GatewaySettings
from shared.kafka import ensure_topics

OUTSIDE = 1
"""The machine of the tools and the balancers: this process."""
MACHINES = (2, 3, 4)
DATABASES = {"ingest": 2, "metrics": 3, "gateway": 4}
REPLICAS = {"ingest": (2, 3), "sentiment": (3, 4), "metrics": (2, 4), "gateway": (3, 4)}
"""Service → the machines of its replicas. Those of metrics are apart from its database."""
ROOT = Path(__file__).parents[2]


class MachineFailed(Exception):
    """A machine could not carry out a command; the text is its answer."""


@dataclass
class Remote:
    """A machine, seen from this process."""

    number: int
    process: asyncio.subprocess.Process
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def do(self, command: str, **arguments: Any) -> Any:
        """The result of a command of `bench.horizontal.machine`. Raises MachineFailed."""
        assert self.process.stdin
        assert self.process.stdout
        async with self._turn:
            self.process.stdin.write(json.dumps({"do": command, **arguments}).encode() + b"\n")
            answer = json.loads(await self.process.stdout.readline() or b'{"error": "it has ended"}')
        if "error" in answer:
            raise MachineFailed(f"machine {self.number}, {command} {arguments.get('name', '')}: {answer['error']}")
        return answer["result"]


@dataclass
class Installation:
    """The running machines, the environment of the services, and the hub of the network."""

    folder: Path
    hub: asyncio.subprocess.Process
    machines: dict[int, Remote]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """host:port of each broker."""
        return ",".join(f"{address(number)}:{KAFKA}" for number in MACHINES)

    def url(self, service: str) -> str:
        """The base URL of a service, at its balancer."""
        return f"http://{address(OUTSIDE)}:{PORTS[service]}"

    async def set_link(self, machine: int, **condition: Any) -> dict[str, int]:
        """Set the condition of a machine's link (`network.Link`). Returns the packets so far, passed and lost."""
        assert self.hub.stdin
        assert self.hub.stdout
        self.hub.stdin.write(json.dumps({"machine": machine, **condition}).encode() + b"\n")
        return dict(json.loads(await self.hub.stdout.readline()))

    async def install(self) -> None:
        """Start brokers and databases, create topics and schemas, then start all replicas."""
        cluster = new_cluster_id()
        brokers = [machine.do("kafka", brokers=MACHINES, cluster=cluster) for machine in self.machines.values()]
        await asyncio.gather(*brokers)
        databases = [self.machines[number].do("database", name=name) for name, number in DATABASES.items()]
        urls = dict(zip(DATABASES, await asyncio.gather(*databases), strict=True))
        self.environment = self._variables(urls)
        await ensure_topics(self.bootstrap, replication=len(MACHINES))
        for name in DATABASES:
            await run_command(name, [sys.executable, "-m", f"services.{name}.migrate"], self.log, env=self.variables)
        starts = [self._create_replica(name, number) for name, numbers in REPLICAS.items() for number in numbers]
        await asyncio.gather(*starts)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a command that runs in this process's namespace."""
        return {**os.environ, **self.environment}

    @property
    def log(self) -> Path:
        """Where commands write."""
        return self.folder / "commands.log"

    def admin_settings(self) -> GatewaySettings:
        """The settings of `services.gateway.admin`."""
        return GatewaySettings.model_validate(
            {
                "database_url": self.environment["GATEWAY_DATABASE_URL"],
                "internal_token": self.environment["INTERNAL_TOKEN"],
                **{f"{name}_url": self.url(name) for name in ("ingest", "metrics", "sentiment")},
            }
        )

    async def create_tenant(self, tenant: str) -> tuple[str, dict[str, Any]]:
        """Create a tenant. Returns an API key and a connection for signed webhooks."""
        async with open_admin(self.admin_settings()) as admin:
            await admin.create_tenant(tenant, "Europe/Berlin")
            _, key = await admin.create_key(tenant, ["metrics:read"])
            return key, await admin.create_connection(tenant, provider="standard", name="Surveys")

    async def processor_seconds(self, service: str) -> float:
        """Processor time of all replicas of a service so far."""
        return sum([float(await self.machines[number].do("processor seconds", name=service)) for number in REPLICAS[service]])

    async def _create_replica(self, name: str, machine: int) -> None:
        await self.machines[machine].do("service", name=name, environment=self.environment)

    def _variables(self, databases: dict[str, str]) -> dict[str, str]:
        callers: dict[str, tuple[str, ...]] = {"ingest": ("metrics",), "sentiment": ("ingest",), "metrics": ("ingest",)}
        callers["gateway"] = ("ingest", "metrics", "sentiment")
        urls = {f"{caller}_{name}_url": self.url(name) for caller, names in callers.items() for name in names}
        variables = {
            **{f"{name}_database_url": url for name, url in databases.items()},
            **urls,
            "kafka_bootstrap_servers": self.bootstrap,
            "internal_token": secrets.token_urlsafe(32),
            "ingest_secret_key": secrets.token_urlsafe(32) + "=",
            "ingest_public_url": self.url("ingest"),
            "ingest_encrypt_bodies": "true",
            "shutdown_pause": "3",
            "sentiment_scorer": "vader",  # which costs little: scoring is not what is measured
            "metrics_sentiment_model": MODEL,
        }
        return {name.upper(): value for name, value in variables.items()}


@asynccontextmanager
async def running_installation(folder: Path, hub: asyncio.subprocess.Process, socket: Path) -> AsyncIterator[Installation]:
    """The machines and balancers, stopped at the end. Everything is installed by `install`."""
    async with AsyncExitStack() as stack:
        machines: dict[int, Remote] = {}
        stack.push_async_callback(stop_all, machines)
        for number in MACHINES:
            machines[number] = await start_machine(number, folder / f"machine-{number}", socket)
        for name, numbers in REPLICAS.items():
            balancer = Balancer([address(number) for number in numbers], PORTS[name])
            await stack.enter_async_context(balancer.listening(address(OUTSIDE)))
        yield Installation(folder, hub, machines)


async def start_machine(number: int, folder: Path, hub: Path) -> Remote:
    """Start a machine's process in a namespace of its own."""
    folder.mkdir(mode=0o755)  # noqa: ASYNC240
    with (folder / "machine.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bench.horizontal.machine", str(number), str(folder), str(hub)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    return Remote(number, process)


async def stop_all(machines: dict[int, Remote]) -> None:
    """Stop all machines at the same time."""
    await asyncio.gather(*(stop(machine.process) for machine in machines.values()))


async def stop(process: asyncio.subprocess.Process) -> None:
    """End the input of a process, at which it stops what it started, and wait for its end."""
    if process.stdin:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 60)
    except TimeoutError:
        process.kill()
        await process.wait()

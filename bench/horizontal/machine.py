"""A machine: a process in a network namespace that starts and stops servers by commands on standard input.

    python -m bench.horizontal.machine NUMBER FOLDER HUB

Each line is a command, {"do": "start", "name": "kafka", …}; the answer is a line on standard output: {"result": …} or
{"error": …}. Commands are carried out one after the other. At the end of its input the machine stops everything.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from bench.horizontal.network import PREFIX, address, join
from deploy.local.ports import HOST
from deploy.local.servers import Kafka, Postgres, StartFailed
from deploy.local.service import Service

KAFKA, CONTROLLER, POSTGRES = 9092, 9093, 5432
PORTS = {"ingest": 8001, "sentiment": 8002, "metrics": 8003, "gateway": 8004}
BROKER = """\
node.id={number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://0.0.0.0:{port},CONTROLLER://{address}:{controller}
advertised.listeners=PLAINTEXT://{address}:{port}
offsets.topic.replication.factor={replicas}
default.replication.factor={replicas}
min.insync.replicas={quorum}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={quorum}
"""
DATABASE_SETTINGS = {"listen_addresses": "*", "shared_buffers": "64MB"}


class Machine:
    """The servers of one machine, each by its name."""

    def __init__(self, number: int, folder: Path, http: httpx.AsyncClient) -> None:
        self._number = number
        self._folder = folder
        self._http = http
        self._units: dict[str, Kafka | Postgres | Service] = {}

    async def create_kafka(self, brokers: list[int], cluster: str) -> None:
        """Start a broker of a cluster of these machines."""
        properties = BROKER.format(
            number=self._number,
            voters=",".join(f"{number}@{address(number)}:{CONTROLLER}" for number in brokers),
            address=address(self._number),
            port=KAFKA,
            controller=CONTROLLER,
            replicas=len(brokers),
            quorum=len(brokers) // 2 + 1,
        )
        broker = Kafka(self._folder / "kafka", KAFKA, CONTROLLER, properties=properties, cluster=cluster)
        self._units["kafka"] = broker
        await broker.start()

    async def create_database(self, name: str) -> str:
        """Start a PostgreSQL with this database. Returns the URL for the other machines."""
        postgres = Postgres(self._folder / "postgres", POSTGRES, settings=DATABASE_SETTINGS)
        self._units["postgres"] = postgres
        await postgres.start()
        url = await postgres.create_database(name)
        with (self._folder / "postgres" / "data" / "pg_hba.conf").open("a") as access:
            access.write(f"host all all {PREFIX}.0/24 scram-sha-256\n")
        await postgres.stop()
        await postgres.start()
        return url.replace(HOST, address(self._number))

    async def create_service(self, name: str, environment: Mapping[str, str]) -> None:
        """Start a replica of a service, and wait until it is ready."""
        own = {f"{name}_HOST".upper(): "0.0.0.0", f"{name}_PORT".upper(): str(PORTS[name])}
        command = [sys.executable, "-m", f"services.{name}"]
        url, log = f"http://{HOST}:{PORTS[name]}", self._folder / f"{name}.log"
        service = Service(name, command, url, {**environment, **own}, log, self._http)
        self._units[name] = service
        await self.start(name)

    async def start(self, name: str) -> None:
        """Start a server again."""
        unit = self._units[name]
        await unit.start()
        if isinstance(unit, Service):
            await unit.wait_until_serving()

    async def stop(self, name: str) -> None:
        """Stop a server as an orchestrator does."""
        await self._units[name].stop()

    async def kill(self, name: str) -> None:
        """Kill a server."""
        os.kill(self._units[name].pid or 0, signal.SIGKILL)
        await self._units[name].wait()

    async def processor_seconds(self, name: str) -> float:
        """Processor time of a server's process so far; 0 if it does not run."""
        try:
            fields = Path(f"/proc/{self._units[name].pid}/stat").read_text().rpartition(")")[2].split()  # noqa: ASYNC240
        except FileNotFoundError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def stop_all(self) -> None:
        """Stop the services, then the servers that they use."""
        services = [unit for unit in self._units.values() if isinstance(unit, Service)]
        await asyncio.gather(*(unit.stop() for unit in services))
        await asyncio.gather(*(unit.stop() for unit in self._units.values()))


async def serve(number: int, folder: Path) -> None:
    """Carry out the commands of standard input."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        machine = Machine(number, folder, http)
        commands: dict[str, Callable[..., Awaitable[Any]]] = {
            "kafka": machine.create_kafka,
            "database": machine.create_database,
            "service": machine.create_service,
            "start": machine.start,
            "stop": machine.stop,
            "kill": machine.kill,
            "processor seconds": machine.processor_seconds,
        }
        try:
            while line := await reader.readline():
                command = json.loads(line)
                try:
                    answer = {"result": await commands[command.pop("do")](**command)}
                except StartFailed as error:
                    answer = {"error": str(error)}
                print(json.dumps(answer), flush=True)
        finally:
            await machine.stop_all()


if __name__ == "__main__":
    join(int(sys.argv[1]), Path(sys.argv[3]))
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))

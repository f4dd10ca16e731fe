"""The settings of `make run`, and the ports, URLs and paths that follow from them."""

from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.ports import HOST

SERVICES = ("ingest", "sentiment", "metrics", "gateway")
DATABASES = ("ingest", "metrics", "gateway")
"""Services with a database."""

OFFSETS = {"gateway": 0, "ingest": 1, "sentiment": 2, "metrics": 3, "kafka": 4, "kafka controller": 5, "postgres": 6}
"""Port of each process, relative to PORT_BASE."""

EmptyIsNone = BeforeValidator(lambda value: value or None)


class Settings(BaseSettings):
    """Settings of the local stack."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    data: Path = Field(Path(".local"), description="Folder of all data")
    port_base: int = Field(8400, ge=1024, le=65_528, description="First of the consecutive ports of the stack")
    demo: bool = Field(True, description="Whether the demo tenant gets a history and live events")
    kafka_bootstrap_servers: Annotated[str | None, EmptyIsNone] = Field(
        None, description="An existing Kafka (host:port, …) to use"
    )
    database_url_base: Annotated[str | None, EmptyIsNone] = Field(
        None,
        description="An existing PostgreSQL to use (postgresql+asyncpg://user:password@host:port, without a database); "
        "the user must be allowed to create databases",
    )

    @cached_property
    def folder(self) -> Path:
        """The absolute path of the data folder."""
        return self.data.resolve()

    def port(self, name: str) -> int:
        """The port of a process, at a fixed offset from `port_base`."""
        return self.port_base + OFFSETS[name]

    def url(self, service: str) -> str:
        """The base URL of a service, without a trailing slash."""
        return f"http://{HOST}:{self.port(service)}"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.folder / "logs" / f"{name}.log"

    @property
    def secrets_file(self) -> Path:
        """The secrets that the stack generated, and the keys of the demo's tenant."""
        return self.folder / "secrets.json"

    @property
    def environment_file(self) -> Path:
        """The environment variables of the services."""
        return self.folder / "services.env"

    @property
    def demo_file(self) -> Path:
        """The description of the running stack, for tools and tests."""
        return self.folder / "demo.json"

    @property
    def history_file(self) -> Path:
        """The end of the demo's history, and whether it is loaded."""
        return self.folder / "history.json"

    @property
    def chats_file(self) -> Path:
        """The chats of the trickle that are in progress."""
        return self.folder / "chats.json"

    def own_ports(self) -> dict[str, int]:
        """Name → port of each process that this stack starts."""
        external = set()
        if self.kafka_bootstrap_servers:
            external |= {"kafka", "kafka controller"}
        if self.database_url_base:
            external |= {"postgres"}
        return {name: self.port(name) for name in OFFSETS if name not in external}

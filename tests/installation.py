"""All four services on real databases in the process of the tests, with or without Kafka."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI

from services.gateway.app import create_app as gateway_app
from services.gateway.settings import Settings as GatewaySettings
from services.ingest.app import create_app as ingest_app
from services.ingest.settings import Settings as IngestSettings
from services.metrics.app import create_app as metrics_app
from services.metrics.settings import Settings as MetricsSettings
from services.sentiment.app import create_app as sentiment_app
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.settings import Settings as SentimentSettings
from tests.conftest import NewDatabase
from tests.contract.inbox import Broker
from tests.replicas import KEEPALIVE, Balancer, Replica, replace, stop_all
from tests.service.gateway.gateway_client import FakeChanges
from tests.service.ingest.client import SECRET_KEY
from tests.service.metrics.database import SilentProducer

SERVICES = ("ingest", "metrics", "sentiment", "gateway")
DATABASES = ("ingest", "metrics", "gateway")
MODEL = "vader-3.3.2"
"""The model of `VaderScorer`, and so that of the KPIs."""
NOWHERE = "127.0.0.1:1"


@dataclass
class Installation:
    """The databases and the addresses of the services. `fields`: settings of all of them. `kafka`: None, or the brokers."""

    databases: dict[str, str]
    fields: dict[str, Any]
    kafka: str | None = None
    services: Sequence[str] = SERVICES
    balancers: dict[str, Balancer] = field(default_factory=lambda: {name: Balancer() for name in SERVICES})

    def url(self, service: str) -> str:
        return self.balancers[service].url

    def apps(self, *services: str, **fields: Any) -> dict[str, FastAPI]:
        """Applications for new replicas of these services, or of all, with further settings."""
        return {name: self._app(name, self.fields | fields) for name in services or self.services}

    async def start(self, *services: str, **fields: Any) -> None:
        """Start a replica of these services, or of all."""
        await replace(self.balancers, self.apps(*services, **fields))

    async def stop(self, *services: str) -> None:
        """Stop the replicas of these services, or of all."""
        await stop_all({name: self.balancers[name] for name in services or self.services})

    def replicas(self, *services: str) -> list[Replica]:
        """The current replicas of these services, or of all, that run in this process."""
        backends = [backend for name in services or self.services for backend in self.balancers[name].replicas]
        return [backend for backend in backends if isinstance(backend, Replica)]

    def settings(self, service: str, **fields: Any) -> dict[str, Any]:
        """The settings of a service."""
        urls = {f"{name}_url": self.url(name) for name in SERVICES}
        database = {"database_url": self.databases[service]} if service in self.databases else {}
        return {"kafka_bootstrap_servers": self.kafka or NOWHERE, **urls, **database, **self.fields, **fields}

    def _app(self, service: str, fields: dict[str, Any]) -> FastAPI:
        settings = self.settings(service, **fields)
        own: dict[str, Any]
        match service:
            case "ingest":
                own = {"secret_key": SECRET_KEY, "public_url": self.url("ingest")}
                return ingest_app(IngestSettings.model_validate(settings | own), producer=None if self.kafka else Broker())
            case "metrics":
                own = {"sentiment_model": MODEL} | ({} if self.kafka else {"consume": False, "seal": False})
                sender = None if self.kafka else SilentProducer()
                return metrics_app(MetricsSettings.model_validate(settings | own), sender=sender)
            case "sentiment":
                own = {"scorer": "vader", "taxonomy_cache_seconds": 0}
                return sentiment_app(SentimentSettings.model_validate(settings | own), scorer=VaderScorer())
            case _:
                changes = None if self.kafka else FakeChanges().follow()
                return gateway_app(GatewaySettings.model_validate(settings), changes=changes)


@asynccontextmanager
async def running_installation(
    database: NewDatabase, fields: dict[str, Any], kafka: str | None = None, services: Sequence[str] = SERVICES
) -> AsyncIterator[Installation]:
    """The services with these settings, on new databases. Stop and start them, or replace them, by its methods."""
    databases = {name: await database(name) for name in DATABASES if name in services}
    installation = Installation(databases, fields, kafka, services)
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for module in ("shared.ingest", "services.gateway.clients.upstream"):
            patch.setattr(f"{module}.CONNECTIONS", KEEPALIVE)
        for name in services:
            await stack.enter_async_context(installation.balancers[name].listening())
        stack.push_async_callback(installation.stop)
        await installation.start()
        yield installation

"""A gateway on a real database. The tests play the services behind it."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import structlog

from tests.conftest import NewDatabase
from tests.service.gateway.earshot_command import Earshot, serving
from tests.service.gateway.fake_services import FakeServices
from tests.service.gateway.gateway_client import TOKEN, FakeChanges, GatewayClient, open_client

OpenGateway = Callable[..., AbstractAsyncContextManager[GatewayClient]]


@pytest.fixture(scope="session")
def open_gateway(database: NewDatabase) -> OpenGateway:
    """`async with open_gateway(**settings) as gateway_client`: a gateway of the test's own."""

    @asynccontextmanager
    async def fresh(**settings: Any) -> AsyncIterator[GatewayClient]:
        async with open_client(await database("gateway"), FakeChanges(), **settings) as client:
            yield client

    return fresh


@pytest.fixture(scope="session")
async def gateway_client(open_gateway: OpenGateway) -> AsyncIterator[GatewayClient]:
    """One gateway for the tests that need no settings of their own."""
    async with open_gateway() as client:
        yield client


@pytest.fixture(autouse=True)
def reset_upstreams(request: pytest.FixtureRequest) -> None:
    """Forget the requests and the responses of the test before."""
    if "gateway_client" in request.fixturenames:
        request.getfixturevalue("gateway_client").upstreams.reset()


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def logs_apart() -> Iterator[None]:
    """Keep the log lines of workers that other tests of this process run out of the command's output."""
    factory = structlog.get_config()["logger_factory"]
    structlog.configure(logger_factory=lambda *names: structlog.PrintLogger(sys.__stderr__))
    yield
    structlog.configure(logger_factory=factory)


@pytest.fixture
async def earshot(database: NewDatabase, services: FakeServices, logs_apart: None) -> AsyncIterator[Earshot]:
    async with serving(services) as url:
        yield Earshot(
            GATEWAY_DATABASE_URL=await database("gateway"),
            INTERNAL_TOKEN=TOKEN,
            GATEWAY_INGEST_URL=url,
            GATEWAY_METRICS_URL=url,
        )

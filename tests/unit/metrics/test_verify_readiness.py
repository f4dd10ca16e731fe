"""A verification waits for a service that is being started, for a limited time."""

import httpx
import pytest

from services.metrics.verify import readiness
from services.metrics.verify.readiness import wait_for_service

READY, NOT_READY = httpx.Response(200), httpx.Response(503)


class Starting(httpx.AsyncBaseTransport):
    """Answers the probe with these responses, and raises the errors among them. The last one is repeated."""

    def __init__(self, *outcomes: httpx.Response | httpx.TransportError) -> None:
        self.outcomes = outcomes
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/readyz"
        outcome = self.outcomes[min(self.requests, len(self.outcomes) - 1)]
        self.requests += 1
        if isinstance(outcome, httpx.TransportError):
            raise outcome
        return httpx.Response(outcome.status_code)


async def wait(transport: Starting, patience: float) -> list[str]:
    """Wait for metrics. Returns the printed lines."""
    lines: list[str] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as http:
        await wait_for_service("metrics", http, patience, lines.append)
    return lines


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PAUSE", 0.001)


async def test_a_ready_service_is_not_waited_for() -> None:
    assert await wait(transport := Starting(READY), 60) == []
    assert transport.requests == 1


async def test_a_service_that_is_being_started_is_waited_for() -> None:
    transport = Starting(httpx.ConnectError("refused"), httpx.ReadError("reset"), NOT_READY, READY)
    assert await wait(transport, 60) == ["  waiting for metrics"]
    assert transport.requests == 4


@pytest.mark.parametrize("outcome", [httpx.ConnectError("refused"), NOT_READY])
async def test_a_service_that_does_not_get_ready_is_an_error(outcome: httpx.Response | httpx.TransportError) -> None:
    with pytest.raises(httpx.ConnectError):
        await wait(Starting(outcome), 0.01)

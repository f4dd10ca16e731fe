"""A rotation of INTERNAL_TOKEN while tools deliver and clients query: rollouts of all four services, on real databases."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from services.gateway.admin import issue_key, open_admin
from services.gateway.settings import Settings as GatewaySettings
from services.metrics.app import create_app as metrics_app
from services.metrics.settings import Settings as MetricsSettings
from tests.conftest import NewDatabase
from tests.contract.inbox import until
from tests.installation import NOWHERE, Installation, running_installation
from tests.replicas import Replica, replace
from tests.service.metrics.database import SilentProducer, headers_of
from tests.signing import SIGN

INTERNAL_CALLS: dict[str, dict[str, Any]] = {
    "ingest": {"method": "GET", "url": "/v1/connections"},
    "metrics": {"method": "GET", "url": "/v1/kpis"},
    "sentiment": {"method": "POST", "url": "/v1/score", "json": {"comments": [{"text": "Lovely", "language": "en"}]}},
}
"""A request to each service that needs the token."""
FORMER, NEXT = "the-former-internal-token", "the-next-internal-token"
BEGIN: dict[str, Any] = {"internal_token": FORMER}
BOTH_SENDING_FORMER: dict[str, Any] = {"internal_token": FORMER, "further_internal_tokens": NEXT}
BOTH_SENDING_NEXT: dict[str, Any] = {"internal_token": NEXT, "further_internal_tokens": FORMER}
END: dict[str, Any] = {"internal_token": NEXT, "further_internal_tokens": ""}
CLIENTS = 5
PAUSE_OF_CLIENT = 0.05


async def create_key(installation: Installation) -> str:
    """Create the tenant `acme`; returns an API key."""
    async with open_admin(GatewaySettings.model_validate(installation.settings("gateway"))) as admin:
        await admin.create_tenant("acme", "Europe/Berlin", None)
        _, key = await issue_key(admin.keys, "acme", ["admin", "ingest:write", "metrics:read"])
    return key


class Load:
    """Clients that repeat a request each, on a new connection each time. `statuses`: the responses, by request and status."""

    def __init__(self, http: httpx.AsyncClient, installation: Installation, key: str, connection: dict[str, str]) -> None:
        self.statuses: Counter[tuple[str, int | str]] = Counter()
        self._ends = False
        self._http = http
        self._gateway = installation.url("gateway")
        self._headers = {"authorization": f"Bearer {key}"}
        self._connection = connection

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        requests = {
            "webhook": self._deliver,
            "feedback": lambda: self._call("POST", "/v1/feedback", response()),
            "query": lambda: self._call("GET", "/v1/kpis/nps?window=24h"),
            "connections": lambda: self._call("GET", "/v1/connections"),
            "score": lambda: self._call("POST", "/v1/score", INTERNAL_CALLS["sentiment"]["json"]),
        }
        tasks = [asyncio.create_task(self._repeat(name, send)) for name, send in requests.items()]
        yield
        self._ends = True
        await asyncio.gather(*tasks)

    async def repeat(self) -> None:
        """Wait until each client has got three more responses."""
        before = self._count()

        async def has_repeated() -> bool:
            now = self._count()
            return len(now) == CLIENTS and all(now[name] >= before[name] + 3 for name in now)

        await until(has_repeated)

    def _count(self) -> Counter[str]:
        """The responses by request."""
        count: Counter[str] = Counter()
        for (name, _), responses in self.statuses.items():
            count[name] += responses
        return count

    async def _repeat(self, name: str, send: Callable[[], Awaitable[httpx.Response]]) -> None:
        while not self._ends:
            try:
                self.statuses[name, (await send()).status_code] += 1
            except httpx.TransportError as error:
                self.statuses[name, repr(error)] += 1
            await asyncio.sleep(PAUSE_OF_CLIENT)

    async def _call(self, method: str, path: str, body: object = None) -> httpx.Response:
        return await self._http.request(method, f"{self._gateway}{path}", json=body, headers=self._headers)

    async def _deliver(self) -> httpx.Response:
        body = json.dumps({"data": response()}).encode()
        headers = SIGN["standard"](self._connection["secret"], body)
        return await self._http.post(self._connection["hook_url"], content=body, headers=headers)


def response() -> dict[str, Any]:
    """A new survey response."""
    answers = [{"question": "q1", "kind": "nps", "value": 9}]
    return {"type": "response", "id": uuid4().hex, "at": "2026-11-20T12:00:00Z", "answers": answers}


async def test_no_request_fails_while_the_internal_token_is_rotated(database: NewDatabase) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)
    async with running_installation(database, BEGIN) as installation, httpx.AsyncClient(timeout=15, limits=limits) as http:
        key, gateway = await create_key(installation), installation.url("gateway")
        body = {"provider": "standard", "name": "a tool"}
        connection = (await http.post(f"{gateway}/v1/connections", json=body, headers={"authorization": f"Bearer {key}"})).json()
        load = Load(http, installation, key, connection)
        replicas = installation.replicas()

        async def rollout(tokens: dict[str, Any], *sent: str) -> None:
            """Give all services new tokens. While both replicas of a service run, each accepts every token that one sends."""

            async def both() -> None:
                current = installation.replicas()
                replicas.extend(replica for replica in current if replica not in replicas)
                statuses = {
                    (name, token, await status_of(http, name, replica, token))
                    for name in INTERNAL_CALLS
                    for replica in installation.replicas(name)
                    for token in sent
                }
                assert statuses == {(name, token, 200) for name in INTERNAL_CALLS for token in sent}
                await load.repeat()

            await replace(installation.balancers, installation.apps(**tokens), both)

        async with load.running():
            await rollout(BOTH_SENDING_FORMER, FORMER)
            await rollout(BOTH_SENDING_NEXT, FORMER, NEXT)
            await rollout(END, NEXT)
            await load.repeat()
    assert {status for _, status in load.statuses} == {200, 202}, load.statuses
    of_services = {response for replica in replicas for response in replica.recorder.responses}
    assert {status for _, status in of_services} <= {200, 201, 202, 204}, of_services


async def status_of(http: httpx.AsyncClient, service: str, replica: Replica, token: str) -> int:
    """The status of an internal call to a replica of a service with this token."""
    call = INTERNAL_CALLS[service]
    headers = {"authorization": f"Bearer {token}", "x-earshot-tenant": "acme"}
    return (await http.request(**call | {"url": f"{replica.url}{call['url']}"}, headers=headers)).status_code


async def test_a_former_token_is_refused_after_the_rotation(database: NewDatabase) -> None:
    fields = {"database_url": await database("metrics"), "consume": False, "seal": False, "kafka_bootstrap_servers": NOWHERE}
    app = metrics_app(MetricsSettings.model_validate(fields | END), sender=SilentProducer())
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://metrics", headers=headers_of("acme")) as http:
            statuses = {
                token: (await http.get("/v1/kpis", headers={"Authorization": f"Bearer {token}"})).status_code
                for token in (FORMER, NEXT, f"{NEXT},{FORMER}", "")
            }
    assert statuses == {FORMER: 401, NEXT: 200, f"{NEXT},{FORMER}": 401, "": 401}

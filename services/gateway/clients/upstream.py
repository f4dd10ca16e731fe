"""Client of one internal service: adds the internal token and the tenant, and turns outages into 503."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext

import httpx
import msgspec
import structlog
from pydantic import AnyHttpUrl, SecretStr

from services.gateway.clients.fair_semaphore import FairSemaphore
from shared.http import KEY_HEADER, TENANT_HEADER, TIMEOUT_HEADER
from shared.problems import Unavailable
from shared.service_client import KEEPALIVE_SECONDS, ServiceClient
from shared.settings import trimmed

log = structlog.get_logger()

CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=KEEPALIVE_SECONDS)
"""Idle connections are closed before the servers close them (5 s), so that a call seldom uses one that is being closed."""

TIMEOUT = 30.0
"""Seconds to wait for a response. The service gets this number and drops work that would be late."""

MAX_CALLS, MAX_CALLS_PER_TENANT = 60, 30
"""Calls in progress at one service, in all and for one tenant. Those of three services fit in CONNECTIONS."""
MAX_WAITING, WAIT_SECONDS = 100, 10.0
"""Calls of one tenant that may wait to be sent to one service, and the seconds that each may wait."""

CONNECTION_LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""Errors of a kept-alive connection whose server has restarted."""


class TooSlow(Unavailable):
    """A query took too long; the client should ask for less."""

    title = "Too slow"


class UpstreamProblem(msgspec.Struct):
    """A problem document of a service."""

    title: str = ""
    detail: str = ""


class Upstream:
    """Calls one service. Only this class sets tenant, key and token; other headers are those passed as `headers`."""

    def __init__(self, name: str, http: httpx.AsyncClient, base: AnyHttpUrl, token: SecretStr) -> None:
        self.name = name
        self._http = http
        self._base = trimmed(base)
        self._authorization = f"Bearer {token.get_secret_value()}"
        self._calls = FairSemaphore(MAX_CALLS, MAX_CALLS_PER_TENANT, MAX_WAITING, WAIT_SECONDS)

    async def call(
        self,
        method: str,
        path: str,
        *,
        tenant: str | None,
        key: str | None = None,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> httpx.Response:
        """The service's response with a 2xx, 3xx or 4xx status. `path` and `query` are sent verbatim and must be encoded.

        Raises Unavailable if the service can't be reached, fails or refuses our token, TooSlow if its work took too long,
        TooManyRequests if the tenant has too many calls in progress. A GET is sent again once if its connection is lost.
        """
        own = {"authorization": self._authorization, "accept-encoding": "identity", TIMEOUT_HEADER: f"{TIMEOUT:g}"}
        if tenant is not None:
            own[TENANT_HEADER] = tenant
        if key is not None:
            own[KEY_HEADER] = key
        target = f"{self._base}{path}?{query}" if query else f"{self._base}{path}"
        sent = httpx.Headers({**(headers or {}), **own}, encoding="latin-1")  # ASGI decodes headers so: any byte passes
        request = self._http.build_request(method, target, headers=sent, content=body)
        async with self._calls.acquired(tenant) if tenant is not None else nullcontext():
            response = await self._send(request, tries=2 if method == "GET" else 1)
        if response.status_code >= 500 or response.status_code in {401, 403}:
            log.warning("upstream.failed", upstream=self.name, path=path, status=response.status_code)
            raise self._outage(response)
        return response

    def _outage(self, response: httpx.Response) -> Unavailable:
        try:
            problem = msgspec.json.decode(response.content, type=UpstreamProblem)
        except msgspec.MsgspecError:
            problem = UpstreamProblem()
        if problem.title == TooSlow.title:
            return TooSlow(problem.detail, retry_after=_retry_after(response))
        return Unavailable(f"{self.name} can't answer now", retry_after=_retry_after(response))

    async def _send(self, request: httpx.Request, tries: int) -> httpx.Response:
        try:
            return await self._http.send(request)
        except httpx.RequestError as error:
            if tries > 1 and isinstance(error, CONNECTION_LOST):
                return await self._send(request, tries - 1)
            log.warning("upstream.unreachable", upstream=self.name, path=request.url.path, error=type(error).__name__)
            raise Unavailable(f"{self.name} is unavailable") from error


def _retry_after(response: httpx.Response) -> int:
    seconds = response.headers.get("retry-after", "")
    return int(seconds) if seconds.isascii() and seconds.isdigit() else 5


@asynccontextmanager
async def open_http(transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """The HTTP client that all upstreams share. Tests pass a `transport` of their own."""
    timeout = httpx.Timeout(TIMEOUT, connect=2.0, pool=2.0)
    async with ServiceClient(timeout=timeout, limits=CONNECTIONS, transport=transport, trust_env=False) as http:
        yield http

"""One service behind the gateway: called with the internal token, in a tenant's name, its outages answered as 503."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext

import httpx
import structlog
from pydantic import AnyHttpUrl, SecretStr

from services.gateway.clients.turns import Turns
from shared.http import TENANT_HEADER, TIMEOUT_HEADER
from shared.problems import Unavailable
from shared.settings import trimmed

log = structlog.get_logger()

CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=4.0)
"""Idle connections are given up before the servers' own 5 s, so that a call seldom meets one that is just being closed."""

TIMEOUT = 30.0
"""Seconds that an answer may take. The service is told, so that it drops work that would be late."""

AT_ONCE, PER_TENANT = 60, 30
"""Calls that may be in progress at one service, and how many of them in one tenant's name. Three services' fit in CONNECTIONS."""
WAITING, PATIENCE = 100, 10.0
"""Calls of one tenant that may wait for their turn at one service, and the seconds that each waits."""

LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""How a kept connection looks when its server has restarted meanwhile."""


class Upstream:
    """Calls one service. Callers' headers never get past `headers`; the tenant and the token are set here and only here."""

    def __init__(self, name: str, http: httpx.AsyncClient, base: AnyHttpUrl, token: SecretStr) -> None:
        self.name = name
        self._http = http
        self._base = trimmed(base)
        self._authorization = f"Bearer {token.get_secret_value()}"
        self._turns = Turns(AT_ONCE, PER_TENANT, WAITING, PATIENCE)

    async def call(
        self,
        method: str,
        path: str,
        *,
        tenant: str | None,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> httpx.Response:
        """The service's answer, whatever its 2xx–4xx status. `path` and `query` are sent as they are, so both must be clean.

        Raises Unavailable when the service is away, fails, or doesn't know our token, none of which is the caller's fault, and
        TooManyRequests when too many of the tenant's calls are in progress.
        """
        own = {"authorization": self._authorization, "accept-encoding": "identity", TIMEOUT_HEADER: f"{TIMEOUT:g}"}
        if request_id := structlog.contextvars.get_contextvars().get("request_id"):
            own["x-request-id"] = request_id
        if tenant is not None:
            own[TENANT_HEADER] = tenant
        target = f"{self._base}{path}?{query}" if query else f"{self._base}{path}"
        sent = httpx.Headers({**(headers or {}), **own}, encoding="latin-1")  # as ASGI decodes them, so that any byte passes
        request = self._http.build_request(method, target, headers=sent, content=body)
        async with self._turns.turn(tenant) if tenant is not None else nullcontext():
            answer = await self._send(request, tries=2 if method == "GET" else 1)
        if answer.status_code >= 500 or answer.status_code in {401, 403}:
            log.warning("upstream.failed", upstream=self.name, path=path, status=answer.status_code)
            raise Unavailable(f"{self.name} can't answer now", retry_after=_retry_after(answer))
        return answer

    async def _send(self, request: httpx.Request, tries: int) -> httpx.Response:
        try:
            return await self._http.send(request)
        except httpx.RequestError as error:
            if tries > 1 and isinstance(error, LOST):
                return await self._send(request, tries - 1)
            log.warning("upstream.away", upstream=self.name, path=request.url.path, error=type(error).__name__)
            raise Unavailable(f"{self.name} is away") from error


def _retry_after(answer: httpx.Response) -> int:
    given = answer.headers.get("retry-after", "")
    return int(given) if given.isascii() and given.isdigit() else 5


@asynccontextmanager
async def open_http(transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """The connections that all upstreams share; `transport` is for tests that bring their own services."""
    timeout = httpx.Timeout(TIMEOUT, connect=2.0, pool=2.0)
    async with httpx.AsyncClient(timeout=timeout, limits=CONNECTIONS, transport=transport, trust_env=False) as http:
        yield http

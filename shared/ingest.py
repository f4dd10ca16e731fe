"""Clients of internal routes, and the replays that every consumer of ingest's topic requests."""

import asyncio
import time
from datetime import datetime
from uuid import uuid4

import httpx
import structlog
from pydantic import AnyHttpUrl, SecretStr

from shared import instruments
from shared.kafka import Retry
from shared.service_client import KEEPALIVE_SECONDS, ServiceClient
from shared.settings import trimmed

log = structlog.get_logger()

RETRY_SECONDS = 5.0
LOOK_SECONDS = 10.0
"""Seconds between two checks of the replays in progress."""
CONNECTIONS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=KEEPALIVE_SECONDS)


def ingest_client(
    url: AnyHttpUrl, token: SecretStr, *, timeout: float = 30.0, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """An HTTP client for ingest's internal routes: base URL and bearer token are set. `timeout` is in seconds."""
    return service_client(url, token, timeout=timeout, transport=transport)


def service_client(
    url: AnyHttpUrl, token: SecretStr, *, timeout: float = 30.0, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """An HTTP client for the internal routes of any service, like `ingest_client`."""
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    return ServiceClient(
        base_url=trimmed(url), headers=headers, timeout=timeout, limits=CONNECTIONS, transport=transport, trust_env=False
    )


class Replays:
    """The replays that the consumers of `group` request from ingest. `request` requests one; `run` waits for their end.

    A request that is repeated, since its answer was lost, has the id of the first one. Ingest then adds no second replay, unless
    the first has begun: what it has published may be lost again. After a restart only ingest knows the replay: it continues, and
    ingest's own metrics report it.
    """

    def __init__(self, ingest: httpx.AsyncClient, group: str) -> None:
        self._ingest = ingest
        self._group = group
        self._refused: tuple[datetime | None, str] | None = None
        """The receipt time and the id of a request that ingest has not accepted yet."""
        self._running: dict[str, float] = {}
        """When each replay in progress was accepted, in time.monotonic(), by its id."""

    async def request(self, since: datetime | None) -> None:
        """Ask ingest to publish again everything received since `since` (None: everything). Returns when it has accepted.

        Raises Retry if ingest does not accept.
        """
        if self._refused is None or self._refused[0] != since:
            self._refused = since, f"{self._group}:{uuid4().hex}"
        id_ = self._refused[1]
        body, headers = {"since": since.isoformat() if since else None}, {"Idempotency-Key": id_}
        try:
            response = await self._ingest.post("/internal/replay", json=body, headers=headers)
            response.raise_for_status()
        except httpx.HTTPError as error:
            instruments.REPLAYS_REFUSED.labels(self._group).inc()
            if isinstance(error, httpx.HTTPStatusError):
                raise Retry(RETRY_SECONDS, f"ingest refused a replay: {error.response.status_code}") from error
            raise Retry(RETRY_SECONDS, f"can't request a replay from ingest: {type(error).__name__}") from error
        self._refused = None
        self._running[accepted_id(response) or id_] = time.monotonic()

    async def run(self) -> None:
        """Check every LOOK_SECONDS which replays are done, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Count the replays that are done. Those whose state is unknown for now stay in progress."""
        for id_, began in list(self._running.items()):
            try:
                response = await self._ingest.get(f"/internal/replay/{id_}")
            except httpx.HTTPError:
                continue
            if response.status_code == 404:  # an earlier version of ingest, which has no such route
                del self._running[id_]
            elif response.status_code == 200 and response.json()["state"] == "done":
                del self._running[id_]
                instruments.REPLAYS_DONE.labels(self._group).inc()
                seconds = round(time.monotonic() - began, 1)
                log.info("kafka.replay.done", group=self._group, replay=id_, seconds=seconds)


def accepted_id(response: httpx.Response) -> str | None:
    """The id of the replay in ingest's answer; None if it has none, as that of an earlier version."""
    try:
        answer = response.json()
    except ValueError:
        return None
    id_ = answer.get("id") if isinstance(answer, dict) else None
    return id_ if isinstance(id_, str) and id_ else None

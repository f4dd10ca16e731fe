"""Clients of internal routes, and the call to ingest that every consumer of its topic makes."""

from datetime import datetime

import httpx
from pydantic import AnyHttpUrl, SecretStr

from shared.kafka import Retry
from shared.service_client import KEEPALIVE_SECONDS, ServiceClient
from shared.settings import trimmed

RETRY_SECONDS = 5.0
CONNECTIONS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=KEEPALIVE_SECONDS)


def ingest_client(
    url: AnyHttpUrl, token: SecretStr, *, timeout: float = 30.0, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """An HTTP client for ingest's internal routes: base URL and bearer token are set. `timeout` is in seconds."""
    return service_client(url, token, timeout=timeout, transport=transport)


def service_client(
    url: AnyHttpUrl, token: SecretStr, *, timeout: float = 30.0, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The same for the internal routes of any service."""
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    return ServiceClient(
        base_url=trimmed(url), headers=headers, timeout=timeout, limits=CONNECTIONS, transport=transport, trust_env=False
    )


async def request_replay(ingest: httpx.AsyncClient, since: datetime | None) -> None:
    """Ask ingest to publish again everything received since `since` (None: everything).

    Raises Retry if ingest does not accept.
    """
    try:
        response = await ingest.post("/internal/replay", json={"since": since.isoformat() if since else None})
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise Retry(RETRY_SECONDS, f"ingest refused a replay: {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise Retry(RETRY_SECONDS, f"can't request a replay from ingest: {type(error).__name__}") from error

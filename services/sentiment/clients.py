"""Calls to other services: ingest is asked to publish again what was lost."""

from dataclasses import dataclass
from datetime import datetime

import httpx
from pydantic import SecretStr

from shared.kafka import Retry

REST = 5.0
"""Seconds before a replay that could not be asked for is asked for again."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """The part of ingest that sentiment needs."""

    http: httpx.AsyncClient

    async def replay(self, since: datetime | None) -> None:
        """Have everything received since then published again (None: everything). Raises Retry when it isn't granted."""
        try:
            answer = await self.http.post("/internal/replay", json={"since": since and since.isoformat()})
        except httpx.HTTPError as error:
            raise Retry(REST, f"ingest can't be asked for a replay: {type(error).__name__}") from error
        if not answer.is_success:
            raise Retry(REST, f"ingest grants no replay: {answer.status_code}")


def client_of(url: str, token: SecretStr, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client that shows the internal token; `transport` is for tests that play the other side."""
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, transport=transport)

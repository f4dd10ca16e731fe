"""What metrics asks of ingest: to publish again what Kafka has forgotten, and the events themselves."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec
from pydantic import AnyHttpUrl, SecretStr

from shared.events import Event, decode_event
from shared.kafka import Retry
from shared.settings import trimmed


@dataclass(frozen=True, slots=True)
class Head:
    """How far ingest has come: the highest sequence given, and how many events are not on the topic yet."""

    seq: int
    unpublished: int


class Ingest:
    """Ingest, called with the internal token."""

    def __init__(self, http: httpx.AsyncClient, base: AnyHttpUrl, token: SecretStr) -> None:
        self._http = http
        self._base = trimmed(base)
        self._headers = {"Authorization": f"Bearer {token.get_secret_value()}"}

    async def replay(self, since: datetime | None) -> None:
        """Ask for everything received since then (None: ever) to be published again; Retry when ingest can't be asked now."""
        body = {"since": since.isoformat() if since else None}
        try:
            answer = await self._http.post(f"{self._base}/internal/replay", json=body, headers=self._headers)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Retry(2.0, f"ingest can't replay now: {type(error).__name__}") from error

    async def head(self) -> Head:
        """Where ingest stands."""
        answer = await self._http.get(f"{self._base}/internal/head", headers=self._headers)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Head)

    async def events(self, upto: int, tenant: str | None = None) -> AsyncIterator[Event]:
        """Every event with a sequence up to `upto`, of one tenant or of all, in their order."""
        params: dict[str, str | int] = {"upto": upto} | ({"tenant": tenant} if tenant else {})
        async with self._http.stream("GET", f"{self._base}/internal/events", params=params, headers=self._headers) as answer:
            answer.raise_for_status()
            rest = b""
            async for chunk in answer.aiter_bytes():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield decode_event(line)

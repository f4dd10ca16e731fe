"""Read the events of ingest, and how far it has come."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import msgspec

from shared.events import Event, decode_event


@dataclass(frozen=True, slots=True)
class Head:
    """The progress of ingest: the highest sequence that it assigned, and how many events are not on the topic yet."""

    seq: int
    unpublished: int


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest delivery of ingest."""

    seq: int


@dataclass(frozen=True, slots=True)
class Ingest:
    """The internal routes of ingest that metrics calls. `http` is an `ingest_client`."""

    http: httpx.AsyncClient

    async def head(self) -> Head:
        """The position of ingest."""
        answer = await self.http.get("/internal/head")
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Head)

    async def latest_seq(self) -> int:
        """The highest sequence number that ingest stores. Cheaper than `head`, so it may be read often."""
        answer = await self.http.get("/internal/latest")
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Latest).seq

    async def page(self, tenant: str, after: int, upto: int, limit: int) -> list[Event]:
        """The next events of a tenant with after < sequence ≤ upto: about `limit`, whole deliveries."""
        params: dict[str, str | int] = {"tenant": tenant, "after": after, "upto": upto, "limit": limit}
        answer = await self.http.get("/internal/events", params=params)
        answer.raise_for_status()
        return [decode_event(line) for line in answer.content.splitlines()]

    async def events(self, upto: int, tenant: str | None = None) -> AsyncIterator[Event]:
        """Every event with a sequence up to `upto`, of one tenant or of all, in their order."""
        params: dict[str, str | int] = {"upto": upto} | ({"tenant": tenant} if tenant else {})
        async with self.http.stream("GET", "/internal/events", params=params) as answer:
            answer.raise_for_status()
            rest = b""
            async for chunk in answer.aiter_bytes():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield decode_event(line)

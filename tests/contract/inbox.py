"""Helpers for tests of ingest on a real PostgreSQL: deliveries, an inbox with running committers, and a fake broker."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.receive import receive_record
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.outbox import OutboxEvent
from shared.database import Address, open_pool
from shared.events import Event, decode_event
from shared.kafka import OutgoingRecord, Position, Undelivered
from shared.topics import Topic
from shared.workers import Workers
from tests import table_reset
from tests.unit.ingest.making import connection, nps, response

FILLED = ("inbox", "events", "unpublished", "erasures", "erased_names", "delivery_jobs", "shared_mailboxes", "replays")
"""The tables that tests of the inbox fill."""


def nps_delivery(
    value: int,
    *,
    id: str | None = None,
    subject: str = "r-1",
    tenant: str = "acme",
    tool: Connection | None = None,
    **fields: Any,
) -> Delivery:
    """A delivery of one response with one NPS answer."""
    record = response(nps(value), id=subject, **fields)
    return receive_record(tool or connection(tenant=tenant), record, id, b"raw", datetime.now(UTC))


def comment_delivery(subject: str, text: str, *, tenant: str = "acme") -> Delivery:
    """A delivery of one response with one comment."""
    record = response({"question": "why", "kind": "comment", "text": text}, id=subject)
    return receive_record(connection(tenant=tenant), record, f"{tenant}-{subject}", b"raw", datetime.now(UTC))


def erasure_delivery(
    customer: dict[str, str], id: str | None = None, tool: Connection | None = None, *, linked: bool = False
) -> Delivery:
    record = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": customer, "linked": linked}
    return receive_record(tool or connection(), record, id, b"raw", datetime.now(UTC))


@dataclass
class Inbox:
    """A running committer. `published` are the events that it passed on to be published."""

    pool: asyncpg.Pool
    committer: Committer
    published: list[OutboxEvent] = field(default_factory=list)

    async def deliver(self, *deliveries: Delivery) -> list[str]:
        """Commit the deliveries concurrently; returns the status of each."""
        return list(await asyncio.gather(*map(self.committer.commit, deliveries)))

    async def events(self) -> list[Event]:
        return [decode_event(row[0]) for row in await self.pool.fetch("SELECT event FROM events ORDER BY seq, position")]


@asynccontextmanager
async def empty_tables(url: Address) -> AsyncIterator[None]:
    """Empty the tables that an earlier test may have filled."""
    async with open_pool(url, 1) as pool, pool.acquire() as connection:
        await table_reset.empty_tables(connection, FILLED)
    yield


@asynccontextmanager
async def open_inbox(url: Address, committers: int = 2, limit: int = 10_000) -> AsyncIterator[Inbox]:
    async with open_pool(url, 6, command_timeout=4) as pool, Workers() as workers:
        published: list[OutboxEvent] = []
        inbox = Inbox(pool, Committer(pool, published.extend, limit), published)
        for number in range(committers):
            workers.start(f"committer-{number}", inbox.committer.run)
        yield inbox
        assert workers.dead == []


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait until `await condition()` is true. Raises AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if await condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not true within {seconds} seconds")


@dataclass
class Broker:
    """A fake producer that keeps the messages sent to it. While `unavailable`, it raises Undelivered."""

    unavailable: bool = False
    sent: list[OutgoingRecord] = field(default_factory=list)

    async def send_all(self, topic: Topic, messages: Sequence[OutgoingRecord], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
        await asyncio.sleep(0)
        if self.unavailable:
            raise Undelivered("the broker is unavailable")
        first = len(self.sent)
        self.sent.extend(messages)
        return [Position(0, offset) for offset in range(first, len(self.sent))]

    @property
    def events(self) -> list[Event]:
        return [decode_event(message.value) for message in self.sent]

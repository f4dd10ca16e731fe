"""A fake of ingest's replays, and real ones without a running worker."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.ingest.inbox.replays import Replay, ReplaySteps
from services.ingest.inbox.selection import Selection
from services.ingest.replayer import Replayer
from shared.kafka import Retry
from tests.contract.inbox import Inbox, nps_delivery


class Replays:
    """Records the requests for a replay. Fails the first `refusals` of them."""

    def __init__(self, refusals: int = 0) -> None:
        self.requests: list[datetime | None] = []
        self.refusals = refusals

    async def __call__(self, since: datetime | None) -> None:
        self.requests.append(since)
        if len(self.requests) <= self.refusals:
            raise Retry(0.2, "ingest is unavailable")


async def replay_tenant(pool: asyncpg.Pool, tenant: str) -> int:
    """Hand all events of a tenant to the outbox again. Returns the number of deliveries newly queued."""
    replayer = Replayer(pool)
    replay = await replayer.add(Selection(tenant))
    while await replayer.step():
        pass
    return (await current(pool, replay)).queued


async def current(pool: asyncpg.Pool, replay: Replay) -> Replay:
    """The replay as it is now."""
    row = await Replayer(pool).find(replay.selection.tenant, replay.id)
    assert row is not None
    return row


async def publish(inbox: Inbox) -> None:
    """Empty the outbox, as if all of it was published."""
    await inbox.pool.execute("DELETE FROM unpublished")


async def waiting(inbox: Inbox) -> list[int]:
    """The sequence numbers in the outbox."""
    return [row[0] for row in await inbox.pool.fetch("SELECT seq FROM unpublished ORDER BY seq")]


async def deliver(inbox: Inbox, count: int, tenant: str = "acme") -> list[int]:
    """Store deliveries that are published, and return their sequence numbers."""
    before = len(await inbox.events())
    for number in range(count):
        await inbox.deliver(nps_delivery(number % 10, id=f"{tenant}-{number}", subject=f"r-{number}", tenant=tenant))
    await publish(inbox)
    return [event.seq for event in await inbox.events()][before:]


async def all_handed_over(inbox: Inbox) -> Sequence[int]:
    """Do all steps, and publish what they hand over. Returns the sequence numbers in their order."""
    seqs: list[int] = []
    while await ReplaySteps(inbox.pool).do_next() != "none":
        seqs += await waiting(inbox)
        await publish(inbox)
    return seqs

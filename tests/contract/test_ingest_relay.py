"""The relay on a real PostgreSQL: each committed event is published at least once, whatever fails."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from services.ingest.inbox import locks
from services.ingest.inbox.outbox import claim_events, release_claim
from services.ingest.relay import MAX_BATCH, Relay
from services.ingest.store.event_log import EventLog
from shared.kafka import OutgoingRecord, Position, received_at
from shared.topics import Topic
from shared.workers import Workers
from tests.contract.inbox import Broker, Inbox, erasure_delivery, nps_delivery
from tests.contract.replays import replay_tenant


@asynccontextmanager
async def running(*work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async with Workers() as workers:
        for number, one in enumerate(work):
            workers.start(str(number), one)
        yield
        assert workers.dead == []


async def drained(inbox: Inbox) -> None:
    async with asyncio.timeout(10):
        while await inbox.pool.fetchval("SELECT count(*) FROM unpublished"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def make_due(inbox: Inbox) -> None:
    await inbox.pool.execute("UPDATE unpublished SET due = now()")


async def test_a_committed_event_is_published_and_leaves_the_queue(inbox: Inbox) -> None:
    broker = Broker()
    relay = Relay(inbox.pool, broker)
    await inbox.deliver(*[nps_delivery(n, id=str(n), subject=f"r-{n}") for n in range(5)])
    relay.offer(inbox.published)
    async with running(relay.run):
        await drained(inbox)
    assert broker.events == await inbox.events()
    assert broker.sent[0].key == b"acme/con_1/response/r-0"
    assert received_at(broker.sent[0].headers) == broker.events[0].received_at


async def test_a_delivery_of_many_statements_is_sent_whole_before_it_leaves_the_queue(inbox: Inbox) -> None:
    """Else its second half would be in memory only."""
    sizes: list[int] = []

    class CountingBroker(Broker):
        async def send_all(self, topic: Topic, messages: Sequence[OutgoingRecord], timeout: float = 10.0) -> list[Position]:  # noqa: ASYNC109
            sizes.append(len(messages))
            return await super().send_all(topic, messages, timeout)

    await inbox.deliver(nps_delivery(9, id="1"))
    relay = Relay(inbox.pool, CountingBroker())
    relay.offer(inbox.published * (MAX_BATCH + 500))
    async with running(relay.run):
        await drained(inbox)
    assert sizes == [MAX_BATCH + 500]


async def test_without_the_broker_events_wait_and_are_published_afterwards(inbox: Inbox) -> None:
    broker = Broker(unavailable=True)
    relay = Relay(inbox.pool, broker)
    async with running(relay.run, relay.sweep):
        await inbox.deliver(*[nps_delivery(n, id=str(n), subject=f"r-{n}") for n in range(5)])
        relay.offer(inbox.published)
        await make_due(inbox)
        await asyncio.sleep(0.3)
        assert broker.sent == []
        broker.unavailable = False
        await drained(inbox)
    assert {event.seq for event in broker.events} == {event.seq for event in await inbox.events()}


async def test_the_sweeper_publishes_the_events_that_a_crash_left(inbox: Inbox) -> None:
    broker = Broker()
    await inbox.deliver(nps_delivery(9, id="1"))
    async with running(Relay(inbox.pool, broker).sweep):
        await asyncio.sleep(0.2)
        assert broker.sent == [], "it is not due while its writer may still publish it"
        await make_due(inbox)
        await drained(inbox)
    assert broker.events == await inbox.events()


async def test_the_sweeper_deletes_nothing_before_the_broker_has_acknowledged_it(inbox: Inbox) -> None:
    broker = Broker(unavailable=True)
    await inbox.deliver(nps_delivery(9, id="1"))
    await make_due(inbox)
    async with running(Relay(inbox.pool, broker).sweep):
        await asyncio.sleep(0.3)
        assert await inbox.pool.fetchval("SELECT count(*) FROM unpublished") == 1
        broker.unavailable = False
        await drained(inbox)
    assert broker.events == await inbox.events()


async def test_sweepers_share_the_work_and_claim_nothing_twice(inbox: Inbox) -> None:
    await inbox.deliver(*[nps_delivery(n % 10, id=str(n), subject=f"r-{n}") for n in range(200)])
    await make_due(inbox)
    claims = await asyncio.gather(*[claim_events(inbox.pool, 50) for _ in range(6)])
    seqs = [seq for claimed in claims for seq in claimed.seqs]
    assert len(seqs) == len(set(seqs)) == 200


async def test_after_an_outage_of_the_broker_events_are_published_in_the_order_of_their_receipt(inbox: Inbox) -> None:
    """The oldest are claimed during the outage, and released. They must not queue up behind later ones."""
    broker = Broker()
    count = MAX_BATCH + 200
    for first in range(0, count, 200):
        await inbox.deliver(*[nps_delivery(n % 10, id=str(n), subject=f"r-{n}") for n in range(first, first + 200)])
    await make_due(inbox)
    claim = await claim_events(inbox.pool, MAX_BATCH)
    await release_claim(inbox.pool, claim.seqs)
    async with running(Relay(inbox.pool, broker).sweep):
        await drained(inbox)
    seqs = [event.seq for event in broker.events]
    assert seqs == sorted(seqs)
    assert len(seqs) == count


async def test_of_a_delivery_erased_while_it_waited_only_the_tombstone_is_published(inbox: Inbox) -> None:
    broker = Broker()
    await inbox.deliver(nps_delivery(9, id="1", customer={"id": "anna"}))
    await inbox.deliver(erasure_delivery({"id": "anna"}))
    await make_due(inbox)
    async with running(Relay(inbox.pool, broker).sweep):
        await drained(inbox)
    assert [type(event.body).__name__ for event in broker.events] == ["Tombstone"]


async def test_a_replay_publishes_the_same_bytes_again(inbox: Inbox) -> None:
    broker = Broker()
    relay = Relay(inbox.pool, broker)
    await inbox.deliver(nps_delivery(9, id="1"), nps_delivery(3, id="2", tenant="other"))
    async with running(relay.sweep):
        await make_due(inbox)
        await drained(inbox)
        first = {message.value for message in broker.sent}
        broker.sent.clear()
        assert await replay_tenant(inbox.pool, "acme") == 1
        await drained(inbox)
    assert {message.value for message in broker.sent} < first
    assert [event.tenant for event in broker.events] == ["acme"]


async def test_events_are_read_in_order_between_two_numbers_and_whole_deliveries_at_a_time(inbox: Inbox) -> None:
    await inbox.deliver(*[nps_delivery(n % 10, id=str(n), subject=f"r-{n}", customer={"id": "anna"}) for n in range(10)])
    await inbox.deliver(erasure_delivery({"id": "anna"}))
    await inbox.deliver(nps_delivery(1, id="after", tenant="other"))
    event_log = EventLog(inbox.pool, locks.ARRIVALS)
    events = await inbox.events()

    async def read(**bounds: int) -> list[bytes]:
        pages = [page async for page in event_log.pages("acme", bounds.pop("after", 0), **bounds)]
        return b"".join(pages).splitlines()

    assert len(await read()) == 10
    assert len(await read(limit=3)) == 10, "the ten tombstones are one delivery"
    assert await read(after=events[0].seq) == []
    assert [json.loads(line)["tenant"] for page in [p async for p in event_log.pages(None, 0)] for line in page.splitlines()] == [
        event.tenant for event in events
    ]

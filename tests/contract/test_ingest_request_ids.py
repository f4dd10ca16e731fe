"""Events carry the request id and the trace of the request that brought them, also after a crash, and of a replay."""

import asyncio
from typing import Any

import pytest

from services.ingest.relay import Relay
from shared.request_context import RequestContext, bound, parse_record_headers
from shared.workers import Workers
from tests.contract.inbox import Broker, Inbox, erasure_delivery, nps_delivery
from tests.contract.replays import replay_tenant

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
FIRST, SECOND = RequestContext("order-4711", TRACE), RequestContext("order-4712")


async def deliver(inbox: Inbox, context: RequestContext | None, **delivery: Any) -> None:
    with bound(context):
        await inbox.deliver(nps_delivery(9, **delivery))


async def publish(inbox: Inbox, *, from_table: bool) -> dict[str, RequestContext | None]:
    """Publish everything by the relay, from memory or from the table. Returns the context of each record by its subject."""
    broker = Broker()
    relay = Relay(inbox.pool, broker)
    relay.offer([] if from_table else inbox.published)
    await inbox.pool.execute("UPDATE unpublished SET due = now()")
    async with Workers() as workers, asyncio.timeout(10):
        workers.start("relay", relay.sweep if from_table else relay.run)
        while await inbox.pool.fetchval("SELECT count(*) FROM unpublished"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    subjects = (event.subject.rpartition("/")[2] for event in broker.events)
    contexts = (parse_record_headers(message.headers) for message in broker.sent)
    return dict(zip(subjects, contexts, strict=True))


@pytest.mark.parametrize("from_table", [False, True])
async def test_an_event_is_published_with_the_ids_of_its_request(inbox: Inbox, from_table: bool) -> None:
    """From the table is how the events are published that a crash or an outage of Kafka left."""
    with_ids = [deliver(inbox, context, id=str(n), subject=f"r-{n}") for n, context in enumerate((FIRST, SECOND, None))]
    await asyncio.gather(*with_ids, deliver(inbox, SECOND, subject="without-id"))
    expected = {"r-0": FIRST, "r-1": SECOND, "r-2": None, "without-id": SECOND}
    assert await publish(inbox, from_table=from_table) == expected


async def test_the_tombstones_of_an_erasure_have_the_ids_of_its_request(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="1", customer={"id": "anna"}))
    await publish(inbox, from_table=True)
    with bound(FIRST):
        await inbox.deliver(erasure_delivery({"id": "anna"}))
    assert await publish(inbox, from_table=True) == {"r-1": FIRST}


async def test_a_replay_has_the_ids_of_the_request_for_it(inbox: Inbox) -> None:
    await deliver(inbox, FIRST, id="1")
    await publish(inbox, from_table=True)
    with bound(SECOND):
        assert await replay_tenant(inbox.pool, "acme") == 1
    assert await publish(inbox, from_table=True) == {"r-1": SECOND}

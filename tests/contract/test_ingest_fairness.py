"""One tenant's flood in the outbox on a real PostgreSQL: it waits on disk, other tenants don't, and then all is published."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from services.ingest.inbox import outbox
from services.ingest.inbox.outbox import claim_comments, claim_events, postpone_comments
from services.ingest.pace import Pace, comment_cost
from services.ingest.relay import Relay
from shared.events import decode_event
from shared.kafka import CommittedOffsets, Consumer, Producer, received_at
from shared.topics import COMMENTS_LATER, METRICS_GROUP
from shared.workers import Workers
from tests.contract.inbox import Broker, Inbox, comment_delivery, nps_delivery
from tests.contract.kafka_topic import KafkaTopic, Recorder, new_topic
from tests.contract.replays import replay_tenant

FLOOD = 600
WINDOW = 100


@pytest.fixture
async def topic(kafka: str, monkeypatch: pytest.MonkeyPatch) -> KafkaTopic:
    """A topic instead of `feedback.events`, and a group instead of that of metrics."""
    topic = await new_topic(kafka, partitions=6)
    monkeypatch.setattr("services.ingest.relay.EVENTS", topic.definition)
    return topic


class Committed:
    """Committed offsets of consumer groups: all that was sent, but 0 for the groups in `stopped`."""

    def __init__(self, broker: Broker, stopped: Collection[str] = ()) -> None:
        self.broker = broker
        self.stopped = dict.fromkeys(stopped, 0)

    async def __call__(self, group: str, partitions: Collection[int]) -> dict[int, int]:
        return {0: self.stopped.get(group, len(self.broker.sent))}


@asynccontextmanager
async def working(*workers: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async with Workers() as running:
        for number, work in enumerate(workers):
            running.start(str(number), work)
        yield
        assert running.dead == []


@asynccontextmanager
async def publishing(relay: Relay, pace: Pace, committed_offsets: Any) -> AsyncIterator[None]:
    """Run the relay, its sweeper and its pace. The pace has read the committed offsets before anything is published."""
    async with working(lambda: pace.run(committed_offsets)):
        await pace.moved(5)
        async with working(relay.run, relay.sweep):
            yield


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def waiting(inbox: Inbox, tenant: str | None = None) -> int:
    count: int = await inbox.pool.fetchval("SELECT count(*) FROM unpublished WHERE tenant = coalesce($1, tenant)", tenant)
    return count


async def make_due(inbox: Inbox) -> None:
    """Let the sweeper claim now what it would claim after 5 seconds."""
    await inbox.pool.execute("UPDATE unpublished SET due = now() WHERE due > now()")


async def test_a_flood_waits_on_disk_while_its_consumer_is_stopped_and_drains_afterwards(inbox: Inbox, topic: KafkaTopic) -> None:
    pace, seen = Pace(min_events=WINDOW), Recorder()
    async with Producer(topic.bootstrap) as producer, CommittedOffsets(topic.bootstrap) as offsets:

        async def committed_offsets(group: str, partitions: Collection[int]) -> Any:
            return await offsets.of(topic.group, topic.definition, partitions) if group == METRICS_GROUP else None

        async with topic.consuming(seen) as consumer:
            await until(lambda: joined(consumer))
            await until(lambda: committed(topic))
        relay = Relay(inbox.pool, producer, pace)
        async with publishing(relay, pace, committed_offsets):
            await inbox.deliver(*[nps_delivery(n % 10, id=f"flood-{n}", subject=f"f-{n}", tenant="flood") for n in range(FLOOD)])
            relay.offer(inbox.published)
            await until(lambda: reached(topic, WINDOW // 2))
            inbox.published.clear()
            await inbox.deliver(nps_delivery(9, id="quiet", tenant="quiet"))
            relay.offer(inbox.published)
            await until(lambda: nothing_waits(inbox, "quiet"), 3)
            assert await waiting(inbox, "flood") > FLOOD * 3 // 4
        restarted_pace = Pace(min_events=WINDOW)
        restarted = Relay(inbox.pool, producer, restarted_pace)
        async with topic.consuming(seen), publishing(restarted, restarted_pace, committed_offsets):
            await make_due(inbox)
            await until(lambda: nothing_waits(inbox))
            await until(lambda: read_by(seen, FLOOD + 1))


async def joined(consumer: Consumer) -> bool:
    return consumer.joined


async def committed(topic: KafkaTopic) -> bool:
    return bool(await topic.committed())


async def reached(topic: KafkaTopic, count: int) -> bool:
    return await topic.count() >= count


async def nothing_waits(inbox: Inbox, tenant: str | None = None) -> bool:
    return await waiting(inbox, tenant) == 0


async def read_by(seen: Recorder, count: int) -> bool:
    return len({decode_event(record.value).seq for record in seen.records}) == count


async def test_a_floods_comments_are_postponed_but_not_its_events_nor_another_tenants_comment(
    inbox: Inbox,
) -> None:
    broker = Broker()
    committed_offsets, pace = Committed(broker, stopped=["sentiment"]), Pace(min_characters=4_000)
    relay = Relay(inbox.pool, broker, pace)
    async with publishing(relay, pace, committed_offsets):
        await inbox.deliver(*[comment_delivery(f"f-{n}", "So late, and so rude.", tenant="flood") for n in range(FLOOD)])
        relay.offer(inbox.published)
        await until(lambda: sent(broker, FLOOD), 10)
        inbox.published.clear()
        await inbox.deliver(comment_delivery("q-1", "Lovely.", tenant="quiet"))
        relay.offer(inbox.published)
        await until(lambda: nothing_waits(inbox, "quiet"), 10)
        assert to_score(broker, "quiet") == {"con_1/response/q-1"}
        assert len(to_score(broker, "flood")) < FLOOD // 4
        assert {event.subject for event in broker.events if event.tenant == "flood"} == everything("f", FLOOD)
        assert await waiting(inbox, "flood") > FLOOD // 2
        committed_offsets.stopped.clear()
        await until(lambda: nothing_waits(inbox))
    assert to_score(broker, "flood") == everything("f", FLOOD)


async def sent(broker: Broker, count: int) -> bool:
    return len(broker.sent) >= count


def everything(prefix: str, count: int) -> set[str]:
    return {f"con_1/response/{prefix}-{n}" for n in range(count)}


def to_score(broker: Broker, tenant: str) -> set[str]:
    """Subjects whose events were published without the header that postpones their comments."""
    unmarked = [decode_event(message.value) for message in broker.sent if COMMENTS_LATER not in message.headers]
    return {event.subject for event in unmarked if event.tenant == tenant}


async def test_a_tenants_replay_leaves_room_for_its_own_live_events(inbox: Inbox) -> None:
    broker = Broker()
    pace = Pace(min_events=WINDOW)
    relay = Relay(inbox.pool, broker, pace)
    await inbox.deliver(*[nps_delivery(n % 10, id=str(n), subject=f"r-{n}") for n in range(FLOOD)])
    inbox.published.clear()
    await make_due(inbox)
    async with publishing(relay, pace, Committed(broker, stopped=["metrics"])):
        await until(lambda: sent(broker, WINDOW // 2))
        await inbox.deliver(nps_delivery(9, id="live", subject="live"))
        relay.offer(inbox.published)
        await until(lambda: published(broker, "con_1/response/live"), 3)
        assert await waiting(inbox) >= FLOOD - WINDOW


async def test_sweepers_that_claim_at_a_time_publish_no_more_than_the_window_admits(inbox: Inbox) -> None:
    broker = Broker()
    pace = Pace(min_events=WINDOW)
    relay = Relay(inbox.pool, broker, pace)
    await inbox.deliver(*[nps_delivery(n % 10, id=str(n), subject=f"r-{n}") for n in range(FLOOD)])
    await make_due(inbox)
    async with publishing(relay, pace, Committed(broker, stopped=["metrics"])), working(relay.sweep, relay.sweep, relay.sweep):
        await until(lambda: sent(broker, WINDOW // 2))
        await asyncio.sleep(0.3)
    assert len(broker.sent) == WINDOW // 2


async def published(broker: Broker, subject: str) -> bool:
    return any(event.subject == subject for event in broker.events)


async def test_the_backlog_is_claimed_in_equal_shares_and_the_oldest_first(inbox: Inbox) -> None:
    for tenant, count in (("flood", 300), ("other", 40), ("quiet", 3)):
        await inbox.deliver(*[nps_delivery(n % 10, id=f"{tenant}-{n}", subject=f"r-{n}", tenant=tenant) for n in range(count)])
    await make_due(inbox)
    claimed = await claim_events(inbox.pool, 90)
    tenants = [stored.tenant for stored in claimed.events]
    assert {tenant: tenants.count(tenant) for tenant in tenants} == {"flood": 30, "other": 30, "quiet": 3}
    events = [event for event in await inbox.events() if event.tenant == "flood"]
    assert {stored.seq for stored in claimed.events if stored.tenant == "flood"} == {event.seq for event in events[:30]}


async def test_postponed_comments_are_claimed_by_their_characters_at_least_one_of_each_tenant(inbox: Inbox) -> None:
    for tenant, count in (("flood", 300), ("quiet", 3)):
        await inbox.deliver(*[comment_delivery(f"r-{n}", "x" * 500, tenant=tenant) for n in range(count)])
    comments = {event.seq: comment_cost(event.body) for event in await inbox.events()}
    assert set(comments.values()) == {575}
    await postpone_comments(inbox.pool, comments)
    assert (await claim_events(inbox.pool, 100)).seqs == []
    tenants = [stored.tenant for stored in (await claim_comments(inbox.pool, 5_750)).events]
    assert {tenant: tenants.count(tenant) for tenant in tenants} == {"flood": 5, "quiet": 3}
    tenants = [stored.tenant for stored in (await claim_comments(inbox.pool, 1)).events]
    assert tenants == ["flood"]


async def test_a_replay_publishes_a_whole_delivery_although_only_its_comments_wait(inbox: Inbox) -> None:
    """Consumers may have lost the event itself."""
    await inbox.deliver(comment_delivery("r-1", "Lovely."))
    [event] = await inbox.events()
    await postpone_comments(inbox.pool, {event.seq: 82})
    assert await replay_tenant(inbox.pool, "acme") == 1
    assert (await claim_events(inbox.pool, 10)).seqs == [event.seq]


async def test_a_row_of_the_previous_version_is_published(inbox: Inbox) -> None:
    broker = Broker()
    await inbox.deliver(nps_delivery(9, id="1"))
    [event] = await inbox.events()
    await inbox.pool.execute("DELETE FROM unpublished")
    await inbox.pool.execute("INSERT INTO unpublished (seq, due) VALUES ($1, now())", event.seq)
    pace = Pace()
    async with publishing(Relay(inbox.pool, broker, pace), pace, Committed(broker)):
        await until(lambda: nothing_waits(inbox), 10)
    assert broker.events == [event]


MANY = """
INSERT INTO unpublished (seq, due, tenant, comments)
SELECT 1000000 + n, now() - interval '1 hour' + n * interval '1 ms', CASE n % 1000 WHEN 0 THEN 'quiet' ELSE 'flood' END, $1
FROM generate_series(1, 100000) AS n
"""


@pytest.mark.parametrize("comments", [0, 100])
async def test_a_claim_reads_no_more_of_a_large_backlog_than_it_claims(inbox: Inbox, comments: int) -> None:
    await inbox.pool.execute(MANY, comments)
    await inbox.pool.execute("ANALYZE unpublished")
    statement = outbox.CLAIM_COMMENTS if comments else outbox.CLAIM_EVENTS
    most = 100 * max(comments, 1)
    plan = await inbox.pool.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", most, 30)
    read = rows_read(json.loads(plan)[0]["Plan"])
    assert 100 <= read <= 1_000, json.dumps(json.loads(plan), indent=1)


def rows_read(node: dict[str, Any]) -> int:
    """Rows that the scans of `unpublished` in a plan read."""
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if node.get("Relation Name") == "unpublished" else 0
    return int(own * node["Actual Loops"]) + sum(rows_read(child) for child in node.get("Plans", ()))


async def test_a_record_carries_the_receipt_time_of_the_oldest_waiting_delivery(inbox: Inbox) -> None:
    """A consumer that loses records requests a replay since that time; the lost ones may be the flood's."""
    broker = Broker()
    pace = Pace(min_events=WINDOW)
    relay = Relay(inbox.pool, broker, pace)
    await inbox.deliver(*[nps_delivery(n % 10, id=str(n), subject=f"f-{n}", tenant="flood") for n in range(FLOOD)])
    inbox.published.clear()
    await make_due(inbox)
    await inbox.pool.execute("UPDATE inbox SET received_at = received_at - interval '1 hour'")
    oldest = await inbox.pool.fetchval("SELECT min(received_at) FROM inbox")
    async with publishing(relay, pace, Committed(broker, stopped=["metrics"])):
        await until(lambda: sent(broker, WINDOW // 2))
        await inbox.deliver(nps_delivery(9, id="live", subject="live"))
        relay.offer(inbox.published)
        await until(lambda: published(broker, "con_1/response/live"))
    live = next(message for message in broker.sent if decode_event(message.value).subject == "con_1/response/live")
    receipt = received_at(live.headers)
    assert receipt
    assert oldest <= receipt < decode_event(live.value).received_at - timedelta(minutes=30)


async def test_with_an_empty_backlog_a_record_carries_its_own_receipt_time(inbox: Inbox) -> None:
    broker = Broker()
    relay = Relay(inbox.pool, broker, Pace())
    async with publishing(relay, Pace(), Committed(broker)):
        await asyncio.sleep(1.2)
        await inbox.deliver(nps_delivery(9, id="live", subject="live"))
        relay.offer(inbox.published)
        await until(lambda: nothing_waits(inbox))
    assert received_at(broker.sent[0].headers) == broker.events[0].received_at

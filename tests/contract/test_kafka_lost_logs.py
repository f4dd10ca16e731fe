"""A handler that stores its positions: it is noticed that Kafka lost a log or commits, and lost records are replayed once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.kafka import IncomingRecord, Retry, clients, ensure_topics, received_at
from shared.kafka.offsets import REPLAY_MARGIN
from tests.contract.kafka_topic import NOON, KafkaTopic, Recorder, messages, new_topic, until
from tests.contract.replays import Replays


class Handler(Recorder):
    """Stores the positions of its batches, as metrics does in its database."""

    def __init__(self, refusals: int = 0) -> None:
        super().__init__()
        self.positions: dict[tuple[str, int], tuple[int, datetime | None]] = {}
        self.refusals = refusals
        """So many calls fail, as during an outage of the database."""

    async def __call__(self, records: Sequence[IncomingRecord]) -> None:
        await super().__call__(records)
        for record in records:
            self.positions[record.place] = record.offset + 1, received_at(record.headers)

    async def load(self) -> Mapping[tuple[str, int], tuple[int, datetime | None]]:
        if self.refusals:
            self.refusals -= 1
            raise Retry(0.2, "the database is unavailable")
        return dict(self.positions)

    async def restart(self, offsets: Mapping[tuple[str, int], int]) -> None:
        for place, offset in offsets.items():
            self.positions[place] = offset, self.positions[place][1]


@pytest.fixture
async def topic(kafka: str) -> KafkaTopic:
    return await new_topic(kafka, partitions=2)


async def create_again(topic: KafkaTopic) -> None:
    """Delete the topic and create it anew, as after a loss of Kafka: the records are lost, and with them the commits."""
    async with clients.admin(topic.bootstrap) as admin:
        await admin.delete_topics([topic.definition.name])
    await ensure_topics(topic.bootstrap, (topic.definition,))


async def handle(topic: KafkaTopic, handler: Handler, numbers: range, replays: Replays, at: datetime = NOON) -> None:
    """Send `numbers` and consume until the handler has them."""
    await topic.send(messages(numbers, at=at))
    async with topic.consuming(handler, replay=replays, stored=handler):
        await until(lambda: handler.has(numbers))


async def test_a_first_start_requests_no_replay(topic: KafkaTopic) -> None:
    replays = Replays()
    await handle(topic, Handler(), range(10), replays)
    assert replays.requests == []


async def test_a_topic_that_was_created_again_is_noticed_and_replayed_once(topic: KafkaTopic) -> None:
    handler, replays = Handler(), Replays()
    await handle(topic, handler, range(10), replays)
    await create_again(topic)
    await handle(topic, handler, range(10, 40), replays, NOON + timedelta(hours=1))  # more than the former log held
    assert replays.requests == [NOON - REPLAY_MARGIN]
    assert handler.numbers == list(range(40))
    await handle(topic, handler, range(40, 50), replays)
    assert len(replays.requests) == 1


async def test_a_refused_replay_is_requested_again_before_anything_is_read(topic: KafkaTopic) -> None:
    handler, replays = Handler(), Replays(refusals=2)
    await handle(topic, handler, range(10), replays)
    await create_again(topic)
    await topic.send(messages(range(10, 40)))
    async with topic.consuming(handler, replay=replays, stored=handler):
        await until(lambda: len(replays.requests) == 2)
        assert not handler.has([10])
        await until(lambda: handler.has(range(40)))
    assert replays.requests == [NOON - REPLAY_MARGIN] * 3


async def test_nothing_is_read_before_the_stored_positions_are_known(topic: KafkaTopic) -> None:
    handler, replays = Handler(), Replays()
    await handle(topic, handler, range(10), replays)
    await create_again(topic)
    handler.refusals = 3
    await handle(topic, handler, range(10, 40), replays)
    assert (handler.refusals, handler.numbers) == (0, list(range(40)))
    assert replays.requests == [NOON - REPLAY_MARGIN]


async def test_a_log_whose_end_was_lost_is_noticed_although_the_commits_are_valid(topic: KafkaTopic) -> None:
    """A broker was restored from an older copy of its disk, with the commits of that time."""
    handler, replays = Handler(), Replays()
    await handle(topic, handler, range(10), replays)
    handler.positions = {place: (offset + 1000, at) for place, (offset, at) in handler.positions.items()}
    async with topic.consuming(handler, replay=replays, stored=handler):
        await until(lambda: bool(replays.requests))
    await handle(topic, handler, range(10, 11), replays)  # into one of the partitions
    assert replays.requests == [NOON - REPLAY_MARGIN]
    assert handler.numbers == list(range(11))


async def test_lost_commits_of_a_group_are_noticed(topic: KafkaTopic) -> None:
    handler, replays = Handler(), Replays()
    await handle(topic, handler, range(10), replays)
    await handle(replace(topic, group=f"{topic.group}.new"), handler, range(10, 20), replays)
    assert replays.requests == [NOON - REPLAY_MARGIN]
    assert set(handler.numbers) == set(range(20))


async def test_a_topic_that_is_created_again_while_its_consumer_runs_is_noticed(topic: KafkaTopic) -> None:
    handler, replays = Handler(), Replays()
    await topic.send(messages(range(10)))
    async with topic.consuming(handler, replay=replays, stored=handler):
        await until(lambda: handler.has(range(10)))
        await create_again(topic)
        await topic.send(messages(range(10, 40)))
        await until(lambda: handler.has(range(30, 40)), 60)
        await until(lambda: handler.has(range(10, 40)), 60)
    assert replays.requests == [NOON - REPLAY_MARGIN]

"""The rights of components/kafka-tls on a real broker: each service can do its work, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import pytest

from deploy.k8s.users import rights
from services.sentiment.shadow import GROUP as SHADOW_GROUP
from shared.kafka import Broken, CommittedOffsets, Consumer, IncomingRecord, Poison, Producer, Undelivered, ensure_topics, follow
from shared.kafka.dead_letters import count_records
from shared.topics import CHANGES, EVENTS, METRICS_GROUP, SCORES, SENTIMENT_GROUP, TOPICS, Topic
from tests.contract.kafka_topic import KafkaTopic, Recorder, messages, until
from tests.contract.secured_kafka import SERVICES, SecuredKafka, grant, secured_kafka


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredKafka]:
    """A broker with all topics and users."""
    async with secured_kafka(tmp_path_factory.mktemp("rights")) as broker:
        await ensure_topics(broker.plain)
        await grant(broker.plain, rights())
        yield broker


async def consume(kafka: SecuredKafka, user: str, group: str, topics: Sequence[Topic]) -> None:
    """Consume a poison record and a sound one as this user; the first is parked and the second committed."""
    sound: list[IncomingRecord] = []

    async def handle(records: Sequence[IncomingRecord]) -> None:
        if poison := {record: "poison" for record in records if record.value == b"0"}:
            raise Poison(poison)
        sound.extend(records)

    consumer = Consumer(bootstrap=kafka.scram(user=user), group=group, topics=topics, handler=handle)
    work = asyncio.create_task(consumer.run())
    try:
        await until(lambda: bool(sound) or work.done(), 60)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert sound


async def test_each_service_can_do_its_work(kafka: SecuredKafka) -> None:
    async with Producer(kafka.scram(user="ingest")) as ingest:
        await ingest.send_all(EVENTS, messages([0, 1]))
    await consume(kafka, "sentiment", SENTIMENT_GROUP, [EVENTS])
    await consume(kafka, "sentiment", SHADOW_GROUP, [EVENTS])
    async with Producer(kafka.scram(user="sentiment")) as sentiment:
        await sentiment.send_all(SCORES, messages([0, 1]))
    await consume(kafka, "metrics", METRICS_GROUP, [EVENTS, SCORES])
    assert await count_records(kafka.scram(user="metrics"), [EVENTS.dlq, SCORES.dlq])
    assert await count_records(kafka.scram(user="sentiment"), [EVENTS.dlq])

    async with CommittedOffsets(kafka.scram(user="ingest"), deadline=10) as offsets:
        for group in (SENTIMENT_GROUP, METRICS_GROUP):
            assert await offsets.of(group, EVENTS, range(EVENTS.partitions))

    async with (
        aclosing(follow(kafka.scram(user="gateway"), CHANGES)) as changes,
        Producer(kafka.scram(user="metrics")) as metrics,
    ):
        next_change = asyncio.create_task(anext(changes))
        async with asyncio.timeout(30):
            while not next_change.done():
                await metrics.send_all(CHANGES, messages([7]))
                await asyncio.sleep(0.1)
        assert next_change.result().value == b"7"


async def test_only_its_writer_writes_to_a_topic(kafka: SecuredKafka) -> None:
    async def is_refused(user: str, topic: Topic) -> bool:
        async with Producer(kafka.scram(user=user)) as producer:
            try:
                await producer.send_all(topic, messages([1]), timeout=10)
            except Undelivered as error:
                return "Authorization" in error.reason
        return False

    others = [(user, topic) for user in SERVICES for topic in TOPICS if user != topic.writer]
    assert all(await asyncio.gather(*(is_refused(user, topic) for user, topic in others)))


async def test_a_service_reads_no_topic_of_others(kafka: SecuredKafka) -> None:
    seen = Recorder()
    gateway = KafkaTopic(kafka.scram(user="gateway"), EVENTS, "gateway")
    async with gateway.consuming(seen) as consumer:
        await asyncio.sleep(3)
        assert not consumer.joined
    assert seen.records == []
    with pytest.raises(Broken):
        await count_records(kafka.scram(user="gateway"), [EVENTS.dlq])

"""Making the topics, and asking whether the broker answers."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from shared.kafka import clients
from shared.kafka.records import Place
from shared.topics import DLQ_RETENTION_MS, TOPICS, Topic


async def ensure_topics(bootstrap: str, topics: tuple[Topic, ...] = TOPICS, *, replication: int = 1) -> None:
    """Create what is missing of `topics` and their DLQs, and wait until each has its leaders. What exists is left as it is.

    Raises clients.Broken when the broker is away.
    """
    wanted = [_new(t.name, t, t.retention_ms, replication) for t in topics]
    wanted += [_new(t.dlq, t, DLQ_RETENTION_MS, replication) for t in topics]
    with clients.client_faults():
        async with asyncio.timeout(30), clients.admin(bootstrap) as admin:
            response = await admin.create_topics(wanted)
            for _, code, *_ in response.topic_errors:
                if (error := for_code(code)) not in (NoError, TopicAlreadyExistsError):
                    raise error
            while not _led(await admin.describe_topics([topic.name for topic in wanted])):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def _new(name: str, topic: Topic, retention_ms: int, replication: int) -> NewTopic:
    return NewTopic(
        name,
        topic.partitions,
        replication,
        topic_configs={
            "retention.ms": str(retention_ms),
            "max.message.bytes": str(clients.MAX_MESSAGE_BYTES),
            "min.insync.replicas": str(max(1, replication - 1)),
        },
    )


def _led(topics: list[dict[str, object]]) -> bool:
    return all(
        topic["error_code"] == 0 and all(p["leader"] >= 0 for p in topic["partitions"])  # type: ignore[attr-defined]
        for topic in topics
    )


async def reachable(bootstrap: str, deadline: float = 2.0) -> bool:
    """Whether a broker answers a fresh connection."""
    try:
        with clients.client_faults():
            async with asyncio.timeout(deadline), clients.admin(bootstrap):
                return True
    except clients.Broken:
        return False


async def behind(bootstrap: str, standing: dict[Place, int], deadline: float = 5.0) -> int | None:
    """Records between `standing` and the ends of its partitions, asked over a fresh connection; None: no answer."""
    client: AIOKafkaConsumer = clients.consumer(bootstrap)
    try:
        with clients.client_faults():
            async with asyncio.timeout(deadline):
                await client.start()
                ends: dict[TopicPartition, int] = await client.end_offsets([TopicPartition(*place) for place in standing])
    except clients.Broken:
        return None
    finally:
        await clients.end_consumer(client)
    return sum(max(0, ends[TopicPartition(*place)] - offset) for place, offset in standing.items())

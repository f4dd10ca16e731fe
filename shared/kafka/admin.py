"""Requests over connections that belong to no group: create topics, check the broker, measure a lag, read committed offsets."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code

from shared.kafka import clients
from shared.kafka.connection import Bootstrap
from shared.kafka.records import Place
from shared.topics import DLQ_RETENTION_MS, DLQ_SEGMENT_MS, TOPICS, Topic


async def ensure_topics(bootstrap: Bootstrap, topics: tuple[Topic, ...] = TOPICS, *, replication: int = 1) -> None:
    """Create the missing ones of `topics` and their DLQs, and wait until every partition has a leader.

    Existing topics are not changed. Raises Broken if the broker is unreachable.
    """
    new_topics = [_new_topic(t.name, t, t.retention_ms, t.segment_ms, replication) for t in topics]
    new_topics += [_new_topic(t.dlq, t, DLQ_RETENTION_MS, DLQ_SEGMENT_MS, replication) for t in topics]
    with clients.client_errors():
        async with asyncio.timeout(30), clients.admin(bootstrap) as admin:
            response = await admin.create_topics(new_topics)
            for _, code, *_ in response.topic_errors:
                if (error := for_code(code)) not in (NoError, TopicAlreadyExistsError):
                    raise error
            while not _have_leaders(await admin.describe_topics([topic.name for topic in new_topics])):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def _new_topic(name: str, topic: Topic, retention_ms: int, segment_ms: int, replication: int) -> NewTopic:
    return NewTopic(
        name,
        topic.partitions,
        replication,
        topic_configs={
            "retention.ms": str(retention_ms),
            "segment.ms": str(segment_ms),
            "max.message.bytes": str(clients.MAX_MESSAGE_BYTES),
            "min.insync.replicas": str(max(1, replication - 1)),
        },
    )


def _have_leaders(topics: list[dict[str, object]]) -> bool:
    return all(
        topic["error_code"] == 0 and all(p["leader"] >= 0 for p in topic["partitions"])  # type: ignore[attr-defined]
        for topic in topics
    )


async def reachable(bootstrap: Bootstrap, deadline: float = 2.0) -> bool:
    """Whether a broker answers a new connection within `deadline` seconds."""
    try:
        with clients.client_errors():
            async with asyncio.timeout(deadline), clients.admin(bootstrap) as admin:
                # With a refused token aiokafka's client starts nevertheless, and knows no broker.
                return bool((await admin.describe_cluster())["brokers"])
    except clients.Broken:
        return False


async def lag(bootstrap: Bootstrap, positions: Mapping[Place, int], deadline: float = 5.0) -> int | None:
    """Records between `positions` and the ends of their partitions, read over a new connection. None: no answer in time.

    0 without a connection if there are no positions: a consumer without partitions has nothing to read.
    """
    if not positions:
        return 0
    try:
        with clients.client_errors():
            async with clients.reader(bootstrap) as client, asyncio.timeout(deadline):
                await client.start()
                ends: dict[TopicPartition, int] = await client.end_offsets([TopicPartition(*place) for place in positions])
    except clients.Broken:
        return None
    return sum(max(0, ends[TopicPartition(*place)] - offset) for place, offset in positions.items())


class CommittedOffsets:
    """Reads the committed offsets of consumer groups. Holds one connection; the call after a failure opens a new one."""

    def __init__(self, bootstrap: Bootstrap, deadline: float = 2.0) -> None:
        self._bootstrap = bootstrap
        self._deadline = deadline
        self._client: AIOKafkaAdminClient | None = None
        self._coordinators: dict[str, int] = {}
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._close()

    async def of(self, group: str, topic: Topic, partitions: Collection[int]) -> dict[int, int] | None:
        """Partition → next offset to read, for those of `partitions` with a commit. None: `group` has committed none of them.

        Raises Broken if the broker does not answer within the deadline.
        """
        try:
            with clients.client_errors():
                async with asyncio.timeout(self._deadline):
                    return await self._fetch(group, topic, partitions)
        except BaseException:
            await self._close()
            raise

    async def _fetch(self, group: str, topic: Topic, partitions: Collection[int]) -> dict[int, int] | None:
        client = await self._open()
        if group not in self._coordinators:
            self._coordinators[group] = await client.find_coordinator(group)
        requested = [TopicPartition(topic.name, number) for number in partitions]
        try:
            stored = await client.list_consumer_group_offsets(group, self._coordinators[group], requested)
        except AttributeError as error:  # aiokafka 0.14 raises it for the error of a partition: it reads a field that isn't there
            raise KafkaError("the committed offset of a partition is unavailable") from error
        if stored.keys() != set(requested):  # aiokafka returns nothing for an error of the whole group
            raise KafkaError("the committed offsets of the group are unavailable")
        return {tp.partition: at.offset for tp, at in stored.items() if at.offset >= 0} or None

    async def _open(self) -> AIOKafkaAdminClient:
        if self._client is None:
            self._client = await self._exits.enter_async_context(clients.admin(self._bootstrap))
        return self._client

    async def _close(self) -> None:
        self._client = None
        self._coordinators.clear()
        await self._exits.aclose()
        self._exits = AsyncExitStack()

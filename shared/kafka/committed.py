"""How far a consumer group has come, asked by a service that is no member of it."""

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.kafka import clients
from shared.topics import Topic


class CommittedOffsets:
    """Asks Kafka for committed offsets over a connection that it keeps; after a failure the next call opens another."""

    def __init__(self, bootstrap: str, deadline: float = 2.0) -> None:
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
        """Partition → next offset to read, of those of `partitions` that have one. None: `group` has committed none of them.

        Raises Broken when the broker doesn't tell within the deadline.
        """
        try:
            with clients.client_faults():
                async with asyncio.timeout(self._deadline):
                    return await self._ask(group, topic, partitions)
        except BaseException:
            await self._close()
            raise

    async def _ask(self, group: str, topic: Topic, partitions: Collection[int]) -> dict[int, int] | None:
        client = await self._open()
        if group not in self._coordinators:
            self._coordinators[group] = await client.find_coordinator(group)
        asked = [TopicPartition(topic.name, number) for number in partitions]
        try:
            stored = await client.list_consumer_group_offsets(group, self._coordinators[group], asked)
        except AttributeError as error:  # how aiokafka 0.14 fails on a partition's error: it looks for one of the whole answer
            raise KafkaError("the offsets of a partition can't be told now") from error
        if stored.keys() != set(asked):  # an error of the whole group comes as an empty answer
            raise KafkaError("the group's offsets can't be told now")
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

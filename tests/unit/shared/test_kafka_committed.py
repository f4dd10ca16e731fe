"""Asking for committed offsets, with an admin client that the test plays."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from shared.kafka import Broken, CommittedOffsets, clients
from shared.topics import EVENTS

Stored = dict[TopicPartition, OffsetAndMetadata]


class Admin:
    """Answers what the test sets, or raises it."""

    def __init__(self) -> None:
        self.answer: dict[int, int] | Exception = {}
        self.opened = 0

    async def find_coordinator(self, group: str) -> int:
        return 0

    async def list_consumer_group_offsets(self, group: str, coordinator: int, partitions: Sequence[TopicPartition]) -> Stored:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {TopicPartition(EVENTS.name, number): OffsetAndMetadata(at, "") for number, at in self.answer.items()}


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Admin:
    admin = Admin()

    @asynccontextmanager
    async def connected(bootstrap: str) -> AsyncIterator[Admin]:
        admin.opened += 1
        yield admin

    monkeypatch.setattr(clients, "admin", connected)
    return admin


async def test_partitions_without_a_commit_are_omitted_and_a_group_without_any_is_none(admin: Admin) -> None:
    async with CommittedOffsets("nowhere") as offsets:
        admin.answer = {0: 7, 1: -1}
        assert await offsets.of("metrics", EVENTS, [0, 1]) == {0: 7}
        admin.answer = {0: -1, 1: -1}
        assert await offsets.of("metrics", EVENTS, [0, 1]) is None
    assert admin.opened == 1


@pytest.mark.parametrize("answer", [{}, {0: 7}, AttributeError("error_code"), OSError("away"), TimeoutError()])
async def test_a_response_with_an_error_raises_broken_and_the_next_call_reconnects(
    admin: Admin, answer: dict[int, int] | Exception
) -> None:
    async with CommittedOffsets("nowhere") as offsets:
        admin.answer = answer
        with pytest.raises(Broken):
            await offsets.of("metrics", EVENTS, [0, 1])
        admin.answer = {0: 7, 1: 9}
        assert await offsets.of("metrics", EVENTS, [0, 1]) == {0: 7, 1: 9}
    assert admin.opened == 2

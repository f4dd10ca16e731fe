"""aiokafka lets cancellations of its own tasks escape: they become errors of the client, and close it nevertheless."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from shared.kafka import Broken, admin, clients
from shared.kafka.offsets import BEYOND
from shared.kafka.records import Place


class Part:
    """A part of a client, which counts how often it is closed."""

    def __init__(self, error: BaseException | None = None, seconds: float = 0.0) -> None:
        self._error = error
        self._seconds = seconds
        self.closed = 0

    async def close(self) -> None:
        await asyncio.sleep(self._seconds)
        self.closed += 1
        if self._error:
            raise self._error


def consumer(stopping: Part, fetcher: Part | None = None, client: Part | None = None) -> Any:
    """A consumer of aiokafka, as far as closing needs it."""
    return SimpleNamespace(_coordinator=None, _fetcher=fetcher or Part(), _client=client or Part(), stop=stopping.close)


async def test_a_cancellation_by_the_client_is_an_error_of_the_client() -> None:
    for context in (clients.client_errors, clients.contain_cancellations):
        with pytest.raises((Broken, KafkaError), match="a task of the client was cancelled"), context():
            raise asyncio.CancelledError


async def test_a_cancellation_of_the_caller_ends_the_caller() -> None:
    async def wait() -> None:
        with clients.client_errors():
            await asyncio.sleep(3600)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_time_limit_is_an_error_of_the_client() -> None:
    with pytest.raises(Broken, match="TimeoutError"), clients.client_errors():
        async with asyncio.timeout(0.001):
            await asyncio.sleep(3600)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), OSError("no broker")])
async def test_a_consumer_that_fails_to_stop_is_closed_by_its_parts(error: BaseException) -> None:
    fetcher, client = Part(asyncio.CancelledError()), Part()
    await clients.close_consumer(consumer(Part(error), fetcher, client))
    assert (fetcher.closed, client.closed) == (1, 1)


async def test_a_consumer_that_stops_is_closed_once() -> None:
    client = Part()
    await clients.close_consumer(consumer(Part(), client=client))
    assert client.closed == 0


async def test_a_consumer_that_does_not_stop_in_time_is_closed_by_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "STOP_DEADLINE", 0.01)
    client = Part()
    await clients.close_consumer(consumer(Part(seconds=3600), client=client))
    assert client.closed == 1


async def test_a_client_is_closed_before_its_caller_is_cancelled() -> None:
    stopping = Part(seconds=0.05)
    task = asyncio.create_task(clients.close_consumer(consumer(stopping)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopping.closed == 1


async def test_a_producer_whose_stop_is_cancelled_is_closed() -> None:
    client = Part()
    accumulator = SimpleNamespace(fail_all=lambda error: None, _pending_batches=set(), _batches={})
    producer: Any = SimpleNamespace(_message_accumulator=accumulator, stop=Part(asyncio.CancelledError()).close, client=client)
    await clients.close_producer(producer)
    assert client.closed == 1


async def test_no_positions_have_no_lag_and_need_no_connection() -> None:
    assert await admin.lag("127.0.0.1:1", {}) == 0


def test_a_partition_that_waits_for_its_recovery_is_not_read_to_its_end() -> None:
    ends = {Place("t", 0): (BEYOND, 10), Place("t", 1): (10, 10), Place("t", 2): (9, 10)}
    assert clients.read_to_end(ends) == {("t", 1): 10}

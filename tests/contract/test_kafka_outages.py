"""A broker that dies, comes late, or hangs: senders are told, consumers wait, and in the end all has arrived."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.servers import Kafka, free_port_base
from shared.kafka import Message, Producer, Undelivered, follow, reachable
from shared.topics import EVENTS
from tests.contract.kafka_world import Seen, World, messages, new_world, until

NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
async def broker() -> AsyncIterator[Kafka]:
    """A broker of our own, which the tests may kill; each leaves it running."""
    with tempfile.TemporaryDirectory(prefix="earshot-kafka-") as folder:
        base = free_port_base(2)
        server = Kafka(Path(folder) / "kafka", base, base + 1)
        await server.start()
        yield server
        await server.stop()


@asynccontextmanager
async def killed(broker: Kafka) -> AsyncIterator[None]:
    """Without the broker, as after a power cut; it is back afterwards."""
    assert broker.pid
    os.kill(broker.pid, signal.SIGKILL)
    await broker.wait()
    try:
        yield
    finally:
        await broker.start()


async def send_until_acknowledged(producer: Producer, world: World, batch: list[Message]) -> None:
    while True:
        try:
            return await producer.send_all(world.topic, batch, timeout=2)
        except Undelivered:
            await asyncio.sleep(0.2)


async def test_all_that_is_sent_through_a_kill_of_the_broker_is_consumed(broker: Kafka) -> None:
    world, seen, sent = await new_world(broker.bootstrap), Seen(), 0
    async with world.consuming(seen) as consumer, Producer(broker.bootstrap) as producer:

        async def keep_sending() -> None:
            nonlocal sent
            while True:
                await send_until_acknowledged(producer, world, messages(range(sent, sent + 10)))
                sent += 10
                await asyncio.sleep(0.01)

        sending = asyncio.create_task(keep_sending())
        await until(lambda: seen.has(range(50)))
        async with killed(broker):
            before = sent
            await until(lambda: not consumer.joined)
            await asyncio.sleep(3)
        await until(lambda: sent > before + 100 and consumer.joined, 60)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await until(lambda: seen.has(range(sent)), 60)


async def test_a_consumer_that_starts_before_its_broker_waits_for_it(broker: Kafka) -> None:
    world, seen = await new_world(broker.bootstrap), Seen()
    await world.send(messages(range(10)))
    async with killed(broker):
        work = asyncio.create_task(world.consumer(seen).run())
        await asyncio.sleep(2)
        assert not work.done()
    await until(lambda: seen.has(range(10)), 60)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_a_consumer_stops_in_time_while_its_broker_is_away(broker: Kafka) -> None:
    world, seen = await new_world(broker.bootstrap), Seen()
    await world.send(messages(range(10)))
    work = asyncio.create_task(world.consumer(seen).run())
    await until(lambda: seen.has(range(10)))
    async with killed(broker):
        await asyncio.sleep(0.5)
        asked = time.monotonic()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert time.monotonic() - asked < 20


async def test_a_send_to_a_broker_that_hangs_ends_at_its_deadline_and_a_later_one_arrives(broker: Kafka) -> None:
    world = await new_world(broker.bootstrap)
    async with Producer(broker.bootstrap) as producer:
        await producer.send_all(world.topic, messages([1]))
        assert broker.pid
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            for _ in range(4):
                asked = time.monotonic()
                with pytest.raises(Undelivered):
                    await producer.send_all(world.topic, messages([2]), timeout=1)
                assert time.monotonic() - asked < 2
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await send_until_acknowledged(producer, world, messages([2, 3]))
        await asyncio.sleep(1)
    ends = await world.count()
    arrived = [int(record.value) for record in await world.everything(world.topic.name, ends)]
    assert set(arrived) == {1, 2, 3}
    assert arrived.count(2) <= 2, "what was given up is not sent beside what was sent again; only the one on its way may arrive"


async def test_a_send_to_nowhere_is_undelivered_and_closing_takes_no_time() -> None:
    asked = time.monotonic()
    async with Producer(NOWHERE) as producer:
        with pytest.raises(Undelivered):
            await producer.send_all(EVENTS, messages([1]), timeout=5)
    assert time.monotonic() - asked < 10
    assert not await reachable(NOWHERE)


async def test_following_goes_on_after_an_outage_with_what_came_meanwhile(broker: Kafka) -> None:
    world, heard = await new_world(broker.bootstrap), []
    await world.send(messages(range(5)))

    async def listen() -> None:
        async with aclosing(follow(broker.bootstrap, world.topic)) as records:
            async for record in records:
                heard.append(int(record.value))

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(30):
        while 5 not in heard:
            await world.send(messages([5]))
            await asyncio.sleep(0.2)
    assert set(heard) == {5}
    async with killed(broker):
        await asyncio.sleep(2)
    await world.send(messages(range(6, 12)))
    await until(lambda: set(heard) == set(range(5, 12)), 60)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)

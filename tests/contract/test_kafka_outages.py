"""A broker that dies, starts late or hangs: sends raise Undelivered, consumers wait, and in the end every record has arrived."""

import asyncio
import gc
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.servers import Kafka, free_port_base
from shared.kafka import OutgoingRecord, Producer, Undelivered, follow, reachable
from shared.topics import EVENTS
from tests.contract.kafka_topic import KafkaTopic, Recorder, messages, new_topic, until

NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
async def broker() -> AsyncIterator[Kafka]:
    """A broker that tests may kill. Each test leaves it running."""
    with tempfile.TemporaryDirectory(prefix="earshot-kafka-") as folder:
        base = free_port_base(2)
        server = Kafka(Path(folder) / "kafka", base, base + 1)
        await server.start()
        yield server
        await server.stop()


@asynccontextmanager
async def killed(broker: Kafka) -> AsyncIterator[None]:
    """Kill the broker with SIGKILL; start it again at the end."""
    assert broker.pid
    os.kill(broker.pid, signal.SIGKILL)
    await broker.wait()
    try:
        yield
    finally:
        await broker.start()


async def send_until_acknowledged(producer: Producer, topic: KafkaTopic, batch: list[OutgoingRecord]) -> None:
    while True:
        try:
            await producer.send_all(topic.definition, batch, timeout=2)
            return
        except Undelivered:
            await asyncio.sleep(0.2)


async def test_all_records_sent_while_the_broker_is_killed_are_consumed(broker: Kafka) -> None:
    topic, seen, sent = await new_topic(broker.bootstrap), Recorder(), 0
    async with topic.consuming(seen) as consumer, Producer(broker.bootstrap) as producer:

        async def keep_sending() -> None:
            nonlocal sent
            while True:
                await send_until_acknowledged(producer, topic, messages(range(sent, sent + 10)))
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
    topic, seen = await new_topic(broker.bootstrap), Recorder()
    await topic.send(messages(range(10)))
    async with killed(broker):
        work = asyncio.create_task(topic.consumer(seen).run())
        await asyncio.sleep(2)
        assert not work.done()
    await until(lambda: seen.has(range(10)), 60)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_a_consumer_stops_in_time_without_its_broker(broker: Kafka) -> None:
    topic, seen = await new_topic(broker.bootstrap), Recorder()
    await topic.send(messages(range(10)))
    work = asyncio.create_task(topic.consumer(seen).run())
    await until(lambda: seen.has(range(10)))
    async with killed(broker):
        await asyncio.sleep(0.5)
        started = time.monotonic()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert time.monotonic() - started < 20


async def test_a_send_to_a_hung_broker_ends_at_its_deadline_and_a_later_one_arrives(broker: Kafka) -> None:
    topic = await new_topic(broker.bootstrap)
    async with Producer(broker.bootstrap) as producer:
        await producer.send_all(topic.definition, messages([1]))
        assert broker.pid
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            for _ in range(4):
                started = time.monotonic()
                with pytest.raises(Undelivered):
                    await producer.send_all(topic.definition, messages([2]), timeout=1)
                assert time.monotonic() - started < 2
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await send_until_acknowledged(producer, topic, messages([2, 3]))
        await asyncio.sleep(1)
    ends = await topic.count()
    arrived = [int(record.value) for record in await topic.read(topic.definition.name, ends)]
    assert set(arrived) == {1, 2, 3}
    assert arrived.count(2) <= 2, "a batch that timed out is not sent again by itself; only the one in flight may arrive"


async def test_a_producer_that_closes_while_sends_wait_for_a_hung_broker_leaves_no_error_to_the_event_loop(broker: Kafka) -> None:
    topic = await new_topic(broker.bootstrap, partitions=1)
    reports: list[str] = []
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: reports.append(context["message"]))
    try:
        async with Producer(broker.bootstrap) as producer:
            await producer.send_all(topic.definition, messages([1]))
            assert broker.pid
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                # the first is sent and not acknowledged, so the others wait in the client
                sends = [asyncio.create_task(producer.send_all(topic.definition, messages([n]))) for n in (2, 3, 4)]
                await asyncio.sleep(0.5)
                for send in sends:
                    send.cancel()
                await asyncio.gather(*sends, return_exceptions=True)
            finally:
                os.kill(broker.pid, signal.SIGCONT)
        del producer, sends, send
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(handler)
    assert reports == []


async def test_a_send_without_a_broker_is_undelivered_and_the_producer_closes_at_once() -> None:
    started = time.monotonic()
    async with Producer(NOWHERE) as producer:
        with pytest.raises(Undelivered):
            await producer.send_all(EVENTS, messages([1]), timeout=5)
    assert time.monotonic() - started < 10
    assert not await reachable(NOWHERE)


async def test_follow_resumes_after_an_outage_with_the_records_sent_meanwhile(broker: Kafka) -> None:
    topic, numbers = await new_topic(broker.bootstrap), []
    await topic.send(messages(range(5)))

    async def listen() -> None:
        async with aclosing(follow(broker.bootstrap, topic.definition)) as records:
            async for record in records:
                numbers.append(int(record.value))

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(30):
        while 5 not in numbers:
            await topic.send(messages([5]))
            await asyncio.sleep(0.2)
    assert set(numbers) == {5}
    async with killed(broker):
        await asyncio.sleep(2)
    await topic.send(messages(range(6, 12)))
    await until(lambda: set(numbers) == set(range(5, 12)), 60)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)

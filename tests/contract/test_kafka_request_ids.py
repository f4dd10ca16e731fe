"""The consume loop logs the request ids of the records that it handles, parks and rewinds, and binds them for the handler."""

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.kafka import IncomingRecord, OutgoingRecord, Poison, Retry, received_header
from shared.request_context import RequestContext, add_to_log, current_context, record_headers
from tests.contract.kafka_topic import NOON, KafkaTopic, Recorder, new_topic, until


@pytest.fixture
async def topic(kafka: str) -> KafkaTopic:
    return await new_topic(kafka, partitions=1)


def message(number: int, request_id: str | None) -> OutgoingRecord:
    context = RequestContext(request_id) if request_id else None
    return OutgoingRecord(f"acme/{number}".encode(), str(number).encode(), (received_header(NOON), *record_headers(context)))


def logged(lines: Sequence[Any], event: str) -> list[Any]:
    return [line for line in lines if line["event"] == event]


async def test_a_batch_of_one_request_is_handled_in_its_context(topic: KafkaTopic) -> None:
    contexts: list[RequestContext | None] = []
    seen = Recorder()

    async def handler(records: Sequence[IncomingRecord]) -> None:
        contexts.append(current_context())
        await seen(records)

    await topic.send([message(1, "order-1"), message(2, "order-1")])
    async with topic.consuming(handler):
        await until(lambda: seen.has([1, 2]))
        await topic.send([message(3, "order-2"), message(4, None)])
        await until(lambda: seen.has([3, 4]))
    assert contexts == [RequestContext("order-1"), None]
    assert current_context() is None


async def test_the_log_names_the_requests_of_a_batch_and_of_a_poison_record(topic: KafkaTopic) -> None:
    seen = Recorder()

    async def handler(records: Sequence[IncomingRecord]) -> None:
        if bad := [record for record in records if record.value == b"2"]:
            raise Poison(dict.fromkeys(bad, "it is bad"))
        await seen(records)

    await topic.send([message(1, "order-1"), message(2, "order-2"), message(3, None)])
    with capture_logs([add_to_log]) as lines:
        async with topic.consuming(handler):
            await until(lambda: seen.has([1, 3]) and bool(logged(lines, "kafka.handled")))
    [handled] = logged(lines, "kafka.handled")
    assert handled["log_level"] == "debug"
    assert (handled["records"], handled["parked"], handled["request_ids"]) == (3, 1, ["order-1", "order-2"])
    [summary] = logged(lines, "kafka.summary")
    assert (summary["log_level"], list(summary["records"].values()), summary["parked"]) == ("info", [3], 1)
    [parked] = logged(lines, "kafka.parked")
    assert (parked["offset"], parked["request_id"]) == (1, "order-2")


async def test_the_log_names_the_requests_of_a_batch_that_is_rewound(topic: KafkaTopic) -> None:
    seen, failures = Recorder(), iter([True])

    async def handler(records: Sequence[IncomingRecord]) -> None:
        if next(failures, False):
            raise Retry(0.1, "not now")
        await seen(records)

    await topic.send([message(1, "order-1")])
    with capture_logs([add_to_log]) as lines:
        async with topic.consuming(handler):
            await until(lambda: seen.has([1]))
    assert [line["request_ids"] for line in logged(lines, "kafka.rewound")] == [["order-1"]]

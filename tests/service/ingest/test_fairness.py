"""One tenant's costly or large bodies: they are bounded, and another tenant is answered meanwhile."""

import asyncio
import json
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from services.ingest.domain import receive
from services.ingest.domain.normalise import normalise
from tests.service.ingest.client import TENANTS, IngestClient
from tests.unit.ingest.making import nps, response

MIB = 1024 * 1024
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture
async def other(ingest: IngestClient) -> IngestClient:
    """Another tenant at the same ingest."""
    other = replace(ingest, tenant=f"tenant-{next(TENANTS)}")
    await other.call("PUT", f"/internal/tenants/{other.tenant}", json={"name": "Other", "zone": "Europe/Berlin"})
    return other


@pytest.fixture
def costly(ingest: IngestClient, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`costly(seconds)`: from now on the processor is busy for so long with each record of `ingest`'s tenant."""

    def set_cost(seconds: float) -> None:
        def slow(record: Any, connection: Any, *arguments: Any) -> Any:
            end = time.thread_time() + (seconds if connection.tenant == ingest.tenant else 0)
            while time.thread_time() < end:
                pass
            return normalise(record, connection, *arguments)

        monkeypatch.setattr(receive, "normalise", slow)

    return set_cost


@asynccontextmanager
async def longest_stall() -> AsyncIterator[list[float]]:
    """The list gets the longest time in seconds for which the event loop did nothing else, once the context ends."""
    stalls = [0.0]

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            stalls[0] = max(stalls[0], time.perf_counter() - began)

    beating = asyncio.create_task(beat())
    yield stalls
    beating.cancel()


async def test_a_costly_batch_delays_neither_the_event_loop_nor_another_tenants_webhook(
    ingest: IngestClient, other: IngestClient, costly: Callable[[float], None]
) -> None:
    hook = await other.connect()
    costly(0.02)
    records = [response(nps(9), id=f"r-{n}") for n in range(120)]
    async with longest_stall() as stall:
        began = time.perf_counter()
        batch = asyncio.create_task(ingest.call("POST", "/v1/feedback:batch", json=records))
        await asyncio.sleep(0.1)
        answered_meanwhile = 0
        while not batch.done():
            assert await other.deliver_record(hook, response(nps(9), id=f"o-{answered_meanwhile}")) == "accepted"
            answered_meanwhile += not batch.done()
        seconds = time.perf_counter() - began
    assert [result["status"] for result in (await batch).json()["results"]] == ["accepted"] * 120
    assert answered_meanwhile >= 5
    assert stall[0] < seconds / 4, "the batch takes the processor for 2.4 s in all"


async def test_one_costly_record_does_not_delay_the_event_loop(
    ingest: IngestClient, other: IngestClient, costly: Callable[[float], None]
) -> None:
    """It can't be read in pieces; a thread reads it. A webhook of the same kind likewise."""
    costly(1.0)
    hook = await ingest.connect()
    long = response(nps(9), {"question": "q2", "kind": "comment", "text": "x" * 20_000})
    for post in (lambda: ingest.call("POST", "/v1/feedback", json=long), lambda: ingest.deliver_record(hook, long)):
        posting = asyncio.create_task(post())
        await asyncio.sleep(0.1)
        assert (await other.call("POST", "/v1/feedback", json=response(nps(9)))).status_code == 202
        assert not posting.done()
        await posting


async def test_a_tenants_flood_of_costly_records_does_not_delay_anothers_large_one(
    ingest: IngestClient, other: IngestClient, costly: Callable[[float], None]
) -> None:
    costly(0.1)
    long = response(nps(9), {"question": "q2", "kind": "comment", "text": "x" * 20_000})
    flood = [asyncio.create_task(ingest.call("POST", "/v1/feedback", json=long | {"id": f"r-{n}"})) for n in range(30)]
    await asyncio.sleep(0.05)
    assert (await other.call("POST", "/v1/feedback", json=long)).status_code == 202
    assert sum(post.done() for post in flood) < 15
    assert {post.status_code for post in await asyncio.gather(*flood)} == {202}


async def test_after_a_costly_small_body_the_tenants_bodies_are_read_in_threads(
    ingest: IngestClient, costly: Callable[[float], None]
) -> None:
    costly(0.5)
    await ingest.call("POST", "/v1/feedback", json=response(nps(9)))
    async with longest_stall() as stall:
        await ingest.call("POST", "/v1/feedback", json=response(nps(8)))
    assert stall[0] < 0.25


async def test_after_a_body_that_is_hardly_slow_the_next_ones_are_read_on_the_event_loop_again(
    ingest: IngestClient, costly: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause of the garbage collector must not make all deliveries of a tenant costlier for long."""
    costly(0.006)
    await ingest.call("POST", "/v1/feedback", json=response(nps(9)))
    costly(0)
    await asyncio.sleep(1)
    with monkeypatch.context() as patched:
        patched.setattr("services.ingest.threads.FairThreads.run", None)
        assert (await ingest.call("POST", "/v1/feedback", json=response(nps(8)))).status_code == 202


async def test_records_beyond_the_processor_time_of_a_batch_are_rejected(
    ingest: IngestClient, costly: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.api.batch.CPU_SECONDS", 0.2)
    costly(0.05)
    answer = await ingest.call("POST", "/v1/feedback:batch", json=[response(nps(9), id=f"r-{n}") for n in range(40)])
    results = answer.json()["results"]
    statuses = [result["status"] for result in results]
    accepted = statuses.count("accepted")
    assert 3 <= accepted < 10
    assert statuses == ["accepted"] * accepted + ["rejected"] * (40 - accepted)
    assert results[-1]["problem"]["title"] == "Batch too costly"
    assert len(await ingest.events()) == accepted


@pytest.mark.parametrize("body", [b"{}\n" * 2_790_000, b"[" + b"{}," * 2_790_000 + b"{}]"], ids=["lines", "array"])
async def test_a_batch_of_millions_of_tiny_records_is_refused_in_little_memory(ingest: IngestClient, body: bytes) -> None:
    tracemalloc.start()
    answer = await ingest.call("POST", "/v1/feedback:batch", content=body, headers=NDJSON if body.endswith(b"\n") else None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, answer.json()["detail"]) == (400, "more than 5000 records")
    assert peak < 3 * len(body), "the body twice, while its pieces are joined; parsed it would take 300 MB"


async def test_a_full_batch_takes_little_more_memory_than_its_bytes(ingest: IngestClient) -> None:
    texts = {"question": "q2", "kind": "comment", "text": "word " * 280}
    body = "\n".join(json.dumps(response(nps(9), texts, id=f"r-{n}")) for n in range(2_000)).encode()
    tracemalloc.start()
    answer = await ingest.call("POST", "/v1/feedback:batch", content=body, headers=NDJSON)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {result["status"] for result in answer.json()["results"]} == {"accepted"}
    assert peak < 5 * len(body)


async def test_batches_of_one_tenant_leave_room_for_those_of_another(ingest: IngestClient, other: IngestClient) -> None:
    """Two of 8 MiB at a time; a third is 503, and the other tenant's is read."""
    half_sent = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x" * (7 * MIB)
        await half_sent.wait()
        yield b"x"

    length = {"content-length": str(7 * MIB + 1)}
    uploads = [asyncio.create_task(ingest.call("POST", "/v1/feedback:batch", content=slowly(), headers=length)) for _ in range(3)]
    refused, _ = await asyncio.wait(uploads, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    [answer] = [upload.result() for upload in refused]
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    large = [response(nps(9), {"question": "q2", "kind": "comment", "text": "x" * 60_000}, id=f"r-{n}") for n in range(20)]
    assert (await other.call("POST", "/v1/feedback:batch", json=large)).status_code == 200
    half_sent.set()
    assert {answer.status_code for answer in await asyncio.gather(*uploads)} == {200, 503}


async def test_a_list_of_quarantined_deliveries_reads_no_bodies(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    for number in range(12):
        await ingest.deliver(connection, b"{" + b"x" * (MIB - 100 - number))
    tracemalloc.start()
    listed = (await ingest.call("GET", "/v1/quarantine")).json()["items"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(listed) == 12
    assert peak < 3 * MIB

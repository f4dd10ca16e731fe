"""Limits on requests, over real sockets: sizes of heads, deadlines of unfinished requests, overload, clients that do not read."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.local.servers import free_port
from shared.heads import BoundedProtocol
from shared.http_limits import HttpLimits
from tests.service.bounded_server import (
    CHUNKED,
    GET,
    GET_ONCE,
    GOOD,
    LARGE,
    LIMITS,
    MUCH,
    PATIENCE,
    WAIT_ONCE,
    App,
    dripped,
    exchange,
    problem,
    served,
)


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with served(App()) as port:
        yield port


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET / HTTP/1.1\r\nx-a: ", *[b"y" * 65_536] * (MUCH // 65_536)],
        [b"GET / HTTP/1.1\r\n", *[b"x-a: " + b"y" * 1000 + b"\r\n"] * (MUCH // 1000)],
        [b"GET /" + b"y" * LIMITS.head_bytes, *[b"y" * 65_536] * (MUCH // 65_536)],
        [CHUNKED, *[b"x-a: " + b"y" * 1000 + b"\r\n"] * (MUCH // 1000)],
        [CHUNKED, b"x-a: ", *[b"y" * 65_536] * (MUCH // 65_536)],
    ],
    ids=["one endless header", "endless headers", "an endless path", "endless trailers", "one endless trailer"],
)
async def test_a_head_without_end_is_cut_off(port: int, parts: list[bytes]) -> None:
    answer, closed = await exchange(port, *parts)
    assert closed
    assert b"HTTP/1.1 200" not in answer
    assert (await exchange(port, GOOD))[0].endswith(b"500000")


async def test_a_head_below_the_bound_and_a_body_above_it_are_served(port: int) -> None:
    headers = b"".join(b"x-%d: " % number + b"y" * 1000 + b"\r\n" for number in range(LIMITS.head_bytes // 1100))
    assert (await exchange(port, b"GET / HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n"))[0].endswith(b"0")
    assert (await exchange(port, *[GOOD] * 3))[0].count(b"HTTP/1.1 200") == 3


async def test_a_body_of_tiny_chunks_is_given_on_in_large_parts(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """uvicorn copies what it holds of a body for each part: many chunks of one byte stopped the event loop for seconds."""
    parts: list[int] = []
    original = HttpToolsProtocol.on_body
    monkeypatch.setattr(HttpToolsProtocol, "on_body", lambda self, body: (parts.append(len(body)), original(self, body)))
    head = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer, _ = await exchange(port, head + b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n" + GET)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\n\r\n10000HTTP/1.1 200" in answer
    assert sum(parts) == 10_000
    assert len(parts) < 100


async def test_a_flood_of_tiny_chunks_is_refused(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer, closed = await exchange(port, head + b"1\r\nx\r\n" * 10_001)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"too many parts" in answer
    assert closed
    served, _ = await exchange(port, head + (b"20\r\n" + b"x" * 32 + b"\r\n") * 20_000 + b"0\r\n\r\n")
    assert served.endswith(b"\r\n\r\n640000")


async def test_one_hundred_headers_are_served_and_one_more_is_431(port: int) -> None:
    def head(count: int) -> bytes:
        return b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % number for number in range(count)) + b"\r\n"

    assert (await exchange(port, head(LIMITS.headers)))[0].startswith(b"HTTP/1.1 200")
    answer, closed = await exchange(port, head(LIMITS.headers + 1))
    assert (problem(answer)["status"], closed) == (431, True)


async def test_a_flood_of_short_headers_is_not_kept() -> None:
    header_counts: list[int] = []

    class Watched(BoundedProtocol):
        def on_header(self, name: bytes, value: bytes) -> None:
            try:
                super().on_header(name, value)
            finally:
                header_counts.append(len(self.headers))

    app = App()
    async with served(app) as port:
        config = uvicorn.Config(app, port=(watched := free_port()), http=Watched, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        flood = b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 120_000
        await asyncio.gather(*(exchange(watched, flood) for _ in range(20)))
        server.should_exit = True
        await task
        assert max(header_counts) == LIMITS.headers
        assert (await exchange(port, GET_ONCE))[0].endswith(b"0")


async def test_a_dripped_head_is_408() -> None:
    async with served(App(), HttpLimits(head_seconds=0.3)) as port:
        answer = await dripped(port, b"GET / HTTP/1.1\r\n", (b"x-%d: y\r\n" % number for number in range(90)))
        assert problem(answer)["status"] == 408


@pytest.mark.parametrize("drop", [b"", b"\r\n"], ids=["nothing", "line breaks"])
async def test_a_connection_without_a_request_is_closed(drop: bytes) -> None:
    async with served(App(), HttpLimits(head_seconds=0.3)) as port:
        assert b"200" not in await dripped(port, b"", [drop] * 200)


async def test_a_dripped_body_is_408_and_the_application_hears_a_disconnect() -> None:
    app = App()
    async with served(app, HttpLimits(body_seconds=0.3, body_bytes_per_second=1000)) as port:
        head = b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"
        assert problem(await dripped(port, head, [b"x"] * 200))["status"] == 408
        chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert problem(await dripped(port, chunked, [b"1\r\nx\r\n"] * 200))["status"] == 408
        async with asyncio.timeout(PATIENCE):
            while app.disconnected < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_slow_body_that_keeps_the_rate_is_served() -> None:
    async with served(App(), HttpLimits(body_seconds=0.5, body_bytes_per_second=1000)) as port:
        parts = [b"x" * 1000] * 15
        head = b"POST / HTTP/1.1\r\nContent-Length: 15000\r\n\r\n"
        assert (await exchange(port, head, *parts, pause=0.1))[0].endswith(b"15000")


async def test_an_application_that_takes_its_time_costs_its_client_nothing() -> None:
    app = App()
    async with served(app, HttpLimits(head_seconds=0.1, body_seconds=0.1)) as port:
        asyncio.get_running_loop().call_later(0.8, app.released.set)
        answer, _ = await exchange(port, b"GET /wait HTTP/1.1\r\n\r\n", GET[:10], silence=1.5)
        assert answer.startswith(b"HTTP/1.1 200")


async def test_an_idle_connection_stays_open_for_its_time_and_a_request_on_it_is_served() -> None:
    async with served(App(), HttpLimits(head_seconds=0.2)) as port:
        answer, _ = await exchange(port, GET, GET, pause=1.0)
        assert answer.count(b"HTTP/1.1 200") == 2
    async with served(App(), keep_alive=1) as port:
        assert (await exchange(port, GET, silence=PATIENCE))[1]


async def test_more_requests_than_the_limit_are_503_but_health_is_answered() -> None:
    app = App()
    async with served(app, HttpLimits(requests=3)) as port:
        waiting = [asyncio.create_task(exchange(port, WAIT_ONCE, silence=PATIENCE)) for _ in range(3)]
        async with asyncio.timeout(PATIENCE):
            while app.waiting < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for _ in range(2):
            refused, _ = await exchange(port, GET_ONCE.replace(b"\r\n\r\n", b"\r\nX-Request-Id: order-4711\r\n\r\n"))
            assert problem(refused)["status"] == 503
            assert b"retry-after: 2" in refused
            assert refused.count(b"x-request-id: order-4711\r\n") == refused.count(b"x-request-id") == 1
        assert (await exchange(port, GET_ONCE.replace(b" / ", b" /livez ")))[0].startswith(b"HTTP/1.1 200")
        app.released.set()
        assert all(answer.startswith(b"HTTP/1.1 200") for answer, _ in await asyncio.gather(*waiting))
        assert (await exchange(port, GET_ONCE))[0].startswith(b"HTTP/1.1 200")


async def test_more_connections_than_the_limit_are_503_and_twice_as_many_are_closed() -> None:
    async with served(App(), HttpLimits(connections=2)) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert problem((await exchange(port, GET))[0])["status"] == 503
        assert (await exchange(port, GET_ONCE.replace(b" / ", b" /readyz ")))[0].startswith(b"HTTP/1.1 200")
        idle += [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert await exchange(port, GET) == (b"", True)
        for _, writer in idle:
            writer.close()


async def test_pipelined_requests_are_answered_in_order_and_a_flood_of_them_is_refused(port: int) -> None:
    assert (await exchange(port, GET * 10))[0].count(b"HTTP/1.1 200") == 10
    answer, closed = await exchange(port, b"GET / HTTP/1.1\r\n\r\n" * 10_000)
    assert closed
    assert answer.count(b"HTTP/1.1 200") <= LIMITS.pipelined + 1


async def test_a_response_that_nobody_reads_is_given_up() -> None:
    async with served(App(), HttpLimits(unread_seconds=0.3)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /large HTTP/1.1\r\n\r\n")
        await asyncio.sleep(1.5)
        got = 0
        try:
            async with asyncio.timeout(PATIENCE):
                while part := await reader.read(1_000_000):
                    got += len(part)
        except ConnectionError:
            pass
        assert got < LARGE
        writer.close()


async def test_a_response_that_is_read_slowly_is_sent_whole() -> None:
    async with served(App(), HttpLimits(unread_seconds=0.3)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /large HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        got = 0
        async with asyncio.timeout(4 * PATIENCE):
            while got < LARGE:
                got += len(await reader.read(400_000))
                await asyncio.sleep(0.02)
        assert got == LARGE
        writer.close()

"""A request whose head never ends is ended by us, before it fills the memory; the next one is served."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from deploy.local.servers import free_port
from shared.heads import MOST_HEAD, BoundedHead

GOOD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
MUCH = 20 * MOST_HEAD


async def counts_its_body(scope: Scope, receive: Receive, send: Send) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    content = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(content)).encode())]})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    number = free_port()
    config = uvicorn.Config(
        counts_its_body, port=number, http=BoundedHead, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield number
    server.should_exit = True
    await task


async def exchange(port: int, *parts: bytes) -> tuple[bytes, bool]:
    """What the server answers to these parts until it says nothing for a while, and whether it ended the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer, ended = b"", False
    try:
        for part in parts:
            writer.write(part)
            await asyncio.wait_for(writer.drain(), 5)
        while part := await asyncio.wait_for(reader.read(65536), 1):
            answer += part
        ended = True
    except ConnectionError:
        ended = True
    except TimeoutError:
        pass
    writer.close()
    return answer, ended


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET / HTTP/1.1\r\nx-a: ", *[b"y" * 65_536] * (MUCH // 65_536)],
        [b"GET / HTTP/1.1\r\n", *[b"x-a: " + b"y" * 1000 + b"\r\n"] * (MUCH // 1000)],
        [b"GET /" + b"y" * MOST_HEAD, *[b"y" * 65_536] * (MUCH // 65_536)],
        [CHUNKED, *[b"x-a: " + b"y" * 1000 + b"\r\n"] * (MUCH // 1000)],
        [CHUNKED, b"x-a: ", *[b"y" * 65_536] * (MUCH // 65_536)],
    ],
    ids=["one endless header", "endless headers", "an endless path", "endless trailers", "one endless trailer"],
)
async def test_a_head_without_end_is_cut_off(port: int, parts: list[bytes]) -> None:
    answer, ended = await exchange(port, *parts)
    assert ended
    assert b"HTTP/1.1 200" not in answer
    assert (await exchange(port, GOOD))[0].endswith(b"500000")


async def test_a_head_below_the_bound_and_a_body_above_it_are_served(port: int) -> None:
    headers = b"".join(b"x-%d: " % number + b"y" * 1000 + b"\r\n" for number in range(MOST_HEAD // 1100))
    assert (await exchange(port, b"GET / HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n"))[0].endswith(b"0")
    assert (await exchange(port, *[GOOD] * 3))[0].count(b"HTTP/1.1 200") == 3

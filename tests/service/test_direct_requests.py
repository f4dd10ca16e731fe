"""Small requests of one route that the server answers without ASGI: on the wire they differ in nothing from all others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from deploy.local.servers import free_port
from shared.direct_requests import DIRECT_BYTES, DirectResponse, DirectRoute, Header, direct
from shared.http_limits import HttpLimits
from tests.service.bounded_server import LIMITS, App, dripped, exchange, problem

HEAD = b"POST /direct/a?b=c HTTP/1.1\r\nHost: here\r\n"
SMALL = HEAD + b"Content-Length: 5\r\n\r\nhello"
ONCE = HEAD + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello"


class Route:
    """Answers with the body, the path and the query; to the body `wait!` once `released` is set."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.released = asyncio.Event()

    async def answer(self, path: str, query: bytes, headers: list[Header], body: bytes) -> DirectResponse:
        self.bodies.append(body)
        if body == b"wait!":
            await self.released.wait()
        content = b"direct %b %b %b" % (path.encode(), query, body)
        return DirectResponse(202, [(b"content-length", b"%d" % len(content)), (b"x-host", dict(headers)[b"host"])], content)


@asynccontextmanager
async def serving(limits: HttpLimits = LIMITS) -> AsyncIterator[tuple[int, Route, uvicorn.Server]]:
    """The port of a server with a direct route, that route, and the server."""
    route, port = Route(), free_port()
    protocol = direct(limits, DirectRoute(b"/direct/", route.answer))
    config = uvicorn.Config(App(), port=port, http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield port, route, server
    server.should_exit = True
    await task


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with serving() as (port, _, _):
        yield port


async def test_a_small_post_is_answered_directly(port: int) -> None:
    answer, closed = await exchange(port, SMALL, silence=0.3)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 202 Accepted\r\ndate: ")
    assert b"\r\nx-host: here" in head
    assert (body, closed) == (b"direct /direct/a b=c hello", False)


@pytest.mark.parametrize(
    ("request_bytes", "end"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"\r\n\r\n5"),
        (HEAD + b"Content-Length: %d\r\n\r\n" % (DIRECT_BYTES + 1) + b"x" * (DIRECT_BYTES + 1), b"\r\n\r\n65537"),
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", b"\r\n\r\n5"),
        (HEAD + b"Content-Length: 0\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n", b"\r\n\r\n0"),
        (SMALL.replace(b"POST", b"PUT"), b"\r\n\r\n5"),
        (SMALL.replace(b"HTTP/1.1", b"HTTP/1.0"), b"\r\n\r\n5"),
        (SMALL.replace(b"/direct/a", b"/direct/%61"), b"\r\n\r\n5"),
        (SMALL.replace(b"/direct/a", b"/other"), b"\r\n\r\n5"),
    ],
    ids=["chunked", "large", "expects to continue", "upgrade", "another method", "HTTP/1.0", "an escaped path", "another path"],
)
async def test_any_other_request_is_answered_by_the_application(port: int, request_bytes: bytes, end: bytes) -> None:
    answer, _ = await exchange(port, request_bytes, silence=0.3)
    assert answer.endswith(end)


async def test_requests_of_one_connection_are_answered_in_their_order() -> None:
    """Also if they are sent before the first one is answered: then the application answers the later ones."""
    async with serving() as (port, route, _):
        waiting = asyncio.create_task(exchange(port, SMALL.replace(b"hello", b"wait!") + SMALL + ONCE, silence=2))
        while not route.bodies:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert route.bodies == [b"wait!"]
        route.released.set()
        answer, closed = await waiting
    assert [part.rpartition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 ")[1:]] == [
        b"direct /direct/a b=c wait!",
        b"5",
        b"5",
    ]
    assert closed


async def test_several_requests_one_after_the_other_use_one_connection(port: int) -> None:
    answer, closed = await exchange(port, SMALL, SMALL, ONCE, pause=0.1)
    assert answer.count(b"direct /direct/a b=c hello") == 3
    assert answer.count(b"connection: close") == 1
    assert closed


async def test_a_body_that_comes_in_parts_is_answered_as_a_whole(port: int) -> None:
    answer, _ = await exchange(port, SMALL[:-3], b"l", b"lo", pause=0.05, silence=0.3)
    assert answer.endswith(b"direct /direct/a b=c hello")


async def test_a_slow_body_is_cut_off() -> None:
    async with serving(HttpLimits(body_seconds=0.3)) as (port, route, _):
        answer = await dripped(port, SMALL[:-5], [b"h"])
        assert problem(answer)["status"] == 408
        assert route.bodies == []


async def test_beyond_the_limit_of_requests_the_answer_is_503() -> None:
    async with serving(HttpLimits(requests=1)) as (port, route, _):
        first = asyncio.create_task(exchange(port, SMALL.replace(b"hello", b"wait!"), silence=2))
        while not route.bodies:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        answer, _ = await exchange(port, SMALL)
        assert problem(answer)["status"] == 503
        route.released.set()
        assert (await first)[0].endswith(b"wait!")


async def test_a_client_that_leaves_is_not_answered_and_others_are() -> None:
    async with serving() as (port, route, server):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(SMALL.replace(b"hello", b"wait!"))
        while not route.bodies:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        writer.close()
        await asyncio.sleep(0.1)
        route.released.set()
        assert (await exchange(port, SMALL, silence=0.3))[0].endswith(b"hello")
        assert not server.server_state.tasks


async def test_a_stopping_server_answers_what_it_has_begun_and_closes_the_connection() -> None:
    async with serving() as (port, route, server):
        waiting = asyncio.create_task(exchange(port, SMALL.replace(b"hello", b"wait!"), silence=3))
        while not route.bodies:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        server.should_exit = True
        await asyncio.sleep(0.4)
        route.released.set()
        answer, closed = await waiting
    assert b"connection: close" in answer
    assert answer.endswith(b"wait!")
    assert closed

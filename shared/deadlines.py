"""A deadline for every request: if no response begins in time, its work is cancelled and the client gets 503."""

import asyncio

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problems import Unavailable, to_response

log = structlog.get_logger()


def too_late(seconds: float) -> Unavailable:
    """The problem of a request that was not answered within `seconds`."""
    return Unavailable(f"no answer within {seconds:g} s")


class RequestDeadline:
    """ASGI middleware. The response to a request must begin within `seconds` after the latest part of its body has arrived.

    `shared/heads.py` limits the time in which head and body arrive.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        started = False

        async def receive_and_restart() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not started and not limit.expired():
                limit.reschedule(loop.time() + self.seconds)
            return message

        async def send_and_stop(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                limit.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self.seconds) as limit:
                await self.app(scope, receive_and_restart, send_and_stop)
        except TimeoutError:
            if not limit.expired():
                raise  # the application's own
            log.warning("request.late", method=scope["method"], seconds=self.seconds)
            await to_response(too_late(self.seconds))(scope, receive, send)

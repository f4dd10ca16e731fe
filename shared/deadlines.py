"""A deadline for every request: if no response begins in time, its work is cancelled and the client gets 503."""

import asyncio
from types import TracebackType

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


class TaskDeadlines:
    """Cancels tasks whose work takes longer than `seconds`. All have the same limit, so one timer serves them in turn:
    `asyncio.timeout` creates a timer for each, which takes 3 % of a webhook's processor time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends: dict[asyncio.Task[object], float] = {}
        """When the work of each task must have ended, the first one first."""
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the tasks. Python looks it up by a system call."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def limit(self) -> "TaskDeadline":
        """A context for a part of the current task. It raises TimeoutError if the part takes too long. It can't be nested."""
        return TaskDeadline(self)

    def begin(self, task: asyncio.Task[object]) -> None:
        """Note that the work of a task begins."""
        self._ends[task] = ends = self.loop.time() + self.seconds
        if self._timer is None:
            self._timer = self.loop.call_at(ends, self._cancel_late)

    def end(self, task: asyncio.Task[object]) -> bool:
        """Note that the work of a task has ended. Whether it was in time."""
        return self._ends.pop(task, None) is not None

    def _cancel_late(self) -> None:
        loop, self._timer = self.loop, None
        while self._ends:
            task, ends = next(iter(self._ends.items()))
            if ends > loop.time():
                self._timer = loop.call_at(ends, self._cancel_late)
                return
            del self._ends[task]
            task.cancel()


class TaskDeadline:
    """The deadline of one part of a task."""

    __slots__ = ("_cancelling", "_deadlines", "_task")

    def __init__(self, deadlines: TaskDeadlines) -> None:
        self._deadlines = deadlines

    def __enter__(self) -> None:
        task = asyncio.current_task(self._deadlines.loop)
        if task is None:
            raise RuntimeError("a deadline needs a running task")
        self._task, self._cancelling = task, task.cancelling()
        self._deadlines.begin(task)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        in_time = self._deadlines.end(self._task)
        if not in_time and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

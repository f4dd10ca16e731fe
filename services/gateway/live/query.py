"""A live query: one KPI with its parameters, evaluated again after each change, shared by all subscriptions of a tenant."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass

import msgspec
import structlog

from services.gateway.domain.watch import fingerprint
from shared.problems import BadRequest, Problem, Unavailable

log = structlog.get_logger()

Evaluate = Callable[[bool], Awaitable[bytes]]
"""Evaluates the query and returns the result's JSON; raises a Problem. True: subscriptions wait for their first snapshot."""

MAX_RESULT = 128 * 1024
"""Bytes of one result. Every watched result is held in memory, so a live stream can't carry thousands of rows."""


class ResultTooLarge(BadRequest):
    """The query's result is larger than a live stream carries."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a query is evaluated, in seconds."""

    min_interval: float = 0.05
    """From the start of one evaluation to the next, so that a burst of changes costs one evaluation."""
    rest_ratio: float = 1.0
    """Rest this many times as long as the evaluation took, waiting included, so that slow queries don't occupy metrics."""
    max_rest: float = 2.0
    retry: float = 1.0
    """Rest after a failed evaluation."""

    def rest(self, took: float) -> float:
        """Seconds to rest after an evaluation that took `took` seconds."""
        return min(self.max_rest, max(self.min_interval - took, self.rest_ratio * took))


PACE = Pace()


@dataclass(frozen=True, slots=True)
class State:
    """A result: its JSON, its fingerprint, and the offset of the last change known when it was evaluated."""

    kpi: str
    body: str
    fingerprint: str
    offset: int | None


class LiveQuery:
    """Evaluates its query after each announced change of its KPI, and every `recheck` seconds; wakes its subscribers when the
    result is new. It holds only the newest result, so slow subscribers cost no memory."""

    def __init__(self, kpi: str, evaluate: Evaluate, recheck: float, offset: int | None = None, pace: Pace = PACE) -> None:
        self.kpi = kpi
        self.subscribers: set[asyncio.Event] = set()
        self._evaluate = evaluate
        self._recheck = recheck
        self._pace = pace
        self._offset = offset
        self._announced = asyncio.Event()
        self._first: asyncio.Future[State] = asyncio.get_running_loop().create_future()
        self._state: State | None = None
        # an empty context: its calls are not made for the request that happened to come first
        self._task = asyncio.create_task(self._run(), name=f"live {kpi}", context=Context())

    async def first(self) -> State:
        """The first state. Raises the Problem of the first evaluation, which ends the query."""
        return await asyncio.shield(self._first)

    @property
    def state(self) -> State:
        """The newest state. `first` must have returned."""
        assert self._state
        return self._state

    @property
    def closed(self) -> bool:
        """No new state will come: closed, failed, or the result has become too large."""
        return self._task.done()

    def announce(self, offset: int) -> None:
        """The KPI may have changed; `offset` is that of the announcement."""
        self._offset = offset
        self._announced.set()

    def close(self) -> None:
        """Stop asking for new states, and wake the subscribers."""
        self._task.cancel()

    async def _run(self) -> None:
        try:
            if await self._start():
                while True:
                    await self._refresh()
        except ResultTooLarge as problem:
            log.info("live.ended", kpi=self.kpi, reason=str(problem))
        finally:
            self._first.cancel()
            self._wake_subscribers()

    async def _start(self) -> bool:
        try:
            self._state = await self._next_state(first=True)
        except Problem as problem:
            self._first.set_exception(problem)
            self._first.exception()  # mark it as retrieved, because there may be no subscriber left
            return False
        self._first.set_result(self._state)
        return True

    async def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._announced.wait(), self._recheck)
        self._announced.clear()
        began = loop.time()
        try:
            state = await self._next_state(first=False)
        except ResultTooLarge:
            raise
        except Problem as problem:
            log.info("live.evaluation_failed", kpi=self.kpi, reason=str(problem))
            self._announced.set()
            await asyncio.sleep(self._pace.retry)
            return
        is_new = state.fingerprint != self.state.fingerprint
        self._state = state
        if is_new:
            self._wake_subscribers()
        await asyncio.sleep(self._pace.rest(loop.time() - began))

    def _wake_subscribers(self) -> None:
        for subscriber in self.subscribers:
            subscriber.set()

    async def _next_state(self, *, first: bool) -> State:
        offset = self._offset
        body = await self._evaluate(first)
        if len(body) > MAX_RESULT:
            raise ResultTooLarge(
                f"the result of {self.kpi} has more than {MAX_RESULT} bytes; watch fewer groups, buckets or rows"
            )
        try:
            hashed = fingerprint(msgspec.json.decode(body))
        except msgspec.DecodeError as error:
            raise Unavailable("metrics responded with invalid JSON") from error
        return State(self.kpi, body.decode(), hashed, offset)

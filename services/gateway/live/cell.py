"""One query that is evaluated again and again: one KPI with its parameters, of one tenant, for all streams that watch it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import structlog

from services.gateway.domain.watch import fingerprint
from shared.problems import BadRequest, Problem, Unavailable

log = structlog.get_logger()

Ask = Callable[[bool], Awaitable[bytes]]
"""Evaluates the query, returns the result's JSON; raises a Problem. True: streams wait for their first snapshot."""

MAX_RESULT = 128 * 1024
"""Bytes of one result. Every result watched is kept in memory, so a live stream is no place for thousands of rows."""


class ResultTooLarge(BadRequest):
    """The query has a larger result than a live stream carries."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a query is evaluated, in seconds."""

    pause: float = 0.05
    """Least time from one evaluation to the next, so that a burst of changes costs one."""
    share: float = 1.0
    """Rest so many times as long as the evaluation took, waiting included, so that expensive queries do not occupy metrics."""
    longest: float = 2.0
    """But no longer than this."""
    again: float = 1.0
    """Until an evaluation that failed is tried again."""

    def rest(self, took: float) -> float:
        """How long to rest after an evaluation that took `took` seconds."""
        return min(self.longest, max(self.pause - took, self.share * took))


PACE = Pace()


@dataclass(frozen=True, slots=True)
class State:
    """The newest result: `body` its JSON, `says` a fingerprint of it, `position` the last change known when it was evaluated."""

    kpi: str
    body: str
    says: str
    position: int | None


class Cell:
    """Evaluates its query when its KPI was announced, and after `recheck` seconds in any case; wakes its readers when the result
    is new. It holds one result, however many come and however slow its readers are."""

    def __init__(self, kpi: str, ask: Ask, recheck: float, position: int | None = None, pace: Pace = PACE) -> None:
        self.kpi = kpi
        self.readers: set[asyncio.Event] = set()
        self._ask = ask
        self._recheck = recheck
        self._pace = pace
        self._position = position
        self._announced = asyncio.Event()
        self._first: asyncio.Future[State] = asyncio.get_running_loop().create_future()
        self._state: State | None = None
        self._task = asyncio.create_task(self._run(), name=f"live {kpi}")

    async def first(self) -> State:
        """The first state; raises the Problem that the first evaluation met, after which the cell is over."""
        return await asyncio.shield(self._first)

    @property
    def state(self) -> State:
        """The newest state, of a cell that has had its first."""
        assert self._state
        return self._state

    @property
    def over(self) -> bool:
        """Nothing new will come: closed, broken by a fault of ours, or its result has become too large."""
        return self._task.done()

    def announce(self, position: int) -> None:
        """The KPI may have changed; `position` is how far the announcements have come."""
        self._position = position
        self._announced.set()

    def close(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        try:
            if await self._begun():
                while True:
                    await self._look_again()
        except ResultTooLarge as problem:
            log.info("live.ended", kpi=self.kpi, reason=str(problem))
        finally:
            self._first.cancel()
            for reader in self.readers:
                reader.set()

    async def _begun(self) -> bool:
        try:
            self._state = await self._evaluate(first=True)
        except Problem as problem:
            self._first.set_exception(problem)
            self._first.exception()  # marks it as retrieved: perhaps nobody waits
            return False
        self._first.set_result(self._state)
        return True

    async def _look_again(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._announced.wait(), self._recheck)
        self._announced.clear()
        began = loop.time()
        try:
            state = await self._evaluate(first=False)
        except ResultTooLarge:
            raise
        except Problem as problem:
            log.info("live.unanswered", kpi=self.kpi, reason=str(problem))
            self._announced.set()
            await asyncio.sleep(self._pace.again)
            return
        news = state.says != self.state.says
        self._state = state
        if news:
            for reader in self.readers:
                reader.set()
        await asyncio.sleep(self._pace.rest(loop.time() - began))

    async def _evaluate(self, *, first: bool) -> State:
        position = self._position
        body = await self._ask(first)
        if len(body) > MAX_RESULT:
            raise ResultTooLarge(f"the result of {self.kpi} has more than {MAX_RESULT} bytes; watch fewer groups or buckets")
        try:
            says = fingerprint(msgspec.json.decode(body))
        except msgspec.DecodeError as error:
            raise Unavailable("metrics answered what is no JSON") from error
        return State(self.kpi, body.decode(), says, position)

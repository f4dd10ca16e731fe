"""One question that is asked again and again: one KPI with one query, of one tenant, for all who watch it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import structlog

from services.gateway.domain.watch import fingerprint
from shared.problems import Problem, Unavailable

log = structlog.get_logger()

Ask = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a question may be asked, in seconds."""

    pause: float = 0.05
    """At least so long from one asking to the next, so that a burst of changes costs one."""
    share: float = 1.0
    """Rest so many times as long as the answer took, so that dear questions don't take all of metrics."""
    longest: float = 2.0
    """But no longer than this."""
    again: float = 1.0
    """Until a question that couldn't be answered is asked again."""

    def rest(self, took: float) -> float:
        """How long to rest after an answer that took so long."""
        return min(self.longest, max(self.pause - took, self.share * took))


PACE = Pace()


@dataclass(frozen=True, slots=True)
class State:
    """The newest answer, as JSON; `says` names what it says, `position` the last change known when it was asked for."""

    kpi: str
    body: str
    says: str
    position: int | None


class Cell:
    """Asks at once when its KPI was announced, and after `recheck` seconds in any case; wakes its readers when the answer says
    something new. It holds one answer, however many come and however slow its readers are."""

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
        """The first state; raises the Problem that the first asking met, after which the cell is over."""
        return await asyncio.shield(self._first)

    @property
    def state(self) -> State:
        """The newest state, of a cell that has had its first."""
        assert self._state
        return self._state

    @property
    def over(self) -> bool:
        """Nothing new will come: closed, or broken by a fault of ours."""
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
        finally:
            self._first.cancel()
            for reader in self.readers:
                reader.set()

    async def _begun(self) -> bool:
        try:
            self._state = await self._asked()
        except Problem as problem:
            self._first.set_exception(problem)
            self._first.exception()  # told to whoever waits; nobody may
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
            state = await self._asked()
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

    async def _asked(self) -> State:
        position = self._position
        body = await self._ask()
        try:
            says = fingerprint(msgspec.json.decode(body))
        except msgspec.DecodeError as error:
            raise Unavailable("metrics answered what is no JSON") from error
        return State(self.kpi, body.decode(), says, position)

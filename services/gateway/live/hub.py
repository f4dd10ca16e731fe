"""The live stream's hub: announcements come in, each question is asked once for all who watch it, readers come and go."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Self

from services.gateway.domain.watch import Watch
from services.gateway.live.cell import PACE, Cell, Pace
from services.gateway.live.reader import Reader
from shared.metrics_names import LIVE_QUESTIONS, LIVE_READERS
from shared.problems import TooManyRequests

Ask = Callable[[str, str, str], Awaitable[bytes]]
"""(tenant, kpi, query) → the answer's JSON; raises a Problem."""

AT_ONCE = 8
"""Questions that may be with metrics at one time."""


class Hub:
    """Cells by tenant and question; a cell lives as long as somebody watches it."""

    def __init__(self, ask: Ask, readers_per_key: int = 100, pace: Pace = PACE) -> None:
        self._ask = ask
        self._pace = pace
        self._readers_per_key = readers_per_key
        self._cells: defaultdict[str, dict[tuple[str, str], Cell]] = defaultdict(dict)
        self._readers: Counter[str] = Counter()
        self._positions: dict[str, int] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    def announce(self, tenant: str, kpis: Iterable[str], position: int) -> None:
        """These KPIs of the tenant may have changed. Never waits."""
        touched = set(kpis)
        self._positions[tenant] = position
        for (kpi, _), cell in self._cells.get(tenant, {}).items():
            if kpi in touched:
                cell.announce(position)

    @asynccontextmanager
    async def watching(self, tenant: str, key_id: str, watch: Watch) -> AsyncIterator[Reader]:
        """A reader of what `watch` asks for, with its first states there. Raises the Problem that metrics has with the question,
        or TooManyRequests when the key holds too many streams open."""
        if self._readers[key_id] >= self._readers_per_key:
            raise TooManyRequests("this key holds too many live streams open", headers={"Retry-After": "10"})
        self._readers[key_id] += 1
        LIVE_READERS.inc()
        cells = [self._cell(tenant, kpi, watch) for kpi in watch.kpis]
        reader = Reader(cells)
        for cell in cells:
            cell.readers.add(reader.wake)
        try:
            for cell in cells:
                await cell.first()
            yield reader
        finally:
            self._leave(tenant, key_id, reader, cells, watch)

    def _cell(self, tenant: str, kpi: str, watch: Watch) -> Cell:
        cells = self._cells[tenant]
        cell = cells.get((kpi, watch.query))
        if cell is None or cell.over:
            ask = partial(self._in_turn, tenant, kpi, watch.query)
            cell = cells[kpi, watch.query] = Cell(kpi, ask, watch.recheck, self._positions.get(tenant), self._pace)
        return cell

    async def _in_turn(self, tenant: str, kpi: str, query: str) -> bytes:
        async with self._turn:
            LIVE_QUESTIONS.inc()
            return await self._ask(tenant, kpi, query)

    def _leave(self, tenant: str, key_id: str, reader: Reader, cells: list[Cell], watch: Watch) -> None:
        LIVE_READERS.dec()
        self._readers[key_id] -= 1
        if not self._readers[key_id]:
            del self._readers[key_id]
        for cell in cells:
            cell.readers.discard(reader.wake)
            if not cell.readers:
                cell.close()
                if self._cells[tenant].get((cell.kpi, watch.query)) is cell:
                    del self._cells[tenant][cell.kpi, watch.query]
        if not self._cells[tenant]:
            del self._cells[tenant]

    @property
    def watched(self) -> int:
        """How many questions are being asked."""
        return sum(len(cells) for cells in self._cells.values())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for cells in self._cells.values():
            for cell in cells.values():
                cell.close()

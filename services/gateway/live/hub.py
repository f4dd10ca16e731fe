"""The live stream's hub: a query is evaluated once for all streams that watch it, within caps per key, tenant and process."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from services.gateway.clients.turns import Turns
from services.gateway.domain.watch import Watch
from services.gateway.live.cell import PACE, Cell, Pace
from services.gateway.live.reader import Reader
from shared.instruments import LIVE_QUESTIONS, LIVE_READERS
from shared.problems import TooManyRequests, Unavailable

Ask = Callable[[str, str, str], Awaitable[bytes]]
"""(tenant, kpi, query) → the result's JSON; raises a Problem."""

T = TypeVar("T")

Query = tuple[str, str]
"""A KPI and its parameters."""

AT_ONCE, PER_TENANT = 8, 4
"""Evaluations that metrics may be busy with at one time, and how many of them one tenant's streams may cause."""

RETRY = 10
"""Seconds until a client that holds too much should try again."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How many streams may be open, and how many different queries they may watch."""

    streams: int = 500
    """In this process."""
    streams_per_tenant: int = 200
    streams_per_key: int = 100
    queries_per_tenant: int = 500
    queries_per_key: int = 250


class Hub:
    """Cells by tenant and query; a cell lives as long as a stream watches it."""

    def __init__(self, ask: Ask, caps: Caps | None = None, pace: Pace = PACE) -> None:
        self._ask = ask
        self._pace = pace
        self._caps = caps or Caps()
        self._cells: defaultdict[str, dict[Query, Cell]] = defaultdict(dict)
        self._streams_by_tenant: Counter[str] = Counter()
        self._streams_by_key: Counter[str] = Counter()
        self._queries_by_key: defaultdict[str, Counter[Query]] = defaultdict(Counter)
        """Of each key: its queries, and how many of its streams watch each."""
        self._positions: dict[str, int] = {}
        self._turns = Turns(AT_ONCE, PER_TENANT)

    def announce(self, tenant: str, kpis: Iterable[str], position: int) -> None:
        """These KPIs of the tenant may have changed. Never waits."""
        touched = set(kpis)
        self._positions[tenant] = position
        for (kpi, _), cell in self._cells.get(tenant, {}).items():
            if kpi in touched:
                cell.announce(position)

    @asynccontextmanager
    async def watching(self, tenant: str, key_id: str, watch: Watch) -> AsyncIterator[Reader]:
        """A reader of what `watch` asks for, with its first states there. Raises the Problem that metrics has with a query,
        TooManyRequests when the key or the tenant has reached one of its caps, Unavailable when the process has."""
        queries = [(kpi, watch.query) for kpi in watch.kpis]
        self._check(tenant, key_id, queries)
        self._streams_by_tenant[tenant] += 1
        self._streams_by_key[key_id] += 1
        self._queries_by_key[key_id].update(queries)
        LIVE_READERS.inc()
        cells = [self._cell(tenant, key_id, query, watch) for query in queries]
        reader = Reader(cells)
        for cell in cells:
            cell.readers.add(reader.wake)
        try:
            for cell in cells:
                await cell.first()
            yield reader
        finally:
            self._leave(tenant, key_id, reader, dict(zip(queries, cells, strict=True)))

    def _check(self, tenant: str, key_id: str, queries: list[Query]) -> None:
        caps = self._caps
        if self._streams_by_tenant.total() >= caps.streams:
            raise Unavailable(f"{caps.streams} live streams are open, as many as this server holds", retry_after=RETRY)
        of_key = self._queries_by_key.get(key_id, Counter())
        of_tenant = self._cells.get(tenant, {})
        for who, what, held, cap in (
            ("key", "live streams", self._streams_by_key[key_id] + 1, caps.streams_per_key),
            ("tenant", "live streams", self._streams_by_tenant[tenant] + 1, caps.streams_per_tenant),
            ("key", "different live queries", len(of_key.keys() | set(queries)), caps.queries_per_key),
            ("tenant", "different live queries", len(of_tenant.keys() | set(queries)), caps.queries_per_tenant),
        ):
            if held > cap:
                raise TooManyRequests(f"this {who} may hold {cap} {what}, not more", headers={"Retry-After": str(RETRY)})

    def _cell(self, tenant: str, key_id: str, query: Query, watch: Watch) -> Cell:
        """The tenant's cell of this query. A new one waits for its turns among those of the key that watched it first."""
        cells = self._cells[tenant]
        cell = cells.get(query)
        if cell is None or cell.over:
            ask = partial(self._in_turn, tenant, key_id, query)
            cell = cells[query] = Cell(query[0], ask, watch.recheck, self._positions.get(tenant), self._pace)
        return cell

    async def _in_turn(self, tenant: str, key_id: str, query: Query, first: bool) -> bytes:
        async with self._turns.turn(tenant, key_id, first=first):
            LIVE_QUESTIONS.inc()
            return await self._ask(tenant, *query)

    def _leave(self, tenant: str, key_id: str, reader: Reader, cells: dict[Query, Cell]) -> None:
        LIVE_READERS.dec()
        lower(self._streams_by_tenant, tenant)
        lower(self._streams_by_key, key_id)
        for query, cell in cells.items():
            lower(self._queries_by_key[key_id], query)
            cell.readers.discard(reader.wake)
            if not cell.readers:
                cell.close()
                if self._cells[tenant].get(query) is cell:
                    del self._cells[tenant][query]
        if not self._queries_by_key[key_id]:
            del self._queries_by_key[key_id]
        if not self._cells[tenant]:
            del self._cells[tenant]

    @property
    def watched(self) -> int:
        """How many queries are evaluated again and again."""
        return sum(len(cells) for cells in self._cells.values())

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._streams_by_tenant.total()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for cells in self._cells.values():
            for cell in cells.values():
                cell.close()


def lower(counter: Counter[T], name: T) -> None:
    """Count one less; what is at nought is forgotten."""
    counter[name] -= 1
    if not counter[name]:
        del counter[name]

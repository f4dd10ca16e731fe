"""The hub of live streams: a query is evaluated once for all streams that watch it, within limits per key, tenant and process."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import msgspec
import structlog

from services.gateway.clients.fair_semaphore import FairSemaphore
from services.gateway.domain.watch import UPCOMING, UPCOMING_CHANGED_BY, Watch
from services.gateway.instruments import LIVE_QUERIES, LIVE_STREAMS
from services.gateway.live.query import PACE, LiveQuery, Pace
from services.gateway.live.subscription import Subscription
from shared.events import decode_change
from shared.kafka import IncomingRecord
from shared.problems import TooManyRequests, Unavailable

log = structlog.get_logger()

Fetch = Callable[[str, str, str], Awaitable[bytes]]
"""(tenant, kpi, query) → the result's JSON; raises a Problem."""

T = TypeVar("T")

QueryKey = tuple[str, str]
"""A KPI and its parameters."""

MAX_EVALUATIONS, MAX_EVALUATIONS_PER_TENANT = 8, 4
"""Evaluations in progress at metrics, in all and for one tenant's streams."""

RETRY_SECONDS = 10
"""`Retry-After` for a client that has reached a limit."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams may be open, and how many different queries they may watch."""

    streams: int = 500
    """In this process."""
    streams_per_tenant: int = 200
    streams_per_key: int = 100
    queries_per_tenant: int = 500
    queries_per_key: int = 250


class Hub:
    """Live queries by tenant; a query lives as long as a stream watches it."""

    def __init__(self, fetch: Fetch, limits: StreamLimits | None = None, pace: Pace = PACE) -> None:
        self._fetch = fetch
        self._pace = pace
        self._limits = limits or StreamLimits()
        self._queries: defaultdict[str, dict[QueryKey, LiveQuery]] = defaultdict(dict)
        self._streams_by_tenant: Counter[str] = Counter()
        self._streams_by_key: Counter[str] = Counter()
        self._queries_by_key: defaultdict[str, Counter[QueryKey]] = defaultdict(Counter)
        """For each API key its queries, and how many of its streams watch each."""
        self._offsets: dict[str, int] = {}
        self._evaluations = FairSemaphore(MAX_EVALUATIONS, MAX_EVALUATIONS_PER_TENANT)

    def announce(self, tenant: str, kpis: Iterable[str], offset: int) -> None:
        """These KPIs of the tenant may have changed. Never waits."""
        changed = set(kpis)
        if not changed.isdisjoint(UPCOMING_CHANGED_BY):
            changed.add(UPCOMING)
        self._offsets[tenant] = offset
        for (kpi, _), query in self._queries.get(tenant, {}).items():
            if kpi in changed:
                query.announce(offset)

    @asynccontextmanager
    async def subscribe(self, tenant: str, key_id: str, watch: Watch) -> AsyncIterator[Subscription]:
        """A subscription to the queries of `watch` that has their first states.

        Raises the Problem with which metrics refuses a query, TooManyRequests at a limit of the key or the tenant, Unavailable at
        that of the process.
        """
        keys = [(kpi, watch.query) for kpi in watch.kpis]
        self._check_limits(tenant, key_id, keys)
        self._streams_by_tenant[tenant] += 1
        self._streams_by_key[key_id] += 1
        self._queries_by_key[key_id].update(keys)
        LIVE_STREAMS.inc()
        queries = [self._query(tenant, key_id, key, watch) for key in keys]
        subscription = Subscription(queries)
        for query in queries:
            query.subscribers.add(subscription.wake)
        try:
            for query in queries:
                await query.first()
            yield subscription
        finally:
            self._unsubscribe(tenant, key_id, subscription, dict(zip(keys, queries, strict=True)))

    def _check_limits(self, tenant: str, key_id: str, keys: list[QueryKey]) -> None:
        limits = self._limits
        if self._streams_by_tenant.total() >= limits.streams:
            raise Unavailable(f"{limits.streams} live streams are open, as many as this server holds", retry_after=RETRY_SECONDS)
        of_key = self._queries_by_key.get(key_id, Counter())
        of_tenant = self._queries.get(tenant, {})
        for holder, resource, count, limit in (
            ("key", "live streams", self._streams_by_key[key_id] + 1, limits.streams_per_key),
            ("tenant", "live streams", self._streams_by_tenant[tenant] + 1, limits.streams_per_tenant),
            ("key", "different live queries", len(of_key.keys() | set(keys)), limits.queries_per_key),
            ("tenant", "different live queries", len(of_tenant.keys() | set(keys)), limits.queries_per_tenant),
        ):
            if count > limit:
                detail = f"this {holder} may hold {limit} {resource}, not more"
                raise TooManyRequests(detail, headers={"Retry-After": str(RETRY_SECONDS)})

    def _query(self, tenant: str, key_id: str, key: QueryKey, watch: Watch) -> LiveQuery:
        """The tenant's live query. Evaluations of a new one count as those of the API key that watched it first."""
        queries = self._queries[tenant]
        query = queries.get(key)
        if query is None or query.closed:
            evaluate = partial(self._evaluate, tenant, key_id, key)
            query = queries[key] = LiveQuery(key[0], evaluate, watch.recheck, self._offsets.get(tenant), self._pace)
        return query

    async def _evaluate(self, tenant: str, key_id: str, key: QueryKey, first: bool) -> bytes:
        async with self._evaluations.acquired(tenant, key_id, urgent=first):
            LIVE_QUERIES.inc()
            return await self._fetch(tenant, *key)

    def _unsubscribe(self, tenant: str, key_id: str, subscription: Subscription, queries: dict[QueryKey, LiveQuery]) -> None:
        LIVE_STREAMS.dec()
        decrement(self._streams_by_tenant, tenant)
        decrement(self._streams_by_key, key_id)
        for key, query in queries.items():
            decrement(self._queries_by_key[key_id], key)
            query.subscribers.discard(subscription.wake)
            if not query.subscribers:
                query.close()
                if self._queries[tenant].get(key) is query:
                    del self._queries[tenant][key]
        if not self._queries_by_key[key_id]:
            del self._queries_by_key[key_id]
        if not self._queries[tenant]:
            del self._queries[tenant]

    @property
    def query_count(self) -> int:
        """Live queries that are evaluated."""
        return sum(len(queries) for queries in self._queries.values())

    @property
    def stream_count(self) -> int:
        """Streams that are open."""
        return self._streams_by_tenant.total()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for queries in self._queries.values():
            for query in queries.values():
                query.close()


def decrement(counter: Counter[T], name: T) -> None:
    """Count one less; an entry of 0 is removed."""
    counter[name] -= 1
    if not counter[name]:
        del counter[name]


async def announce_changes(changes: AsyncIterator[IncomingRecord], hub: Hub) -> None:
    """Announce each record of `kpi.changes` to the hub. A record that can't be decoded is logged and skipped; the next recheck
    makes up for it."""
    async for record in changes:
        try:
            change = decode_change(record.value)
        except msgspec.MsgspecError as error:
            log.warning("live.undecodable", partition=record.partition, offset=record.offset, error=type(error).__name__)
            continue
        hub.announce(change.tenant, change.kpis, record.offset)

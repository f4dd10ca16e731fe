"""Observes deliveries: counts them by connection and outcome, logs refused and quarantined ones, notes unmapped questions.

Counting costs a delivery a few microseconds: numbers are added in memory, and written in batches. A crash loses those of the last
seconds. They inform operators; no KPI reads them.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import Any

import asyncpg
import structlog
from prometheus_client import Counter as CounterMetric

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.health import HealthChanges, Key, own_key
from services.ingest.domain.log_limit import WINDOW_SECONDS, Kind, LogLimit
from services.ingest.domain.own_dimensions import names_in_records
from services.ingest.instruments import DELIVERIES
from services.ingest.store.health import HealthStore
from shared.database import OUTAGE
from shared.problems import Problem

log = structlog.get_logger()

FLUSH_SECONDS = 2.0
SUMMARY_SECONDS = 60.0
"""The time that a log line about deliveries by outcome covers."""
PRUNE_SECONDS = 3600.0
MOST_STORED_KEYS = 100_000
"""Keys of mappings, and names of own dimensions, that are remembered as stored."""

UNKNOWN = "unknown"
"""The provider, in metrics, of a request to a connection that does not exist."""


class DeliveryObserver:
    """`stored` and `refused` note one delivery. `run` is the worker that writes the numbers; `close` writes the last ones."""

    def __init__(
        self, store: HealthStore, now: Callable[[], datetime], note_names: Callable[[Delivery], None] = lambda delivery: None
    ) -> None:
        """`note_names` is called for each accepted delivery."""
        self._store = store
        self._note_names = note_names
        self._now = now
        self._changes = HealthChanges()
        self._stored_keys: set[Key] = set()
        self._writing = asyncio.Lock()
        self._limit = LogLimit()
        self._counters: dict[tuple[str, str], CounterMetric] = {}
        self._pruned_at = -inf
        self._outcomes: Counter[str] = Counter()
        """Deliveries since the last summary, by outcome."""
        self._summarized_at = time.monotonic()

    def stored(self, connection: Connection, delivery: Delivery, outcome: Outcome) -> None:
        """Note a delivery with its outcome."""
        self._count(connection.provider, outcome, 1)
        self._changes.counts[connection.id, outcome] += 1
        self._changes.add_delivery(connection.id, delivery.received_at)
        if outcome == "accepted":
            self._changes.add_use(connection, delivery.use, delivery.received_at)
            self._note_names(delivery)
            self._note_own_dimensions(connection, delivery)
        elif outcome == "quarantined":
            fields: dict[str, Any] = {"outcome": outcome, "reason": delivery.reason, "bytes": len(delivery.raw), "deliveries": 1}
            self._log("delivery.quarantined", connection, status=202, **fields)

    def read_again(self, connection: Connection, delivery: Delivery) -> None:
        """Note which keys of the mapping occur in a delivery that was read again. Its unmapped questions were noted before."""
        if delivery.verdict == "accepted":
            use = replace(delivery.use, unmapped=()) if delivery.use.unmapped else delivery.use
            self._changes.add_use(connection, use, delivery.received_at)
            self._note_names(delivery)
            self._note_own_dimensions(connection, delivery)

    def back_filled(self, connection: Connection, delivery: Delivery) -> None:
        """Note the names, own dimensions and unmapped questions of a record that a back-fill has fetched.

        The tool has not delivered it, so it is not counted as a delivery.
        """
        self._changes.add_use(connection, delivery.use, delivery.received_at)
        self._note_names(delivery)
        self._note_own_dimensions(connection, delivery)

    def refused(
        self,
        problem: Problem,
        connection: Connection | None,
        *,
        tenant: str | None = None,
        size: int | None = None,
        count: int = 1,
    ) -> None:
        """Note a request, or `count` records of one, that was answered by a problem. `size`: of its body in bytes, if known."""
        outcome = "refused" if problem.status < 500 else "unavailable"
        self._count(connection.provider if connection else UNKNOWN, outcome, count)
        if connection:
            self._changes.counts[connection.id, outcome] += count
        fields: dict[str, Any] = {
            "outcome": outcome,
            "reason": problem.detail or problem.title,
            "bytes": size,
            "deliveries": count,
        }
        self._log("delivery.refused", connection, status=problem.status, tenant=tenant, **fields)

    async def run(self) -> None:
        """Write the numbers every FLUSH_SECONDS until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self._log_suppressed(self._limit.ended(time.monotonic()))
            if time.monotonic() - self._summarized_at >= SUMMARY_SECONDS:
                self._log_summary()
            try:
                await self.flush()
                if time.monotonic() - self._pruned_at > PRUNE_SECONDS:
                    await self._store.prune(self._now())
                    self._pruned_at = time.monotonic()
            except OUTAGE as error:
                log.warning("health.unavailable", error=type(error).__name__)

    async def flush(self) -> None:
        """Write the numbers that this process has. In an outage of the database, which is raised, they are written later."""
        async with self._writing:
            changes, self._changes = self._changes, HealthChanges()
            changes.keys -= self._stored_keys
            if not changes:
                return
            try:
                await self._store.add(changes, self._now())
            except (*OUTAGE, asyncio.CancelledError):
                self._changes.add_all(changes)
                raise
            except asyncpg.PostgresError as error:
                log.error("health.refused", error=type(error).__name__)
                return
            if len(self._stored_keys) > MOST_STORED_KEYS:
                self._stored_keys.clear()
            self._stored_keys |= changes.keys | changes.own_keys

    async def close(self) -> None:
        """Write and log what is left."""
        self._log_suppressed(self._limit.ended(time.monotonic(), every=True))
        self._log_summary()
        try:
            await self.flush()
        except OUTAGE as error:
            log.warning("health.unavailable", error=type(error).__name__)

    def _log_summary(self) -> None:
        seconds, self._summarized_at = time.monotonic() - self._summarized_at, time.monotonic()
        if self._outcomes:
            log.info("deliveries.summary", outcomes=dict(sorted(self._outcomes.items())), seconds=round(seconds))
            self._outcomes.clear()

    def _note_own_dimensions(self, connection: Connection, delivery: Delivery) -> None:
        names = {name for name in names_in_records(delivery) if own_key(connection.id, name) not in self._stored_keys}
        self._changes.add_own_dimensions(connection.id, names)

    def _count(self, provider: str, outcome: str, count: int) -> None:
        counter = self._counters.get((provider, outcome))
        if counter is None:
            counter = self._counters[provider, outcome] = DELIVERIES.labels(provider, outcome)
        counter.inc(count)
        self._outcomes[outcome] += count

    def _log(self, event: str, connection: Connection | None, *, status: int, tenant: str | None = None, **fields: Any) -> None:
        """Log one line with everything that is known about the delivery, except its content."""
        name = connection.id if connection else None
        if not self._limit.admits((name or tenant, status), time.monotonic()):
            return
        if connection:
            fields |= {"connection": name, "tenant": connection.tenant, "provider": connection.provider}
        else:
            fields |= {"connection": None, "tenant": tenant, "provider": UNKNOWN}
        log.warning(event, status=status, **fields)

    def _log_suppressed(self, windows: Iterable[tuple[Kind, int]]) -> None:
        for (connection, status), lines in windows:
            log.warning("delivery.lines_suppressed", connection=connection, status=status, lines=lines, seconds=WINDOW_SECONDS)

"""Passes the names that deliveries state to the directory of names in metrics.

A name goes from memory to the table `value_names`, and from there to metrics. A delivery waits for neither. A name that is
stored already costs a look-up in memory. While metrics is down, names wait in the table.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg
import httpx
import structlog

from services.ingest.domain.delivery import Delivery
from services.ingest.domain.value_names import states_identity
from services.ingest.polling import Poller
from services.ingest.store.value_names import ValueNames, WaitingName
from shared.database import OUTAGE
from shared.problems import Unavailable

log = structlog.get_logger()

FLUSH_SECONDS = 2.0
MOST_PENDING = 1_000
"""Names that wait in memory. Further ones are noted when a later delivery states them again."""
MOST_REMEMBERED = 50_000
REMEMBERED_SECONDS = 600.0
"""Names that are remembered as stored. When there are more, or after this time, all are forgotten, and stored once more: so a
name that another process has changed is corrected."""
REFUSED = (400, 413, 422)
"""Statuses of metrics for a call that it will never accept."""

Key = tuple[str, str, str]
"""A tenant, a dimension and a value of it."""


class NameCollector:
    """`add` notes the names of a delivery, `run` is the worker that stores them, and `close` stores the last ones."""

    def __init__(self, store: ValueNames) -> None:
        self._store = store
        self._pending: dict[Key, tuple[str, datetime]] = {}
        self._remembered: dict[Key, str] = {}
        self._forget_at = 0.0

    def add(self, delivery: Delivery) -> None:
        """Note the names of an accepted delivery that are not stored."""
        for dimension, value, name in delivery.names:
            key = (delivery.tenant, dimension, value)
            if self._remembered.get(key) != name and (key in self._pending or len(self._pending) < MOST_PENDING):
                self._pending[key] = self._later(key, name, delivery.received_at)

    async def run(self) -> None:
        """Store names every FLUSH_SECONDS until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Store the names that this process has. In an outage of the database they are stored later."""
        pending, self._pending = self._pending, {}
        self._forget()
        usable = {key: (name, at) for key, (name, at) in pending.items() if not states_identity(name)}
        try:
            if usable:
                await self._store.add([(*key, name, at) for key, (name, at) in sorted(usable.items())])
        except (*OUTAGE, asyncio.CancelledError) as error:
            for key, (name, at) in pending.items():
                self._pending[key] = self._later(key, name, at)
            if isinstance(error, asyncio.CancelledError):
                raise
            log.warning("names.unavailable", error=type(error).__name__)
            return
        except asyncpg.PostgresError as error:
            log.error("names.refused", error=type(error).__name__)
        self._remembered |= {key: name for key, (name, _) in pending.items()}

    async def close(self) -> None:
        """Store what is left."""
        await self.flush()

    def _later(self, key: Key, name: str, at: datetime) -> tuple[str, datetime]:
        """The later of this name and the one that is pending."""
        pending = self._pending.get(key)
        return pending if pending and pending[1] > at else (name, at)

    def _forget(self) -> None:
        now = time.monotonic()
        if len(self._remembered) > MOST_REMEMBERED or now >= self._forget_at:
            self._remembered.clear()
            self._forget_at = now + REMEMBERED_SECONDS


class NameSender:
    """`run` is the worker that sends stored names to metrics. Any number of processes may run it over one database."""

    def __init__(self, store: ValueNames, metrics: httpx.AsyncClient) -> None:
        """`metrics` is a client for its internal routes."""
        self._store = store
        self._metrics = metrics
        self._poller = Poller("names", self.step)

    async def run(self) -> None:
        """Send names until cancelled."""
        await self._poller.run()

    async def step(self) -> bool:
        """Send the names that have waited longest. False if none waits.

        Names of a call that fails are sent again later. Raises Unavailable if metrics can't be reached.
        """
        claimed = await self._store.claim()
        for tenant, names in by_tenant(claimed).items():
            if await self._send(tenant, names):
                await self._store.mark_sent(names)
        return bool(claimed)

    async def _send(self, tenant: str, names: Sequence[WaitingName]) -> bool:
        """Whether the names need not be sent again: metrics has them, or will never accept them."""
        rows = [
            {"dimension": name.dimension, "value": name.value, "name": name.name, "stated_at": name.stated_at.isoformat()}
            for name in names
        ]
        try:
            response = await self._metrics.post(f"/internal/tenants/{tenant}/names", json={"names": rows})
        except httpx.HTTPError as error:
            raise Unavailable("metrics can't be reached") from error
        if response.is_success:
            return True
        log.warning("names.not_sent", tenant=tenant, names=len(names), status=response.status_code)
        return response.status_code in REFUSED


def by_tenant(names: Iterable[WaitingName]) -> dict[str, list[WaitingName]]:
    """The names of each tenant."""
    tenants: dict[str, list[WaitingName]] = {}
    for name in names:
        tenants.setdefault(name.tenant, []).append(name)
    return tenants

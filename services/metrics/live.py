"""Announcing on `kpi.changes` which KPIs a batch may have changed, so that live streams fetch the new numbers."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from services.metrics.domain.touches import SCORE, kind_of, kpis_of
from services.metrics.store.writer import Batch
from shared.events import KpiChange, encode
from shared.kafka import Message
from shared.topics import CHANGES, Topic


class Sender(Protocol):
    """What an announcer needs of a producer."""

    async def send_all(self, topic: Topic, messages: list[Message]) -> object: ...


class Announcer:
    """Publishes on `kpi.changes`, before offsets move, which KPIs of which tenants a batch may have changed.

    A batch that is applied again after a crash changes nothing any more and is announced all the same: the first announcement may
    not have been sent.
    """

    def __init__(self, sender: Sender, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._sender = sender
        self._clock = clock

    async def announce(self, batch: Batch) -> None:
        """Returns when the broker has acknowledged it; raises Undelivered, a Retry, otherwise."""
        await self._send(touched(batch))

    async def announce_promotion(self, tenant: str) -> None:
        """Announce that another model's scores count now. Raises Undelivered; live streams then notice at their next recheck."""
        await self._send({tenant: kpis_of({SCORE})})

    async def _send(self, kpis_by_tenant: Mapping[str, tuple[str, ...]]) -> None:
        now = self._clock()
        changes = [KpiChange(tenant=tenant, kpis=kpis, at=now) for tenant, kpis in kpis_by_tenant.items()]
        if changes:
            await self._sender.send_all(CHANGES, [Message(change.tenant.encode(), encode(change)) for change in changes])


def touched(batch: Batch) -> dict[str, tuple[str, ...]]:
    """The KPIs that `batch` may have changed, by tenant."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for event in batch.events:
        kinds[event.tenant].add(kind_of(event.subject))
    for score in batch.scores:
        kinds[score.tenant].add(SCORE)
    return {tenant: kpis_of(found) for tenant, found in sorted(kinds.items())}

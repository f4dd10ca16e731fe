"""Publish on `kpi.changes` which KPIs a batch may have changed, so that live streams fetch the new numbers."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from services.metrics.domain.changes import KINDS, kind_of, kpis_of
from services.metrics.domain.measure import Kind
from services.metrics.store.writer import DecodedBatch
from shared.events import KpiChange, encode
from shared.kafka import OutgoingRecord
from shared.topics import CHANGES, Topic


class Sender(Protocol):
    """The part of a producer that an announcer needs."""

    async def send_all(self, topic: Topic, messages: list[OutgoingRecord]) -> object:
        """Send `messages` and wait until the broker has acknowledged them."""


class Announcer:
    """Publishes which KPIs of which tenants a batch may have changed, before the batch's offsets are committed.

    A batch that is applied again after a crash changes nothing but is announced again: the first announcement may not have been
    sent.
    """

    def __init__(self, sender: Sender, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._sender = sender
        self._clock = clock

    async def announce(self, batch: DecodedBatch) -> None:
        """Return when the broker has acknowledged the announcement. Raises Undelivered, a Retry, if it does not."""
        await self._send(changed_kpis(batch))

    async def announce_promotion(self, tenant: str) -> None:
        """Announce that another model was promoted. Raises Undelivered; live streams then notice at their next recheck."""
        await self._send({tenant: kpis_of({"score"})})

    async def announce_build(self, tenant: str) -> None:
        """Announce that all KPIs have the contributions of a build. Raises Undelivered; live streams notice at their recheck."""
        await self._send({tenant: kpis_of(KINDS)})

    async def _send(self, kpis_by_tenant: Mapping[str, tuple[str, ...]]) -> None:
        now = self._clock()
        changes = [KpiChange(tenant=tenant, kpis=kpis, at=now) for tenant, kpis in kpis_by_tenant.items()]
        if changes:
            await self._sender.send_all(CHANGES, [OutgoingRecord(change.tenant.encode(), encode(change)) for change in changes])


def changed_kpis(batch: DecodedBatch) -> dict[str, tuple[str, ...]]:
    """The ids of the KPIs that `batch` may have changed, by tenant."""
    kinds: defaultdict[str, set[Kind]] = defaultdict(set)
    for event in batch.events:
        kinds[event.tenant].add(kind_of(event.subject))
    for score in batch.scores:
        kinds[score.tenant].add("score")
    return {tenant: kpis_of(changed) for tenant, changed in sorted(kinds.items())}

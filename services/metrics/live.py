"""Announcing on `kpi.changes` what a batch touched, so that the live stream asks for the new numbers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from services.metrics.domain.kpis import KPIS
from services.metrics.store.writer import Batch
from shared.events import KpiChange, encode
from shared.kafka import Message
from shared.topics import CHANGES, Topic

COMMENTS = frozenset({"comments", "sentiment", "label"})
FEEDBACK = COMMENTS | {"nps", "csat", "ces", "stars", "responses"}
EVERYTHING = frozenset(family for kpi in KPIS.values() for family in kpi.announce)

OF_TICKETS = EVERYTHING - {"nps", "ces", "stars", "responses"}

TOUCHES: dict[str, frozenset[str]] = {"response": FEEDBACK, "review": FEEDBACK, "ticket": OF_TICKETS}
"""The families of measures that a statement may touch, by the type of its subject; whatever isn't listed may touch all."""


class Sender(Protocol):
    """What an announcer needs of a producer."""

    async def send_all(self, topic: Topic, messages: list[Message]) -> None: ...


class Announcer:
    """Tells `kpi.changes`, before offsets move, which KPIs of which tenants a batch touched.

    Changed or not: a batch that is done again after a crash finds nothing left to change, and must be announced all the same.
    """

    def __init__(self, sender: Sender, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._sender = sender
        self._clock = clock

    async def announce(self, batch: Batch) -> None:
        """Returns when the broker has it; raises Undelivered, a Retry, otherwise."""
        await self._send(touched(batch))

    async def announce_promotion(self, tenant: str) -> None:
        """Another model's scores count now. Raises Undelivered too; a live stream that isn't told looks again by itself."""
        await self._send({tenant: kpis_of(COMMENTS)})

    async def _send(self, moved: Mapping[str, tuple[str, ...]]) -> None:
        now = self._clock()
        changes = [KpiChange(tenant=tenant, kpis=kpis, at=now) for tenant, kpis in moved.items()]
        if changes:
            await self._sender.send_all(CHANGES, [Message(change.tenant.encode(), encode(change)) for change in changes])


def touched(batch: Batch) -> dict[str, tuple[str, ...]]:
    """The KPIs that `batch` may have moved, by tenant. By the subject's type rather than by its contributions, which a batch done
    again can't tell any more."""
    families: defaultdict[str, set[str]] = defaultdict(set)
    for event in batch.events:
        families[event.tenant] |= TOUCHES.get(subject_type(event.subject), EVERYTHING)
    for score in batch.scores:
        families[score.tenant] |= COMMENTS
    return {tenant: kpis_of(found) for tenant, found in sorted(families.items())}


def subject_type(subject: str) -> str:
    """The middle of `<connection>/<type>/<id>`."""
    return subject.split("/", 2)[1] if subject.count("/") > 1 else ""


def kpis_of(families: Iterable[str]) -> tuple[str, ...]:
    """The KPIs that any of these families of measures touches."""
    return tuple(sorted(kpi.id for kpi in KPIS.values() if not set(kpi.announce).isdisjoint(families)))

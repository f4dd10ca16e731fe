"""A subscription to live queries: remembers which states were sent, and returns newer ones without the steps between."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from services.gateway.domain.watch import combine
from services.gateway.live.query import LiveQuery, State


class Subscription:
    """One stream's view of its `queries`. `id` identifies the states that were sent."""

    def __init__(self, queries: Sequence[LiveQuery]) -> None:
        self.wake = asyncio.Event()
        self._queries = {query.kpi: query for query in queries}
        self._sent: dict[str, State] = {}
        """By KPI, the one sent longest ago first, so that a KPI that changes all the time doesn't starve another."""

    @property
    def id(self) -> str:
        """`<offset>-<fingerprint of the sent states>`. The fingerprint alone decides whether a client is up to date, also at
        another gateway or after a window has moved. The offset, in `kpi.changes`, is `x` while no change has been seen."""
        offset = max((state.offset for state in self._sent.values() if state.offset is not None), default="x")
        return f"{offset}-{combine([f'{kpi}={state.fingerprint}' for kpi, state in sorted(self._sent.items())])}"

    def snapshot(self) -> list[State]:
        """The newest state of each KPI, which then counts as sent."""
        self._sent = {kpi: query.state for kpi, query in self._queries.items()}
        return list(self._sent.values())

    async def next_change(self, max_wait: float) -> State | None:
        """The newest state of a KPI whose sent state is outdated; None if there is none within `max_wait` seconds."""
        if state := self._changed():
            return state
        self.wake.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), max_wait)
        return self._changed()

    def mark_sent(self, state: State) -> str:
        """Count `state` as sent; returns the new id."""
        del self._sent[state.kpi]
        self._sent[state.kpi] = state
        return self.id

    @property
    def closed(self) -> bool:
        """No further change will come."""
        return any(query.closed for query in self._queries.values())

    def _changed(self) -> State | None:
        pairs = ((sent, self._queries[kpi].state) for kpi, sent in self._sent.items())
        return next((state for sent, state in pairs if state.fingerprint != sent.fingerprint), None)

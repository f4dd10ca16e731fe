"""One who listens to a live stream: knows what it has been told, and learns what is newer, never the steps between."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from services.gateway.domain.watch import together
from services.gateway.live.cell import Cell, State


class Reader:
    """Watches `cells`. `id` names how far it has come: the offset in `kpi.changes`, and what it has been told."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.wake = asyncio.Event()
        self._cells = {cell.kpi: cell for cell in cells}
        self._told: dict[str, State] = {}
        """By KPI, the one told longest ago first, so that none is kept waiting by another that changes all the time."""

    @property
    def id(self) -> str:
        """`<offset>-<name of all that was told>`. The name alone says whether anything is newer, also at another gateway or after
        a window has moved; the offset is `x` while no change has been seen."""
        position = max((state.position for state in self._told.values() if state.position is not None), default="x")
        return f"{position}-{together([f'{kpi}={state.says}' for kpi, state in sorted(self._told.items())])}"

    def everything(self) -> list[State]:
        """The newest state of all, which then counts as told."""
        self._told = {kpi: cell.state for kpi, cell in self._cells.items()}
        return list(self._told.values())

    async def news(self, patience: float) -> State | None:
        """The newest state of a KPI that says something else than was told, waiting up to `patience` seconds for one."""
        if found := self._newer():
            return found
        self.wake.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), patience)
        return self._newer()

    def tell(self, state: State) -> str:
        """Count `state` as told; returns the id that says so."""
        del self._told[state.kpi]
        self._told[state.kpi] = state
        return self.id

    @property
    def over(self) -> bool:
        """Nothing new will come any more."""
        return any(cell.over for cell in self._cells.values())

    def _newer(self) -> State | None:
        states = ((told, self._cells[kpi].state) for kpi, told in self._told.items())
        return next((state for told, state in states if state.says != told.says), None)

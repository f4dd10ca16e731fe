"""One who listens to a live stream: knows what it has been told, and learns what is newer, never the steps between."""

import asyncio
from collections.abc import Sequence

from services.gateway.domain.watch import together
from services.gateway.live.cell import Cell, State


class Reader:
    """Watches `cells`. `id` names how far it has come: the offset in `kpi.changes`, and what it has been told."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.wake = asyncio.Event()
        self._cells = cells
        self._told: dict[str, State] = {}

    @property
    def id(self) -> str:
        """`<offset>-<name of all that was told>`. The name alone says whether anything is newer, also at another gateway or after
        a window has moved; the offset is `x` while no change has been seen."""
        position = max((state.position for state in self._told.values() if state.position is not None), default="x")
        return f"{position}-{together([f'{kpi}={state.says}' for kpi, state in sorted(self._told.items())])}"

    def everything(self) -> list[State]:
        """The newest state of all, which then counts as told."""
        self.wake.clear()
        for cell in self._cells:
            self._told[cell.kpi] = cell.state
        return list(self._told.values())

    async def news(self, patience: float) -> list[State]:
        """States that say something else than was told, waiting up to `patience` seconds for one."""
        try:
            await asyncio.wait_for(self.wake.wait(), patience)
        except TimeoutError:
            return []
        self.wake.clear()
        return [cell.state for cell in self._cells if cell.state.says != self._told[cell.kpi].says]

    def tell(self, state: State) -> str:
        """Count `state` as told; returns the id that says so."""
        self._told[state.kpi] = state
        return self.id

    @property
    def over(self) -> bool:
        return any(cell.over for cell in self._cells)

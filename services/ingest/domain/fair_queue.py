"""A bounded queue in which tenants take turns, so that one with many items does not make another wait."""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """First in, first out for each tenant; round-robin between tenants. A tenant may hold as much as is still free of `most`.

    Times are seconds of any steady clock.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._queues: dict[str, deque[tuple[float, Item]]] = {}
        self._turns: deque[str] = deque()
        """Every tenant that has items, once, the next one first."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, tenant: str, item: Item, now: float) -> bool:
        """Append an item, unless the tenant's share is full; whether it was appended."""
        queue = self._queues.get(tenant)
        if len(queue or ()) >= self._most - self._size:
            return False
        if queue is None:
            queue = self._queues[tenant] = deque()
            self._turns.append(tenant)
        queue.append((now, item))
        self._size += 1
        return True

    def take(self, most: int, admits: Callable[[str, Item], bool]) -> list[Item]:
        """Remove up to `most` items, one of each tenant in turn. A tenant whose next item isn't admitted keeps its items and has
        the first turn next time."""
        taken: list[Item] = []
        refused: list[str] = []
        while self._turns and len(taken) < most:
            tenant = self._turns.popleft()
            queue = self._queues[tenant]
            if not admits(tenant, queue[0][1]):
                refused.append(tenant)
                continue
            taken.append(queue.popleft()[1])
            self._keep_turn(tenant, queue)
        self._turns.extendleft(reversed(refused))
        self._size -= len(taken)
        return taken

    def drop_older(self, than: float) -> int:
        """Drop every item that was put before `than`; how many."""
        dropped = 0
        for _ in range(len(self._turns)):
            tenant = self._turns.popleft()
            queue = self._queues[tenant]
            while queue and queue[0][0] < than:
                queue.popleft()
                dropped += 1
            self._keep_turn(tenant, queue)
        self._size -= dropped
        return dropped

    def clear(self) -> None:
        self._queues.clear()
        self._turns.clear()
        self._size = 0

    def _keep_turn(self, tenant: str, queue: deque[tuple[float, Item]]) -> None:
        if queue:
            self._turns.append(tenant)
        else:
            del self._queues[tenant]

"""A bounded queue in which tenants take turns, so a tenant with many items does not delay the others."""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class RoundRobinQueue(Generic[Item]):
    """First in, first out for each tenant; round-robin between tenants. A tenant may hold as many items as are still free of
    `limit`.

    Times are seconds of any monotonic clock.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queues: dict[str, deque[tuple[float, Item]]] = {}
        self._turns: deque[str] = deque()
        """Every tenant that has items, once, the next one first."""
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, tenant: str, item: Item, now: float) -> bool:
        """Append an item. False if the tenant's share is full."""
        queue = self._queues.get(tenant)
        if len(queue or ()) >= self._limit - self._size:
            return False
        if queue is None:
            queue = self._queues[tenant] = deque()
            self._turns.append(tenant)
        queue.append((now, item))
        self._size += 1
        return True

    def take(self, limit: int, admits: Callable[[str, Item], bool]) -> list[Item]:
        """Remove up to `limit` items, one of each tenant in turn. A tenant whose next item isn't admitted keeps its items and has
        the first turn at the next call."""
        items: list[Item] = []
        refused: list[str] = []
        while self._turns and len(items) < limit:
            tenant = self._turns.popleft()
            queue = self._queues[tenant]
            if not admits(tenant, queue[0][1]):
                refused.append(tenant)
                continue
            items.append(queue.popleft()[1])
            self._end_turn(tenant, queue)
        self._turns.extendleft(reversed(refused))
        self._size -= len(items)
        return items

    def drop_older(self, than: float) -> int:
        """Drop every item that was put before `than`. Returns their number."""
        dropped = 0
        for _ in range(len(self._turns)):
            tenant = self._turns.popleft()
            queue = self._queues[tenant]
            while queue and queue[0][0] < than:
                queue.popleft()
                dropped += 1
            self._end_turn(tenant, queue)
        self._size -= dropped
        return dropped

    def clear(self) -> None:
        """Remove all items."""
        self._queues.clear()
        self._turns.clear()
        self._size = 0

    def _end_turn(self, tenant: str, queue: deque[tuple[float, Item]]) -> None:
        """Move the tenant to the end of the round, or remove it if it has no items left."""
        if queue:
            self._turns.append(tenant)
        else:
            del self._queues[tenant]

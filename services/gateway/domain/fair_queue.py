"""A queue that serves tenants in rotation, so that one who waits for much does not keep another waiting."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

Lines = tuple[OrderedDict[T, None], OrderedDict[T, None]]
"""The waiting items of one key, in their order: those that go first, and the others."""


class FairQueue(Generic[T]):
    """Items by tenant and key. Tenants take turns, a tenant's keys take turns, and of one key's items those that are `first` go
    before the others; else the oldest goes. Every operation takes constant time, but for tenants that `pop` is told to skip."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, OrderedDict[str, Lines[T]]] = OrderedDict()

    def push(self, tenant: str, key: str, item: T, *, first: bool = False) -> None:
        """Append an item, which must be hashable and not in the queue."""
        keys = self._tenants.setdefault(tenant, OrderedDict())
        lines = keys.setdefault(key, (OrderedDict(), OrderedDict()))
        lines[0 if first else 1][item] = None

    def pop(self, may: Callable[[str], bool] = lambda tenant: True) -> tuple[str, T] | None:
        """Take the next item of a tenant for which `may` is true, with its tenant; None where there is none."""
        tenant = next((tenant for tenant in self._tenants if may(tenant)), None)
        if tenant is None:
            return None
        key, lines = next(iter(self._tenants[tenant].items()))
        item = next(iter(lines[0] or lines[1]))
        self._drop(tenant, key, item)
        if key in self._tenants.get(tenant, ()):
            self._tenants[tenant].move_to_end(key)
        if tenant in self._tenants:
            self._tenants.move_to_end(tenant)
        return tenant, item

    def remove(self, tenant: str, key: str, item: T) -> None:
        """Take an item out that no longer waits; nothing happens where it is not in the queue."""
        if key in self._tenants.get(tenant, ()):
            self._drop(tenant, key, item)

    def _drop(self, tenant: str, key: str, item: T) -> None:
        keys = self._tenants[tenant]
        for line in keys[key]:
            line.pop(item, None)
        if not any(keys[key]):
            del keys[key]
        if not keys:
            del self._tenants[tenant]

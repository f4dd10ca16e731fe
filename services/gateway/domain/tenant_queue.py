"""A queue that serves tenants round-robin, so that a tenant with many items delays only itself."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

Lanes = tuple[OrderedDict[T, None], OrderedDict[T, None]]
"""The items of one key, oldest first: the urgent ones, and the others."""


class TenantQueue(Generic[T]):
    """Items by tenant and key. Tenants are served round-robin, and so are the keys of a tenant; of a key's items the urgent ones
    first, and the oldest of them. Operations take constant time, except that `pop` steps over tenants that aren't eligible."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, OrderedDict[str, Lanes[T]]] = OrderedDict()

    def push(self, tenant: str, key: str, item: T, *, urgent: bool = False) -> None:
        """Append an item, which must be hashable and not in the queue."""
        keys = self._tenants.setdefault(tenant, OrderedDict())
        lanes = keys.setdefault(key, (OrderedDict(), OrderedDict()))
        lanes[0 if urgent else 1][item] = None

    def pop(self, eligible: Callable[[str], bool] = lambda tenant: True) -> tuple[str, T] | None:
        """Remove the next item of an eligible tenant and return it with its tenant; None if there is none."""
        tenant = next((tenant for tenant in self._tenants if eligible(tenant)), None)
        if tenant is None:
            return None
        key, lanes = next(iter(self._tenants[tenant].items()))
        item = next(iter(lanes[0] or lanes[1]))
        self._drop(tenant, key, item)
        if key in self._tenants.get(tenant, ()):
            self._tenants[tenant].move_to_end(key)
        if tenant in self._tenants:
            self._tenants.move_to_end(tenant)
        return tenant, item

    def remove(self, tenant: str, key: str, item: T) -> None:
        """Remove an item, if it is in the queue."""
        if key in self._tenants.get(tenant, ()):
            self._drop(tenant, key, item)

    def _drop(self, tenant: str, key: str, item: T) -> None:
        keys = self._tenants[tenant]
        for lane in keys[key]:
            lane.pop(item, None)
        if not any(keys[key]):
            del keys[key]
        if not keys:
            del self._tenants[tenant]

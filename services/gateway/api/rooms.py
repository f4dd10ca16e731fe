"""Memory for request bodies: how many bytes a tenant, and all tenants together, may have in progress in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shared.problems import Problem, TooManyRequests, Unavailable

RETRY = 2
"""Seconds until a client should try again."""


class Rooms:
    """The bytes of all bodies that are being read or passed on."""

    def __init__(self, total: int, per_tenant: int) -> None:
        self._total = total
        self._per_tenant = per_tenant
        self._taken: Counter[str] = Counter()

    @contextmanager
    def room(self, tenant: str) -> Iterator["Room"]:
        """Space for one body of the tenant, given back at the end."""
        room = Room(self, tenant)
        try:
            yield room
        finally:
            self._taken[tenant] -= room.taken
            if not self._taken[tenant]:
                del self._taken[tenant]

    def take(self, tenant: str, size: int) -> Problem | None:
        """Count `size` more bytes; returns the Problem where there is no space for them."""
        if self._taken[tenant] + size > self._per_tenant:
            detail = f"the bodies of this tenant's requests in progress have more than {self._per_tenant} bytes"
            return TooManyRequests(detail, headers={"Retry-After": str(RETRY)})
        if self._taken.total() + size > self._total:
            return Unavailable("too many large requests are in progress", retry_after=RETRY)
        self._taken[tenant] += size
        return None


class Room:
    """The space of one body."""

    def __init__(self, rooms: Rooms, tenant: str) -> None:
        self._rooms = rooms
        self._tenant = tenant
        self.taken = 0

    def take(self, size: int) -> Problem | None:
        """Count `size` more bytes; returns the Problem where there is no space for them."""
        refusal = self._rooms.take(self._tenant, size)
        if refusal is None:
            self.taken += size
        return refusal

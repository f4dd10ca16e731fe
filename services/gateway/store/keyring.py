"""API keys as the doors look them up: remembered for a moment, one look-up at a time for each."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from services.gateway.domain.keys import Key

CAPACITY = 10_000

Find = Callable[[bytes], Awaitable[Key | None]]


class KeyRing:
    """Remembers each answer of `find` for `seconds`, unknown keys too, so that neither a flood of calls nor of guesses reaches
    the database whole. A revocation is therefore heard within `seconds`. Failures are not remembered."""

    def __init__(self, find: Find, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, asyncio.Future[Key | None]]] = OrderedDict()

    async def look_up(self, digest: bytes) -> Key | None:
        """The key of this hash, as it was at most `seconds` ago."""
        until, lookup = self._known.get(digest, (0.0, None))
        if lookup is None or self._clock() >= until:
            lookup = asyncio.ensure_future(self._find(digest))
            self._remember(digest, lookup)
        try:
            return await asyncio.shield(lookup)
        except Exception:
            if self._known.get(digest, (0.0, None))[1] is lookup:
                del self._known[digest]
            raise

    def _remember(self, digest: bytes, lookup: "asyncio.Future[Key | None]") -> None:
        self._known[digest] = (self._clock() + self._seconds, lookup)
        self._known.move_to_end(digest)
        while len(self._known) > CAPACITY:
            self._known.popitem(last=False)

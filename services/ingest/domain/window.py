"""Bounds how much of the outbox may be under way to one consumer group, and shares it between tenants.

Kafka delivers records in the order of publishing, so a flood would delay everything published after it. The outbox can be read in
any order. So only a window is published: about as much as the group processes in half a second. The rest waits in the outbox.

Units measure the group's work: events, or characters of comments. Times are seconds of any monotonic clock.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct

BACKLOG = ""
"""The holder of everything that is published from the outbox's table, whatever its tenant. No tenant has this id."""

SECONDS = 0.5
"""Seconds of the group's work that the window holds, at the group's speed of the last SPEED_OVER seconds."""
SPEED_OVER = 3.0
FORGET_AFTER = 20.0
"""Seconds after which a unit no longer counts as under way, committed or not. So a group that is down slows publishing down to
a window every 20 seconds, and never stops it."""
UNLIMITED = 1_000_000


class Sent(Struct, frozen=True):
    """One record under way: its offset, the holder of its units, and the time of publishing."""

    offset: int
    holder: str
    units: int
    at: float


class Window:
    """The window of one consumer group. Units are taken before publishing, and freed when the group has committed them.

    A tenant may hold as much as is still free (Choudhury and Hahne 1998, dynamic thresholds): a flood gets half of the window,
    and there is always room for another tenant. A tenant that holds nothing may always publish one event. The backlog in the
    table may hold half.

    The window is open, without any limit, while the group's offsets are unknown: it has never run, or Kafka does not answer.
    """

    def __init__(self, min_units: int) -> None:
        """`min_units`: the smallest window, for a group that is slow or was idle."""
        self._min_units = min_units
        self._is_open = True
        self._held: Counter[str] = Counter()
        self.held = 0
        """Units under way."""
        self._sent: defaultdict[int, deque[Sent]] = defaultdict(deque)
        self._done: deque[tuple[float, int]] = deque()
        self.limit = min_units

    @property
    def partitions(self) -> set[int]:
        """The partitions that have records under way."""
        return {partition for partition, sent in self._sent.items() if sent}

    def admits(self, holder: str, units: int) -> bool:
        """Whether `units` more may be published now for `holder`: a tenant's live events, or the backlog."""
        return self._is_open or self._held[holder] == 0 or units <= self._room(holder)

    def backlog_room(self) -> int:
        """Units of the backlog that may be published now; 0 while so few are free that a claim isn't worth its cost."""
        if self._is_open:
            return UNLIMITED
        room = self._room(BACKLOG)
        return room if room >= self.limit // 8 else 0

    def _room(self, holder: str) -> int:
        own = self._held[holder]
        return self.limit // 2 - own if holder == BACKLOG else self.limit - self.held - own

    def take(self, holder: str, units: int) -> None:
        """Count units as under way, before they are published."""
        self._held[holder] += units
        self.held += units

    def give_back(self, holder: str, units: int) -> None:
        """Undo `take` for units that were not published, or whose position is unknown."""
        self._held[holder] -= units
        self.held -= units
        if self._held[holder] <= 0:
            del self._held[holder]

    @contextmanager
    def reserved(self, holder: str, units: int) -> Iterator[None]:
        """Hold `units` until it is known how many are taken, so that two claims at a time don't both use the same room."""
        self.take(holder, units)
        try:
            yield
        finally:
            self.give_back(holder, units)

    def sent(self, partition: int, offset: int, holder: str, units: int, now: float) -> None:
        """Note that units that were taken are in Kafka, in the record at `offset`."""
        if self._is_open:
            self.give_back(holder, units)
        else:
            self._sent[partition].append(Sent(offset, holder, units, now))

    def committed(self, offsets: Mapping[int, int] | None, now: float) -> None:
        """Free the units that the group has committed. `offsets`: the next offset to read by partition. None: unknown, which
        opens the window."""
        self._is_open = offsets is None
        for partition, sent in self._sent.items():
            upto = (offsets or {}).get(partition, -1)
            done = 0
            while sent and (self._is_open or sent[0].offset < upto or sent[0].at <= now - FORGET_AFTER):
                first = sent.popleft()
                self.give_back(first.holder, first.units)
                done += first.units if first.offset < upto else 0
            if done:
                self._done.append((now, done))
        while self._done and self._done[0][0] <= now - SPEED_OVER:
            self._done.popleft()
        self.limit = max(self._min_units, int(sum(units for _, units in self._done) / SPEED_OVER * SECONDS))

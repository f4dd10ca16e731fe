"""Limits how often an event is logged, so that a flood of deliveries does not become a flood of lines."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

LINES = 5
"""Lines of one kind in a window."""
WINDOW_SECONDS = 60.0
MOST_KINDS = 10_000

Kind = tuple[str | None, int]
"""Lines about one connection (or tenant, if there is none) with one HTTP status."""


@dataclass(slots=True)
class _Window:
    ends: float
    lines: int = 0
    suppressed: int = 0


class LogLimit:
    """At most LINES lines of one kind in WINDOW_SECONDS; the others are counted. Times are seconds of any clock."""

    def __init__(self) -> None:
        self._windows: OrderedDict[Kind, _Window] = OrderedDict()

    def admits(self, kind: Kind, now: float) -> bool:
        """Whether a line of this kind may be logged now."""
        window = self._windows.get(kind)
        if window is None:
            window = self._windows[kind] = _Window(now + WINDOW_SECONDS)
            if len(self._windows) > MOST_KINDS:
                self._windows.popitem(last=False)
        if window.lines < LINES:
            window.lines += 1
            return True
        window.suppressed += 1
        return False

    def ended(self, now: float, every: bool = False) -> Iterator[tuple[Kind, int]]:
        """Remove the windows that have ended, or `every` one. Returns (kind, suppressed lines) of those with suppressed lines."""
        for kind in [kind for kind, window in self._windows.items() if every or window.ends <= now]:
            if suppressed := self._windows.pop(kind).suppressed:
                yield kind, suppressed

"""The statuses of a ticket over time: its solves and reopenings, and how long it was in each.

A ticket is unsolved from its opening until a status is solved or closed. A status before the opening (clocks differ, and some
tools round the opening alone) is the initial status, unless another status has the very time of the opening.

Some tools write times without seconds. A status in the minute of the opening, as such a tool writes it, is taken as a status at
the opening: it can't be earlier.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from services.metrics.domain.facts import STATUS_ORDER, to_minute
from shared.events import Status

SOLVED = STATUS_ORDER["solved"]
NAMES: tuple[Status, ...] = tuple(STATUS_ORDER)
SECOND = timedelta(seconds=1)

Statuses = Mapping[datetime, Sequence[Status]]
"""For each time, the statuses in the order in which the ticket had them."""

Change = tuple[datetime, int]
"""The time of a status, and its rank in STATUS_ORDER."""

Period = tuple[datetime, datetime | None]
"""Half-open; None: it has not ended."""

UNSOLVED = NAMES[:SOLVED]
"""The statuses of a ticket that is neither solved nor closed."""


class Solve(NamedTuple):
    """A change from an unsolved status to solved or closed.

    `at` is when it counts. `seconds` are the whole seconds from the opening to it, negative if it is stated as earlier.
    """

    at: datetime
    seconds: int


class Transitions(NamedTuple):
    """Solves and reopenings. They alternate, and the first one is a solve."""

    solves: tuple[Solve, ...]
    reopenings: tuple[datetime, ...]

    @property
    def current(self) -> Solve | None:
        """The solve that no reopening followed."""
        return self.solves[-1] if len(self.solves) > len(self.reopenings) else None

    def unsolved(self, opened: datetime) -> tuple[Period, ...]:
        """The periods in which the ticket was neither solved nor closed."""
        ends = (*(solve.at for solve in self.solves), None)
        return tuple(zip((opened, *self.reopenings), ends, strict=False))  # the last start may have no end


class StatusPeriod(NamedTuple):
    """[start, end) in which a ticket had one status. `end`: None while it has it."""

    start: datetime
    end: datetime | None
    status: Status


def transitions(opened: datetime, changes: Iterable[Change]) -> Transitions:
    """The solves and reopenings of a ticket with these changes of its status (`since_opening`)."""
    solves: list[Solve] = []
    reopenings: list[datetime] = []
    solved = False
    for at, rank in changes:
        if (rank >= SOLVED) is not solved:
            solved = not solved
            if solved:
                solves.append(Solve(max(at, opened), (at - opened) // SECOND))
            else:
                reopenings.append(at)
    return Transitions(tuple(solves), tuple(reopenings))


def status_periods(opened: datetime, changes: Iterable[Change]) -> tuple[StatusPeriod, ...]:
    """The statuses of a ticket from its opening on, each until the next one. A ticket is new until its first status."""
    starts = [(max(at, opened), rank) for at, rank in changes]
    if not starts or starts[0][0] > opened:
        starts.insert(0, (opened, 0))
    ended = [StatusPeriod(start, end, NAMES[rank]) for (start, rank), (end, _) in pairwise(starts) if start < end]
    return (*ended, StatusPeriod(starts[-1][0], None, NAMES[starts[-1][1]]))


def since_opening(opened: datetime, statuses: Statuses) -> list[Change]:
    """The statuses in order, each with its rank in STATUS_ORDER. Of those before the opening the last at most."""
    ordered = sorted(_ranked(opened, statuses), key=_by_time_new_first)
    early = sum(at < opened for at, _ in ordered)
    if early and early < len(ordered) and ordered[early][0] == opened:
        return ordered[early:]
    return ordered[max(early - 1, 0) :]


def _ranked(opened: datetime, statuses: Statuses) -> Iterable[Change]:
    minute = to_minute(opened)
    for at in sorted(statuses):
        for status in statuses[at]:
            yield (opened if at == minute else at), STATUS_ORDER[status]


def _by_time_new_first(status: Change) -> tuple[datetime, bool]:
    """Sort by time. Of one time `new` comes first, since no ticket returns to it; the others keep their order."""
    return status[0], status[1] != STATUS_ORDER["new"]

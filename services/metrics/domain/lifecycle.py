"""A ticket's way through its statuses: when it was solved and reopened, and when it was dropped.

A ticket is unsolved from its opening until a status says otherwise. A status of a time before the opening (clocks differ, and
some tools round the opening only) is what the ticket opened with, unless there is one of the very time of the opening.

Some tools state times without seconds. A status of the minute of the opening, as such a tool writes it, is one of the opening's
time: it can't have come before.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.events import Status

LIFE: dict[Status, int] = {"new": 0, "open": 1, "pending": 2, "on_hold": 3, "solved": 4, "closed": 5}
"""The statuses in the order of a ticket's life. It orders the statuses that one statement has of one time."""

SOLVED = LIFE["solved"]
SECOND = timedelta(seconds=1)


class Solve(NamedTuple):
    """A passage to solved or closed: when it counts, and the whole seconds from the opening to it as stated (below 0: before)."""

    at: datetime
    after: int


class Passages(NamedTuple):
    """The passages to solved and back, by turns, beginning with a solve."""

    solves: tuple[Solve, ...]
    reopenings: tuple[datetime, ...]

    @property
    def standing(self) -> Solve | None:
        """The solve that no reopening undid."""
        return self.solves[-1] if len(self.solves) > len(self.reopenings) else None


def minute_of(at: datetime) -> datetime:
    """The time as a tool writes it that leaves out seconds."""
    return at.replace(second=0, microsecond=0)


def passages(opened: datetime, statuses: Mapping[datetime, Sequence[Status]]) -> Passages:
    """The passages of a ticket opened then. `statuses` has those of each time, in the order in which the ticket had them."""
    solves: list[Solve] = []
    reopenings: list[datetime] = []
    solved = False
    for at, rank in since_opening(opened, statuses):
        if (rank >= SOLVED) is not solved:
            solved = not solved
            if solved:
                solves.append(Solve(max(at, opened), (at - opened) // SECOND))
            else:
                reopenings.append(at)
    return Passages(tuple(solves), tuple(reopenings))


def since_opening(opened: datetime, statuses: Mapping[datetime, Sequence[Status]]) -> list[tuple[datetime, int]]:
    """The statuses by time, each with its rank in LIFE; of those before the opening the last at most."""
    ordered = sorted(_timed(opened, statuses), key=_time_and_newness)
    early = sum(at < opened for at, _ in ordered)
    if early and early < len(ordered) and ordered[early][0] == opened:
        return ordered[early:]
    return ordered[max(early - 1, 0) :]


def _timed(opened: datetime, statuses: Mapping[datetime, Sequence[Status]]) -> Iterable[tuple[datetime, int]]:
    for at in sorted(statuses):
        for status in statuses[at]:
            yield (opened if at == minute_of(opened) else at), LIFE[status]


def _time_and_newness(status: tuple[datetime, int]) -> tuple[datetime, bool]:
    """Sorts by time; of one time `new` comes first, since no ticket returns to it, and the others keep their order."""
    return status[0], status[1] != LIFE["new"]


def dropped(drops: Mapping[tuple[datetime, str], bool]) -> datetime | None:
    """Since when a ticket has been merged, spam or deleted without a break; None where all of it was taken back."""
    since: datetime | None = None
    standing: set[str] = set()
    for (at, kind), holds in sorted(drops.items(), key=lambda drop: (drop[0][0], not drop[1])):
        if holds:
            standing.add(kind)
            since = since or at
        else:
            standing.discard(kind)
            since = since if standing else None
    return since

"""Who held a ticket when: the assignments of one dimension, in the order of time."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Holders:
    """The instants at which a holder (a team, an agent, or nobody) took over, and who it was."""

    since: tuple[datetime, ...] = ()
    names: tuple[str | None, ...] = ()

    def at(self, instant: datetime) -> str | None:
        """The last assigned at or before the instant; before the first, the first ever; None where nobody ever was."""
        if not self.names:
            return None
        return self.names[max(bisect_right(self.since, instant) - 1, 0)]


NOBODY = Holders()


def holders(assigned: Mapping[datetime, str | None]) -> Holders:
    """The holders that these assignments make."""
    if not assigned:
        return NOBODY
    since = tuple(sorted(assigned))
    return Holders(since, tuple(assigned[instant] for instant in since))

"""How far each partition has come, and what is committed of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.kafka.records import Place, Record, by_place, received_at


class Commit(NamedTuple):
    """The next offset to read, and the receipt time reached, which is where a replay begins should the offset be lost."""

    offset: int
    metadata: str


def reached(records: Sequence[Record]) -> str:
    """The least receipt time in the headers of `records`: a replay from it brings back all that is published after them."""
    times: list[datetime] = [at for record in records if (at := received_at(record.headers))]
    return min(times).isoformat() if times else ""


class Progress:
    """Commits that are due. An outage leaves them due; a rebalance takes them away."""

    def __init__(self) -> None:
        self.due: dict[Place, Commit] = {}

    def done(self, records: Sequence[Record]) -> None:
        """The effects of `records` are durable."""
        for place, own in by_place(records).items():
            self.due[place] = Commit(own[-1].offset + 1, reached(own))

    def committed(self, commits: Mapping[Place, Commit]) -> None:
        for place, commit in commits.items():
            if self.due.get(place) == commit:
                del self.due[place]

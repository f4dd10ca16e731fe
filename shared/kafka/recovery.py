"""Where a partition starts when its group has no usable offset."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.kafka import clients
from shared.kafka.progress import Commit
from shared.kafka.records import Place, instant

MARGIN = timedelta(minutes=5)
"""How much earlier than the receipt time reached a replay begins: records are published only roughly in the order of receipt."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a partition begins to read: what to commit of it, where it stood before, and whether records were deleted unread."""

    commit: Commit
    stood: int
    lost: bool


def start(position: int | None, committed: Commit | None, beginning: int, end: int) -> Start | None:
    """None for a client whose position lies within the log. Else a new group starts at the beginning, one whose commit has gone
    out of the log likewise, any other at its commit.

    A beginning above 0 means that records were deleted before a group without a commit had read them: lost as well.
    """
    if position is not None and beginning <= position <= end:
        return None
    if committed is None:
        return Start(Commit(beginning, ""), 0, lost=beginning > 0)
    if beginning <= committed.offset <= end:
        return Start(committed, committed.offset, lost=False)
    return Start(Commit(beginning, committed.metadata), committed.offset, lost=True)


def since(lost: Iterable[Start]) -> datetime | None:
    """The receipt time from which a replay brings back all that was lost; None: everything."""
    times = [instant(start.commit.metadata) for start in lost]
    known = [at for at in times if at is not None]
    return min(known) - MARGIN if known and len(known) == len(times) else None


async def starts(
    client: AIOKafkaConsumer, bootstrap: str, group: str, positions: Mapping[Place, int | None]
) -> dict[Place, Start]:
    """The partitions among `positions` that have to be started anew, by what the broker tells of them."""
    partitions = [TopicPartition(*place) for place in positions]
    async with clients.admin(bootstrap) as admin:
        stored = await admin.list_consumer_group_offsets(group, partitions=partitions)
    if stored.keys() != set(partitions):  # an error of the whole group comes as an empty answer, which is not "never committed"
        raise KafkaError("the group's offsets can't be told now")
    beginnings = await client.beginning_offsets(partitions)
    ends = await client.end_offsets(partitions)
    committed = {tp: Commit(at.offset, at.metadata) for tp, at in stored.items() if at.offset >= 0}
    found = {Place(*tp): start(positions[Place(*tp)], committed.get(tp), beginnings[tp], ends[tp]) for tp in partitions}
    return {place: begins for place, begins in found.items() if begins is not None}

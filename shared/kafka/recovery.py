"""Where a partition starts when its group has no usable offset."""

from collections.abc import Collection, Iterable, Mapping
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


def starts(committed: Mapping[Place, Commit], beginnings: Mapping[Place, int], ends: Mapping[Place, int]) -> dict[Place, Start]:
    """A new group starts at the beginning, one whose offset has gone too, one that stands within its log where it stands.

    A beginning above 0 means that records were deleted before a group without a commit had read them: lost as well.
    """
    found: dict[Place, Start] = {}
    for place, beginning in beginnings.items():
        stood = committed.get(place)
        if stood is None:
            found[place] = Start(Commit(beginning, ""), 0, lost=beginning > 0)
        elif beginning <= stood.offset <= ends[place]:
            found[place] = Start(stood, stood.offset, lost=False)
        else:
            found[place] = Start(Commit(beginning, stood.metadata), stood.offset, lost=True)
    return found


def since(lost: Iterable[Start]) -> datetime | None:
    """The receipt time from which a replay brings back all that was lost; None: everything."""
    times = [instant(start.commit.metadata) for start in lost]
    known = [at for at in times if at is not None]
    return min(known) - MARGIN if known and len(known) == len(times) else None


async def look_up(client: AIOKafkaConsumer, bootstrap: str, group: str, places: Collection[Place]) -> dict[Place, Start]:
    """`starts` of these partitions, asked of the broker."""
    partitions = [TopicPartition(*place) for place in places]
    async with clients.admin(bootstrap) as admin:
        stored = await admin.list_consumer_group_offsets(group, partitions=partitions)
    if stored.keys() != set(partitions):  # an error of the whole group comes as an empty answer, which is not "never committed"
        raise KafkaError("the group's offsets can't be told now")
    beginnings = await client.beginning_offsets(partitions)
    ends = await client.end_offsets(partitions)
    committed = {Place(*tp): Commit(at.offset, at.metadata) for tp, at in stored.items() if at.offset >= 0}
    return starts(committed, {Place(*tp): o for tp, o in beginnings.items()}, {Place(*tp): o for tp, o in ends.items()})

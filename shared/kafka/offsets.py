"""The offsets of one client: commits that are due, paused partitions, and the start of a partition without a valid offset."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared import instruments
from shared.kafka import clients
from shared.kafka.connection import Bootstrap
from shared.kafka.job import Job
from shared.kafka.records import Place, Record, Retry, by_place, parse_instant, received_at

log = structlog.get_logger()

REPLAY_MARGIN = timedelta(minutes=5)
"""A replay starts this much before the receipt time of the commit: records are published only roughly in the order of receipt."""


class Commit(NamedTuple):
    """The next offset to read and, as metadata, the receipt time from which a replay starts if the offset is lost."""

    offset: int
    metadata: str


def earliest_receipt(records: Sequence[Record]) -> str:
    """The earliest receipt time in the headers of `records`: a replay from it repeats everything published after them."""
    times: list[datetime] = [at for record in records if (at := received_at(record.headers))]
    return min(times).isoformat() if times else ""


class Progress:
    """Commits that are due, by partition. They stay due during an outage; a rebalance clears them."""

    def __init__(self) -> None:
        self.due: dict[Place, Commit] = {}

    def done(self, records: Sequence[Record]) -> None:
        """Note that the effects of `records` are durable."""
        for place, own in by_place(records).items():
            self.due[place] = Commit(own[-1].offset + 1, earliest_receipt(own))

    def committed(self, commits: Mapping[Place, Commit]) -> None:
        """Remove `commits`, except where a newer commit is due by now."""
        for place, commit in commits.items():
            if self.due.get(place) == commit:
                del self.due[place]


@dataclass(frozen=True, slots=True)
class Start:
    """Where a partition starts to read: the commit to make, the offset before it, and whether records were deleted unread."""

    commit: Commit
    previous: int
    lost: bool


def start_of(position: int | None, committed: Commit | None, beginning: int, end: int) -> Start | None:
    """Where a partition starts whose log holds the offsets from `beginning` to `end`; None if its position is valid.

    At its commit if that lies within the log, else at the beginning. Without a commit, a beginning above 0 means that records
    were deleted before the group had read them: they are lost as well.
    """
    if position is not None and beginning <= position <= end:
        return None
    if committed is None:
        return Start(Commit(beginning, ""), 0, lost=beginning > 0)
    if beginning <= committed.offset <= end:
        return Start(committed, committed.offset, lost=False)
    return Start(Commit(beginning, committed.metadata), committed.offset, lost=True)


def replay_since(lost: Iterable[Start]) -> datetime | None:
    """The receipt time from which a replay repeats everything that was lost; None: everything."""
    times = [parse_instant(start.commit.metadata) for start in lost]
    known = [at for at in times if at is not None]
    return min(known) - REPLAY_MARGIN if known and len(known) == len(times) else None


async def load_starts(
    client: AIOKafkaConsumer, bootstrap: Bootstrap, group: str, positions: Mapping[Place, int | None]
) -> dict[Place, Start]:
    """The start of each partition in `positions` whose position is not valid, from the broker's offsets."""
    partitions = [TopicPartition(*place) for place in positions]
    async with clients.admin(bootstrap) as admin:
        stored = await admin.list_consumer_group_offsets(group, partitions=partitions)
    if stored.keys() != set(partitions):  # aiokafka returns nothing for an error of the whole group, as for "never committed"
        raise KafkaError("the committed offsets of the group are unavailable")
    beginnings = await client.beginning_offsets(partitions)
    ends = await client.end_offsets(partitions)
    committed = {tp: Commit(at.offset, at.metadata) for tp, at in stored.items() if at.offset >= 0}
    starts = {Place(*tp): start_of(positions[Place(*tp)], committed.get(tp), beginnings[tp], ends[tp]) for tp in partitions}
    return {place: start for place, start in starts.items() if start is not None}


class Offsets:
    """Moves the positions of a client and commits them."""

    def __init__(self, job: Job, client: AIOKafkaConsumer) -> None:
        self._job = job
        self._client = client
        self._progress = Progress()
        self.paused: dict[Place, float] = {}
        """Partitions that a Retry paused, and until when (time.monotonic())."""

    def reset(self) -> None:
        """Forget everything: after a rebalance, partitions start at their commits."""
        self._progress.due.clear()
        self.paused.clear()

    def done(self, records: Sequence[Record]) -> None:
        """Note that the effects of `records` are durable."""
        self._progress.done(records)

    async def commit(self) -> None:
        """Commit what is due. A commit that fails stays due, unless a rebalance gave its partition to another member."""
        due = dict(self._progress.due)
        if not due:
            return
        try:
            with clients.contain_cancellations():
                async with asyncio.timeout(self._job.timing.commit):
                    await self._client.commit({TopicPartition(*place): tuple(commit) for place, commit in due.items()})
        except (CommitFailedError, IllegalStateError):
            self._progress.due.clear()
            instruments.COMMITS_LOST.labels(self._job.group).inc()
            log.info("kafka.commit.rebalanced", group=self._job.group)
        except (KafkaError, OSError, TimeoutError) as error:
            instruments.COMMITS_LOST.labels(self._job.group).inc()
            log.warning("kafka.commit.failed", group=self._job.group, error=type(error).__name__)
        else:
            self._progress.committed(due)

    def rewind(self, records: Sequence[Record], delay: float) -> None:
        """Read `records` again after `delay` seconds. Other partitions go on."""
        for place, own in by_place(records).items():
            self._pause(place, own[0].offset, delay)

    def resume(self) -> None:
        """Resume the partitions whose pause is over."""
        for place in [place for place, until in self.paused.items() if until <= time.monotonic()]:
            del self.paused[place]
            self._client.resume(TopicPartition(*place))

    async def recover(self) -> None:
        """Give every partition without a valid position a start. Requests a replay for those whose records were lost."""
        await self.commit()
        positions = {place: at for place, at in clients.positions(self._client).items() if place not in self.paused}
        with clients.client_errors():
            async with asyncio.timeout(self._job.timing.commit):
                starts = await load_starts(self._client, self._job.bootstrap, self._job.group, positions)
        lost = {place: start for place, start in starts.items() if start.lost}
        try:
            await self._request_replay(lost)
        except Retry as retry:
            log.warning("kafka.replay.refused", group=self._job.group, reason=retry.reason)
            for place, start in lost.items():
                self._pause(place, start.previous, retry.delay)
                del starts[place]
        for place, start in starts.items():
            self._seek(place, start.commit)
        await self.commit()

    async def _request_replay(self, lost: Mapping[Place, Start]) -> None:
        if not lost:
            return
        since = replay_since(lost.values())
        instruments.OFFSETS_LOST.labels(self._job.group).inc(len(lost))
        log.error("kafka.offsets.lost", group=self._job.group, partitions=len(lost), since=since and since.isoformat())
        if self._job.replay is not None:
            await self._job.replay(since)

    def _seek(self, place: Place, commit: Commit) -> None:
        try:
            self._client.seek(TopicPartition(*place), commit.offset)
        except IllegalStateError:
            return
        # Committed at once: without a commit, a partition whose first records expire unread would count as lost.
        self._progress.due[place] = commit

    def _pause(self, place: Place, offset: int, delay: float) -> None:
        try:
            self._client.seek(TopicPartition(*place), offset)
            self._client.pause(TopicPartition(*place))
        except IllegalStateError:
            return
        self.paused[place] = time.monotonic() + delay

"""The offsets of one client: commits that are due, paused partitions, and the start of a partition without a valid offset."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared import instruments
from shared.kafka import clients
from shared.kafka.records import IncomingRecord, Place, Retry, by_place, parse_instant, received_at
from shared.kafka.state import ConsumerState

log = structlog.get_logger()

REPLAY_MARGIN = timedelta(minutes=5)
"""A replay starts this much before the receipt time of the commit: records are published only roughly in the order of receipt."""


BEYOND = 2**62
"""A position beyond the end of any log. The broker refuses it, so a partition at it recovers again before anything is read."""


class Commit(NamedTuple):
    """The next offset to read and, as metadata, the receipt time from which a replay starts if the offset is lost."""

    offset: int
    metadata: str


def earliest_receipt(records: Sequence[IncomingRecord]) -> str:
    """The earliest receipt time in the headers of `records`: a replay from it repeats everything published after them."""
    times: list[datetime] = [at for record in records if (at := received_at(record.headers))]
    return min(times).isoformat() if times else ""


class Progress:
    """Commits that are due, by partition. They stay due during an outage; a rebalance clears them."""

    def __init__(self) -> None:
        self.due: dict[Place, Commit] = {}

    def done(self, records: Sequence[IncomingRecord]) -> None:
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
    """Where a partition starts to read: the commit to make, and whether records were deleted unread.

    `log_lost`: Kafka lost the group's commit or the end of the log, so other partitions may have lost records unnoticed.
    """

    commit: Commit
    lost: bool = False
    log_lost: bool = False


def start_of(
    position: int | None, committed: Commit | None, beginning: int, end: int, stored: Commit | None = None
) -> Start | None:
    """The start of a partition whose log holds the offsets from `beginning` to `end`; None if its position is valid.

    It starts at its commit if that lies within the log, else at the beginning. Without a commit, a beginning above 0 means that
    records were deleted before the group read them, so they are lost too. `stored` is the position that the handler stored: if
    there is no commit, or if it is beyond the end of the log, the log is not the one that the handler read.
    """
    within = committed if committed and beginning <= committed.offset <= end else None
    if stored is not None and (committed is None or stored.offset > end):
        offset = within.offset if within else beginning
        return Start(Commit(offset, stored.metadata), lost=True, log_lost=True)
    if position is not None and beginning <= position <= end:
        return None
    if committed is None:
        return Start(Commit(beginning, ""), lost=beginning > 0)
    return Start(within) if within else Start(Commit(beginning, committed.metadata), lost=True)


def replay_since(lost: Collection[Start], stored: Collection[Commit] = ()) -> datetime | None:
    """The receipt time from which a replay repeats everything that was lost; None: everything.

    If a log was lost, the time is early enough for every partition in `stored`: records of another topic may be missing because
    they are made from lost ones, as scores are made from events.
    """
    commits = [start.commit for start in lost]
    if any(start.log_lost for start in lost):
        commits += stored
    times = [parse_instant(commit.metadata) for commit in commits]
    known = [at for at in times if at is not None]
    return min(known) - REPLAY_MARGIN if known and len(known) == len(times) else None


async def load_starts(
    client: AIOKafkaConsumer, state: ConsumerState, positions: Mapping[Place, int | None], stored: Mapping[Place, Commit]
) -> dict[Place, Start]:
    """The start of each partition in `positions` whose position is not valid, from the broker's offsets and the stored ones.

    `stored` is older than this call, so a stored position that is valid lies within the log.
    """
    partitions = [TopicPartition(*place) for place in positions]
    async with clients.admin(state.bootstrap) as admin:
        response = await admin.list_consumer_group_offsets(state.group, partitions=partitions)
    if response.keys() != set(partitions):  # aiokafka returns nothing for an error of the whole group, as for "never committed"
        raise KafkaError("the committed offsets of the group are unavailable")
    beginnings = await client.beginning_offsets(partitions)
    ends = await client.end_offsets(partitions)
    committed = {tp: Commit(at.offset, at.metadata) for tp, at in response.items() if at.offset >= 0}
    starts = {
        Place(*tp): start_of(positions[Place(*tp)], committed.get(tp), beginnings[tp], ends[tp], stored.get(Place(*tp)))
        for tp in partitions
    }
    return {place: start for place, start in starts.items() if start is not None}


class Offsets:
    """Moves the positions of a client and commits them."""

    def __init__(self, state: ConsumerState, client: AIOKafkaConsumer) -> None:
        self._state = state
        self._client = client
        self._progress = Progress()
        self.paused: dict[Place, float] = {}
        """Partitions that a Retry paused, and until when (time.monotonic())."""

    def reset(self) -> None:
        """Forget everything: after a rebalance, partitions start at their commits."""
        self._progress.due.clear()
        self.paused.clear()

    def done(self, records: Sequence[IncomingRecord]) -> None:
        """Note that the effects of `records` are durable."""
        self._progress.done(records)

    async def commit(self) -> None:
        """Commit what is due. A commit that fails stays due, unless a rebalance gave its partition to another member."""
        due = dict(self._progress.due)
        if not due:
            return
        try:
            with clients.contain_cancellations():
                async with asyncio.timeout(self._state.timing.commit):
                    await self._client.commit({TopicPartition(*place): tuple(commit) for place, commit in due.items()})
        except (CommitFailedError, IllegalStateError):
            self._progress.due.clear()
            instruments.COMMITS_LOST.labels(self._state.group).inc()
            log.info("kafka.commit.rebalanced", group=self._state.group)
        except (KafkaError, OSError, TimeoutError) as error:
            instruments.COMMITS_LOST.labels(self._state.group).inc()
            log.warning("kafka.commit.failed", group=self._state.group, error=type(error).__name__)
        else:
            self._progress.committed(due)

    def rewind(self, records: Sequence[IncomingRecord], delay: float) -> None:
        """Read `records` again after `delay` seconds. Other partitions go on."""
        for place, own in by_place(records).items():
            self._pause(place, own[0].offset, delay)

    def resume(self) -> None:
        """Resume the partitions whose pause is over."""
        for place in [place for place, until in self.paused.items() if until <= time.monotonic()]:
            del self.paused[place]
            self._client.resume(TopicPartition(*place))

    async def recover(self, *, lost_only: bool = False) -> set[Place]:
        """Give every partition without a valid position a start. Requests a replay for those whose records were lost.

        `lost_only`: leave partitions without a loss to the client, which starts them at their commits. Returns the partitions
        that it moved: their records are read again from there.
        """
        await self.commit()
        positions = {place: at for place, at in clients.positions(self._client).items() if place not in self.paused}
        if not positions:
            return set()
        try:
            stored = await self._load_stored()
        except Retry as retry:
            self._wait(positions, retry)
            return set(positions)
        with clients.client_errors():
            async with asyncio.timeout(self._state.timing.commit):
                starts = await load_starts(self._client, self._state, positions, stored)
        if lost_only:
            starts = {place: start for place, start in starts.items() if start.lost}
        lost = {place: start for place, start in starts.items() if start.lost}
        try:
            await self._request_replay(lost, list(stored.values()))
        except Retry as retry:
            self._wait(lost, retry)
        for place, start in starts.items():
            if place not in self.paused:
                self._seek(place, start.commit)
        await self.commit()
        return set(starts)

    async def _load_stored(self) -> dict[Place, Commit]:
        """The stored positions of the topics, with the receipt times as metadata. Raises Retry."""
        if self._state.stored is None:
            return {}
        rows = {Place(*place): row for place, row in (await self._state.stored.load()).items()}
        return {
            place: Commit(offset, at.isoformat() if at else "")
            for place, (offset, at) in rows.items()
            if place.topic in self._state.topics
        }

    async def _request_replay(self, lost: Mapping[Place, Start], stored: Collection[Commit]) -> None:
        """Request a replay of the lost records, and then store the new starts. Raises Retry."""
        if not lost:
            return
        since = replay_since(lost.values(), stored)
        log.error("kafka.offsets.lost", group=self._state.group, partitions=len(lost), since=since and since.isoformat())
        if self._state.replay is not None:
            await self._state.replay(since)
        if self._state.stored is not None:
            await self._state.stored.restart({place: start.commit.offset for place, start in lost.items()})
        instruments.OFFSETS_LOST.labels(self._state.group).inc(len(lost))

    def _wait(self, places: Collection[Place], retry: Retry) -> None:
        """Recover these partitions again after the delay, and read nothing from them until then."""
        log.warning("kafka.recovery.waits", group=self._state.group, partitions=len(places), reason=retry.reason)
        for place in places:
            self._pause(place, BEYOND, retry.delay)

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

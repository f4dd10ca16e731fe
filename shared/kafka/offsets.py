"""The positions of one client: what is committed, what rests, and where a partition without a usable offset starts."""

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared import instruments
from shared.kafka import clients, recovery
from shared.kafka.job import Job
from shared.kafka.progress import Commit, Progress
from shared.kafka.records import Place, Record, Retry, by_place

log = structlog.get_logger()


class Offsets:
    """Moves a client's positions and commits them. What a rebalance took is forgotten: it starts at its last commit."""

    def __init__(self, job: Job, client: AIOKafkaConsumer) -> None:
        self._job = job
        self._client = client
        self._progress = Progress()
        self.resting: dict[Place, float] = {}
        """Partitions that a Retry holds back, until that time."""

    def forget(self) -> None:
        """A rebalance has begun anew with what is committed."""
        self._progress.due.clear()
        self.resting.clear()

    def done(self, records: Sequence[Record]) -> None:
        self._progress.done(records)

    async def commit(self) -> None:
        """Commit what is due. What can't be committed now is no fault: it stays due, or belongs to another by now."""
        due = dict(self._progress.due)
        if not due:
            return
        try:
            async with asyncio.timeout(self._job.timing.commit):
                await self._client.commit({TopicPartition(*place): tuple(commit) for place, commit in due.items()})
        except (CommitFailedError, IllegalStateError):
            self._progress.due.clear()
            instruments.COMMITS_LOST.labels(self._job.group).inc()
            log.info("kafka.commit.overtaken", group=self._job.group)
        except (KafkaError, OSError, TimeoutError) as error:
            instruments.COMMITS_LOST.labels(self._job.group).inc()
            log.warning("kafka.commit.failed", group=self._job.group, error=type(error).__name__)
        else:
            self._progress.committed(due)

    def rewind(self, records: Sequence[Record], delay: float) -> None:
        """See `records` again after `delay` seconds; the other partitions go on."""
        for place, own in by_place(records).items():
            self._rest(place, own[0].offset, delay)

    def wake(self) -> None:
        """Resume what has rested long enough."""
        for place in [place for place, until in self.resting.items() if until <= time.monotonic()]:
            del self.resting[place]
            self._client.resume(TopicPartition(*place))

    async def start_anew(self) -> None:
        """Start the partitions that have no usable position: lost ones after a replay was asked for."""
        await self.commit()
        standing = {place: at for place, at in clients.standing(self._client).items() if place not in self.resting}
        with clients.client_faults():
            async with asyncio.timeout(self._job.timing.commit):
                starts = await recovery.starts(self._client, self._job.bootstrap, self._job.group, standing)
        lost = {place: start for place, start in starts.items() if start.lost}
        try:
            await self._ask_replay(lost)
        except Retry as retry:
            log.warning("kafka.replay.refused", group=self._job.group, reason=retry.reason)
            for place, start in lost.items():
                self._rest(place, start.stood, retry.delay)
                del starts[place]
        for place, start in starts.items():
            self._begin(place, start.commit)
        await self.commit()

    async def _ask_replay(self, lost: Mapping[Place, recovery.Start]) -> None:
        if not lost:
            return
        since = recovery.since(lost.values())
        instruments.OFFSETS_LOST.labels(self._job.group).inc(len(lost))
        log.error("kafka.offsets.lost", group=self._job.group, partitions=len(lost), since=since and since.isoformat())
        if self._job.replay is not None:
            await self._job.replay(since)

    def _begin(self, place: Place, commit: Commit) -> None:
        try:
            self._client.seek(TopicPartition(*place), commit.offset)
        except IllegalStateError:
            return
        # Committed at once: else a partition that stays empty until its first records expire would look new for ever.
        self._progress.due[place] = commit

    def _rest(self, place: Place, offset: int, delay: float) -> None:
        try:
            self._client.seek(TopicPartition(*place), offset)
            self._client.pause(TopicPartition(*place))
        except IllegalStateError:
            return
        self.resting[place] = time.monotonic() + delay

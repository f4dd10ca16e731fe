"""The one consume loop, seen from outside: a worker that outlives its clients.

A handler gets records and returns when their effects are durable; only then offsets move. It says what failed (Poison, Retry);
the loop decides: park, rewind, commit. Any other exception ends the worker with nothing committed. Delivery is at least once.
An outage of the broker, a rebalance, a commit that came too late: no fault of the worker, the records come again.
"""

import asyncio
import time
from collections.abc import Sequence
from math import inf

import structlog

from shared import instruments
from shared.kafka import clients
from shared.kafka.batch import Handler
from shared.kafka.job import Beat, Job, OnIdle, Replay, Timing
from shared.kafka.membership import Membership
from shared.kafka.producer import Producer
from shared.kafka.watchdog import Stalled
from shared.topics import Topic

log = structlog.get_logger()

REBUILD_PAUSE = 1.0
DEFAULT = Timing()


def no_beat() -> float:
    """The beat of a handler whose batches take seconds."""
    return 0.0


class Consumer:
    """A member of `group` that hands the records of `topics` to `handler`, at most `max_batch` at a time.

    `replay(since)` is called when an offset was lost (None: everything); Retry: not now. `on_idle` gets, about twice
    a second while nothing arrives, the position of each partition whose end has been reached. `instance` names this member among
    all of its group, the same after every restart: after a crash it need not wait for the group to forget it.
    `beat` tells when the handler last came a step further, in time.monotonic(): one whose batches may take a minute or more needs
    one, not to be taken for hung. While a batch is in hand, however long, nothing is fetched but one chunk of each partition.
    """

    def __init__(
        self,
        *,
        bootstrap: str,
        group: str,
        topics: Sequence[Topic],
        handler: Handler,
        max_batch: int = 500,
        replay: Replay | None = None,
        on_idle: OnIdle | None = None,
        instance: str | None = None,
        beat: Beat = no_beat,
        timing: Timing = DEFAULT,
    ) -> None:
        names = tuple(topic.name for topic in topics)
        self._job = Job(bootstrap, group, names, handler, max_batch, replay, on_idle, instance, beat, timing)

    @property
    def joined(self) -> bool:
        """Whether it is a member of its group now and in touch with it, so that records reach it."""
        return self._job.joined and self._job.in_touch

    async def run(self) -> None:
        """Consume until cancelled. Raises when the worker must die: a fault of the handler, too much poison, a second stall."""
        job, stalled_at = self._job, inf
        async with Producer(job.bootstrap) as parking:
            while True:
                try:
                    await Membership(job, parking).run()
                except clients.Broken as fault:
                    log.warning("kafka.consumer.broken", group=job.group, fault=str(fault))
                except Stalled:
                    instruments.STALLS.labels(job.group).inc()
                    log.error("kafka.consumer.stalled", group=job.group)
                    if job.handled_at <= stalled_at < inf:
                        raise
                    stalled_at = time.monotonic()
                await asyncio.sleep(REBUILD_PAUSE)

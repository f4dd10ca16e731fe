"""The consume loop as its users see it: a worker that replaces its client after every failure of the broker.

A handler gets records and returns when their effects are durable; only then are offsets committed. It raises Poison or Retry; the
loop parks, rewinds or commits. Any other exception ends the worker, with nothing committed. Delivery is at least once: after an
outage, a rebalance or a late commit the records are read again.
"""

import asyncio
import time
from collections.abc import Sequence
from math import inf

import structlog

from shared import instruments
from shared.kafka import clients
from shared.kafka.connection import Bootstrap
from shared.kafka.membership import Membership
from shared.kafka.poison import Handler
from shared.kafka.producer import Producer
from shared.kafka.state import Beat, ConsumerState, OnIdle, Replay, StoredPositions, Timing
from shared.kafka.watchdog import Stalled
from shared.topics import Topic

log = structlog.get_logger()

REBUILD_PAUSE = 1.0
DEFAULT = Timing()


def no_beat() -> float:
    """The beat of a handler whose batches take seconds."""
    return 0.0


class Consumer:
    """A member of `group` that passes the records of `topics` to `handler`, at most `max_batch` at a time.

    `replay(since)` is called when records were lost (None: repeat everything); it raises Retry if it must be called again later.
    `on_idle` is called about twice a second while no record arrives, with the position of each partition that is read to its end.
    `stored` has the positions that the handler stored. With them it notices that Kafka lost the group's commits or the end of a
    log, as when topics were created again, and calls `replay`.
    `instance` names this member within its group, the same after every restart: after a crash it gets its partitions at once.
    `beat` returns when the handler last made progress, in time.monotonic(). A handler whose batches can take a minute needs one:
    without it, it counts as hung. During a batch the client fetches one chunk of each partition and no more.
    """

    def __init__(
        self,
        *,
        bootstrap: Bootstrap,
        group: str,
        topics: Sequence[Topic],
        handler: Handler,
        max_batch: int = 500,
        replay: Replay | None = None,
        on_idle: OnIdle | None = None,
        stored: StoredPositions | None = None,
        instance: str | None = None,
        beat: Beat = no_beat,
        timing: Timing = DEFAULT,
    ) -> None:
        names = tuple(topic.name for topic in topics)
        self._state = ConsumerState(bootstrap, group, names, handler, max_batch, replay, on_idle, stored, instance, beat, timing)

    @property
    def joined(self) -> bool:
        """Whether it is a member of its group and in contact with the group's coordinator, so that records reach it."""
        return self._state.joined and self._state.has_coordinator

    async def run(self) -> None:
        """Consume until cancelled. Raises errors of the handler, TooMuchPoison, and Stalled at the second stall in a row."""
        state, stalled_at = self._state, inf
        async with Producer(state.bootstrap) as dlq:
            while True:
                try:
                    await Membership(state, dlq).run()
                except clients.Broken as error:
                    log.warning("kafka.consumer.broken", group=state.group, error=str(error))
                except Stalled:
                    instruments.STALLS.labels(state.group).inc()
                    log.error("kafka.consumer.stalled", group=state.group)
                    if state.handled_at <= stalled_at < inf:
                        raise
                    stalled_at = time.monotonic()
                await asyncio.sleep(REBUILD_PAUSE)

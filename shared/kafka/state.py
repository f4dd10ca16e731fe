"""The configuration of a consumer, and the state that outlives its clients."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.kafka.connection import Bootstrap
from shared.kafka.poison import Handler, PoisonRun
from shared.kafka.summary import Summary

Replay = Callable[[datetime | None], Awaitable[None]]
OnIdle = Callable[[Mapping[tuple[str, int], int]], Awaitable[None]]
Beat = Callable[[], float]


class StoredPositions(Protocol):
    """The positions that a handler stores with its effects, outside of Kafka. Both methods raise Retry during an outage."""

    async def load(self) -> Mapping[tuple[str, int], tuple[int, datetime | None]]:
        """(topic, partition) → the offset to read next, and the receipt time from which a replay repeats all that follows."""
        ...

    async def restart(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Note that these partitions start at these offsets, since Kafka lost what followed the stored ones."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Time limits of a consumer, in seconds."""

    session: float = 45.0
    """The group removes a member that sends no heartbeat for this time."""
    join: float = 60.0
    commit: float = 10.0
    handover: float = 10.0
    """A rebalance waits at most this time for the current batch, so that its commit still counts."""
    farewell: float = 5.0
    """A cancelled worker has this time to finish its current batch."""
    stall: float = 60.0
    """Time without progress after which the consumer counts as stalled."""
    look: float = 15.0
    """Interval of the watchdog's checks."""


@dataclass(slots=True)
class ConsumerState:
    """See `Consumer` for the arguments."""

    bootstrap: Bootstrap
    group: str
    topics: tuple[str, ...]
    handler: Handler
    max_batch: int
    replay: Replay | None
    on_idle: OnIdle | None
    stored: StoredPositions | None
    instance: str | None
    beat: Beat
    timing: Timing
    joined: bool = False
    """Whether the group counts us as a member, as far as we know."""
    has_coordinator: bool = False
    """Whether the client knew the group's coordinator at the last check."""
    handled_at: float = 0.0
    """When a batch was last durable, in time.monotonic()."""
    poison_run: PoisonRun = field(default_factory=PoisonRun)
    summary: Summary = field(default_factory=Summary)

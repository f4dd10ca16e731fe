"""What a consumer was made for, and what of it outlives its clients."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.kafka.batch import Handler
from shared.kafka.parking import Run

Replay = Callable[[datetime | None], Awaitable[None]]
OnIdle = Callable[[Mapping[tuple[str, int], int]], Awaitable[None]]
Beat = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. The session is how long the group believes in a member that sends no heartbeat."""

    session: float = 45.0
    join: float = 60.0
    commit: float = 10.0
    handover: float = 10.0
    """How long a rebalance waits for the batch in hand, so that its commit still counts."""
    farewell: float = 5.0
    """How long a worker that is cancelled takes to finish the batch in hand."""
    stall: float = 60.0
    look: float = 15.0
    """How often the watchdog looks."""


@dataclass(slots=True)
class Job:
    bootstrap: str
    group: str
    topics: tuple[str, ...]
    handler: Handler
    max_batch: int
    replay: Replay | None
    on_idle: OnIdle | None
    instance: str | None
    beat: Beat
    timing: Timing
    joined: bool = False
    """Whether the group counts us as a member, as far as we know."""
    in_touch: bool = False
    """Whether the group's coordinator was there when we last looked."""
    handled_at: float = 0.0
    """When a batch last became durable, in time.monotonic()."""
    poison_run: Run = field(default_factory=Run)

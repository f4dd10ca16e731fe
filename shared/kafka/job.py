"""What a consumer was made for, and what of it outlives its clients."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.kafka.batch import Handler
from shared.kafka.parking import Run

Replay = Callable[[datetime | None], Awaitable[None]]
OnIdle = Callable[[Mapping[tuple[str, int], int]], Awaitable[None]]


@dataclass(slots=True)
class Job:
    bootstrap: str
    group: str
    topics: tuple[str, ...]
    handler: Handler
    max_batch: int
    replay: Replay | None
    on_idle: OnIdle | None
    joined: bool = False
    handled_at: float = 0.0
    """When a batch last became durable, in time.monotonic()."""
    poison_run: Run = field(default_factory=Run)

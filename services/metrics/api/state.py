"""What the routes of metrics work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from fastapi import Request

from services.metrics.announcer import Announcer
from shared.fair_queue import FairQueue
from shared.topics import EVENTS, SCORES

PARTITIONS = EVENTS.partitions + SCORES.partitions
"""How many partitions must have been heard of before everything is known to be in."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """A running metrics service. `model` is promoted for new tenants; `clock` returns the `now` of each request."""

    pool: asyncpg.Pool
    model: str
    clock: Callable[[], datetime]
    announcer: Announcer
    queue: FairQueue
    """The turns of questions that read much; short look-ups need none."""
    partitions: int = PARTITIONS


def metrics_of(request: Request) -> Metrics:
    """The service that a request came to."""
    service: Metrics = request.app.state.metrics
    return service

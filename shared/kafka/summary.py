"""A log line a minute about the batches that a consumer has handled. Lines about each batch are of the level debug."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

SECONDS = 60.0
"""The time that a line covers, at least."""


@dataclass(slots=True)
class Summary:
    """The batches since the last line."""

    began: float = 0.0
    batches: int = 0
    records: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    busy: float = 0.0

    def add(self, topics: Iterable[str], parked: int, seconds: float) -> None:
        """Count a batch: the topic of each record, the number of parked ones, and the time that it took."""
        if not self.batches:
            self.began = time.monotonic()
        self.batches += 1
        self.records.update(topics)
        self.parked += parked
        self.busy += seconds

    def log(self, group: str, *, at_once: bool = False) -> None:
        """Log a line if SECONDS have passed since the first batch, or `at_once`, and begin again. Without a batch, no line."""
        seconds = time.monotonic() - self.began
        if not self.batches or (seconds < SECONDS and not at_once):
            return
        log.info(
            "kafka.summary",
            group=group,
            batches=self.batches,
            records=dict(sorted(self.records.items())),
            parked=self.parked,
            busy_ms=round(self.busy * 1000),
            seconds=round(seconds),
        )
        self.began, self.batches, self.records, self.parked, self.busy = 0.0, 0, Counter(), 0, 0.0

"""The lag of a consumer in records and in seconds, as gauges for each partition that it is assigned."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from shared.instruments import LAG, LAG_SECONDS
from shared.kafka.records import IncomingRecord, Place, by_place


class Lag:
    """Updates the gauges of the group. `clock` returns seconds since the epoch, like the timestamps of records.

    The time of a record that isn't read yet is unknown: it is later than that of the last one that was handled.
    """

    def __init__(self, group: str, clock: Callable[[], float] = time.time) -> None:
        self._group = group
        self._clock = clock
        self._since: dict[Place, float | None] = {}
        """Time of the oldest unhandled record, or of the last handled one while there are more; None: there is none."""

    def read(self, records: Sequence[IncomingRecord]) -> None:
        """Note that these records are read and not yet handled."""
        for place, own in by_place(records).items():
            self._set(place, own[0].timestamp_ms / 1000)

    def handled(self, records: Sequence[IncomingRecord]) -> None:
        """Note that the effects of these records are durable."""
        for place, own in by_place(records).items():
            self._set(place, own[-1].timestamp_ms / 1000)

    def observe(self, ends: Mapping[Place, tuple[int, int]]) -> None:
        """Update the gauges from position and end of each partition, between two batches."""
        for place, (position, end) in ends.items():
            LAG.labels(self._group, place.topic, place.partition).set(max(0, end - position))
            if position >= end:
                self._set(place, None)

    def reset(self) -> None:
        """Export nothing more: the partitions may belong to other consumers now."""
        for place in self._since:
            for gauge in (LAG, LAG_SECONDS):
                gauge.remove(self._group, place.topic, place.partition)
        self._since.clear()

    def seconds(self, place: Place) -> float:
        """The lag of a partition in seconds."""
        since = self._since.get(place)
        return 0.0 if since is None else max(0.0, self._clock() - since)

    def _set(self, place: Place, since: float | None) -> None:
        if place not in self._since:
            LAG_SECONDS.labels(self._group, place.topic, place.partition).set_function(partial(self.seconds, place))
        self._since[place] = since

"""The events that arrive while `bench.records` queries: of many tenants, most about new subjects, some about older ones.

`python -m bench.records_traffic BOOTSTRAP RATE TENANT...` publishes them until it is ended. All tenants have equal parts: of 500
events a second, each of a hundred has 5, which is ten times the average of a tenant with ten million records a year.
"""

import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from bench.metrics_events import Story
from shared.events import Event, Response, encode
from shared.kafka import OutgoingRecord, Producer
from shared.topics import EVENTS, subject_key

PART_SECONDS = 5.0
"""Seconds of traffic that are generated at once."""


class Age(NamedTuple):
    """A share of the events, and the greatest age of their subjects in days. None: the subjects are new."""

    share: float
    days: float | None


AGES = (Age(0.7, None), Age(0.2, 1.0), Age(0.05, 30.0))
"""Most events are new. Some belong to tickets and answers of the last day or month, which the tool sends late."""
CORRECTED = 0.05
"""The share of events that correct an answer of an earlier part."""
REMEMBERED = 500
"""Answers of each tenant that may be corrected later."""


class Traffic:
    """The events of one tenant, in parts. Each part has subjects of its own, and corrects answers of earlier parts."""

    def __init__(self, tenant: str, seed: int, first: int = 1) -> None:
        """Subjects are numbered from `first` on."""
        self._tenant = tenant
        self._chance = random.Random(seed)
        self._last = first - 1
        self._answers: deque[Event] = deque(maxlen=REMEMBERED)

    def part(self, until: datetime, seconds: float, count: float) -> list[tuple[datetime, Event]]:
        """About `count` events, each with the time of its arrival in the `seconds` before `until`."""
        arrivals: list[tuple[datetime, Event]] = []
        answers = list(self._answers)
        for age in AGES:
            days = seconds / 86_400 if age.days is None else age.days
            story = Story(self._tenant, self._chance.randrange(2**31), until, days, more=True, first=self._last + 1)
            events = story.events(self._number(age.share * count))
            self._last = story.last
            times = self._times(until, seconds, len(events)) if age.days is not None else [event.at for event in events]
            arrivals += [(at, replace(event, received_at=at)) for at, event in zip(times, events, strict=True)]
            self._answers += (event for event in events if type(event.body) is Response)
        corrected = self._chance.sample(answers, min(len(answers), self._number(CORRECTED * count)))
        times = self._times(until, seconds, len(corrected))
        return arrivals + [(at, correction(event, at, self._chance)) for at, event in zip(times, corrected, strict=True)]

    def _number(self, expected: float) -> int:
        """A whole number whose mean is `expected`."""
        return int(expected + self._chance.random())

    def _times(self, until: datetime, seconds: float, count: int) -> list[datetime]:
        """Random times of the `seconds` before `until`, in order."""
        return sorted(until - timedelta(seconds=seconds * self._chance.random()) for _ in range(count))


def correction(event: Event, at: datetime, chance: random.Random) -> Event:
    """A statement at a later time, with another value of the first answer of a response. The time of the answer stays."""
    assert type(event.body) is Response
    first, *others = event.body.answers
    body = replace(event.body, answers=(replace(first, value=chance.randrange(11)), *others))
    return replace(event, statement=f"{event.statement}-{at.timestamp()}", at=at, received_at=at, body=body)


def next_part(tenants: Sequence[Traffic], until: datetime, seconds: float, rate: float) -> list[Event]:
    """The events of all tenants in the `seconds` before `until`, about `rate` a second, in the order of their arrival."""
    parts: Iterable[list[tuple[datetime, Event]]] = (
        tenant.part(until, seconds, rate * seconds / len(tenants)) for tenant in tenants
    )
    arrivals = [arrival for part in parts for arrival in part]
    return [event for _, event in sorted(arrivals, key=lambda arrival: arrival[0])]


async def send(bootstrap: str, rate: float, slugs: Sequence[str]) -> None:
    """Publish events of these tenants at `rate` a second, until cancelled."""
    first = int(time.time()) * 1000  # a later run over the same database has other subjects
    tenants = [Traffic(slug, first + place, first) for place, slug in enumerate(slugs)]
    at_once = max(1, int(rate / 10))
    async with Producer(bootstrap) as producer:
        while True:
            events = next_part(tenants, datetime.now(UTC), PART_SECONDS, rate)
            for first in range(0, len(events), at_once):
                due = asyncio.create_task(asyncio.sleep(0.1))
                part = events[first : first + at_once]
                await producer.send_all(
                    EVENTS, [OutgoingRecord(subject_key(event.tenant, event.subject), encode(event)) for event in part]
                )
                await due


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], float(sys.argv[2]), sys.argv[3:]))

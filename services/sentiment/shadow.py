"""A second model that scores beside the live one, so that it can be compared before anybody sees a number of it.

It reads `feedback.events` in a consumer group of its own, with offsets and a thread of its own: live scores never wait for it,
and whatever happens to it, they are sent. What it could not score is told in the log and counted, and is made up for by a replay.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from services.sentiment.consumer import Scoring
from services.sentiment.pool import Pool
from shared import instruments
from shared.kafka import Record, Retry
from shared.kafka.poison import apply

log = structlog.get_logger()

GROUP = "sentiment-shadow"
BATCH = 50
"""Events in one go: so few that a live batch that comes meanwhile isn't held up for long on a machine with one core."""

WAY = 1.0
"""Seconds for which a batch lets live ones go first, at most: a shadow that starves would never be complete."""

LOOK = 0.01
REST = 5.0
"""Seconds until a consumer that ended by a fault begins anew."""


@dataclass(frozen=True, slots=True)
class Shadowing:
    """The handler of `feedback.events` for the shadow. A model or a broker that is away is a Retry, of this group alone; any
    other fault leaves its records without a score of this model: nothing is parked, for that is the live handler's to say."""

    scoring: Scoring
    live: Pool

    async def __call__(self, records: Sequence[Record]) -> None:
        await give_way(self.live)
        try:
            missed: Mapping[Record, str] = await apply(self.scoring, records)
        except Retry:
            raise
        except Exception as error:
            missed = dict.fromkeys(records, type(error).__name__)
        for record, reason in missed.items():
            instruments.SHADOW_MISSED.inc()
            log.warning("shadow.missed", **record.place._asdict(), offset=record.offset, reason=reason)


async def give_way(live: Pool, longest: float = WAY) -> None:
    """Return when nobody waits for the live model any more, or after so many seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + longest
    while live.waiting and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(LOOK)


async def begun_anew(run: Callable[[], Awaitable[None]], rest: float = REST) -> None:
    """Do `run` again whenever a fault has ended it: a shadow's end must not restart the process that scores live."""
    while True:
        try:
            await run()
        except Exception as error:
            log.error("shadow.ended", error=type(error).__name__, exc_info=error)
        await asyncio.sleep(rest)

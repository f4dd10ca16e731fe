"""A second model that scores beside the live one, so that the two can be compared before it is promoted.

It has a consumer group and a thread of its own: live scores never wait for it and do not depend on it. Events that it can't
score are logged and counted; a replay scores them later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from services.sentiment import instruments
from services.sentiment.consumer import ScoringHandler
from services.sentiment.pool import Pool
from shared.kafka import IncomingRecord, Retry
from shared.kafka.poison import apply

log = structlog.get_logger()

GROUP = "sentiment-shadow"
BATCH = 50
"""Events of a batch: few, so that a live batch is not delayed for long on a machine with one core."""

MAX_WAIT = 1.0
"""Seconds that a batch waits for live ones at most: a shadow that starves would never be complete."""

POLL_SECONDS = 0.01
RESTART_SECONDS = 5.0
"""Delay before a consumer that ended by an error is started again."""


@dataclass(frozen=True, slots=True)
class ShadowHandler:
    """The handler of `feedback.events` for the shadow.

    A Retry affects this group alone. After any other error the records stay without a score of this model; none is parked,
    since the live handler decides about that.
    """

    scoring: ScoringHandler
    live: Pool

    async def __call__(self, records: Sequence[IncomingRecord]) -> None:
        await wait_for_live(self.live)
        try:
            missed: Mapping[IncomingRecord, str] = await apply(self.scoring, records)
        except Retry:
            raise
        except Exception as error:
            missed = dict.fromkeys(records, type(error).__name__)
        for record, reason in missed.items():
            instruments.SHADOW_MISSED.inc()
            log.warning("shadow.missed", **record.place._asdict(), offset=record.offset, reason=reason)


async def wait_for_live(live: Pool, seconds: float = MAX_WAIT) -> None:
    """Return when no caller waits for the live model, or after `seconds`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while live.waiting and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(POLL_SECONDS)


async def restart_after_errors(run: Callable[[], Awaitable[None]], delay: float = RESTART_SECONDS) -> None:
    """Run `run` again whenever an error ends it: an error of the shadow must not restart the process."""
    while True:
        try:
            await run()
        except Exception as error:
            log.error("shadow.ended", error=type(error).__name__, exc_info=error)
        await asyncio.sleep(delay)

"""The loop of a background worker: steps until nothing is left to do, then a look every few seconds."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.database import OUTAGE, RETRYABLE

log = structlog.get_logger()


async def poll(step: Callable[[], Awaitable[object]], seconds: float, event: str, *interruptions: type[Exception]) -> None:
    """Call `step` while its result is true, then again every `seconds`, until cancelled.

    An outage of the database and errors of the types `interruptions` are logged as `event`, and the next look tries again. Any
    other error ends the worker.
    """
    while True:
        try:
            while await step():
                pass
        except (*OUTAGE, *RETRYABLE, *interruptions) as error:
            log.warning(event, error=type(error).__name__)
        await asyncio.sleep(seconds)

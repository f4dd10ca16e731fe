"""Pins the default model for tenants that the gateway hasn't announced yet, or that an older version of this service made.

`PUT /internal/tenants/{tenant}` pins it for every other tenant.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import asyncpg
import structlog

from services.metrics.store.promotions import pin_default
from shared.database import OUTAGE, RETRYABLE

log = structlog.get_logger()

EVERY_SECONDS = 30.0


async def keep_pinning(
    pool: asyncpg.Pool, default_model: str, clock: Callable[[], datetime], every: float = EVERY_SECONDS
) -> None:
    """Promote `default_model` for each tenant without a promotion, at once and then every `every` seconds, until cancelled."""
    while True:
        try:
            if pinned := await pin_default(pool, default_model, clock()):
                log.info("model.pinned", model=default_model, tenants=len(pinned))
        except (*OUTAGE, *RETRYABLE) as error:
            log.warning("model.not_pinned", error=type(error).__name__)
        await asyncio.sleep(every)

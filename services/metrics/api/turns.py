"""How many questions are at work: a few per tenant, in a fair queue, each with a deadline, none for a client that has left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from services.metrics.api.state import metrics_of
from shared.disconnects import cancelled_on_disconnect
from shared.problems import Unavailable

WAIT_SECONDS, WORK_SECONDS = 8.0, 20.0
"""How long a question waits for its turn, and how long it may take then: together less than the 30 s that the gateway waits."""


class TooSlow(Unavailable):
    title = "Too slow"


@asynccontextmanager
async def turn(request: Request, tenant: str) -> AsyncIterator[None]:
    """The turn of a tenant's question, from its first statement to its encoded answer.

    Raises Unavailable if the tenant has too many questions waiting, TooSlow if the work takes too long, and ClientDisconnect if
    the client leaves. The work is cancelled then, and its statement in the database too.
    """
    async with cancelled_on_disconnect(request), metrics_of(request).queue.turn(tenant, WAIT_SECONDS):
        try:
            async with asyncio.timeout(WORK_SECONDS):
                yield
        except TimeoutError as error:
            reason = f"no answer within {WORK_SECONDS:g} s; ask for a shorter window, a coarser grain or fewer groups"
            raise TooSlow(reason, retry_after=10) from error

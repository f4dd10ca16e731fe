"""Works through replays: hands stored events to the outbox again, from which the sweeper publishes them.

Any replica continues after a crash or an outage (`inbox/replays.py`). A replay never ends without success: a step that fails is
tried again.
"""

import asyncio
import time
from uuid import uuid4

import asyncpg
import structlog

from services.ingest.inbox.replays import Replay, ReplaySteps, add_replay, find_replay
from services.ingest.inbox.selection import Selection
from services.ingest.polling import Poller

log = structlog.get_logger()

FULL_SECONDS = 0.5
"""Pause while the outbox holds as many deliveries of replays as it may."""
LOOK_SECONDS = 0.05
"""Between two looks at a replay that a caller waits for."""


class Replayer:
    """`add` adds a replay. `run` is the worker; any number of processes may run it over one database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._poller = Poller("replays", self.step)
        self._steps = ReplaySteps(pool)

    async def add(
        self, selection: Selection, id_: str | None = None, requested_by: str | None = None, *, renews: bool = False
    ) -> Replay:
        """Add a replay, or return the one with this id. Raises Conflict if the id is another's or too many are in progress.

        Without an id, a replay of the same selection that has not begun is returned instead, up to the present end of the inbox.
        `renews`: also if the one with this id has begun, since what it has published may be lost again.
        """
        replay = await add_replay(self._pool, selection, id_, uuid4().hex, requested_by, renews=renews)
        self._poller.wake()
        return replay

    async def find(self, tenant: str, id_: str) -> Replay | None:
        """One replay of a tenant, or of ALL_TENANTS. None if there is none with this id."""
        return await find_replay(self._pool, tenant, id_)

    async def wait(self, replay: Replay, seconds: float) -> Replay:
        """The replay when it is done, or as it is after `seconds`."""
        end = time.monotonic() + seconds
        while replay.state == "running" and time.monotonic() < end:
            await asyncio.sleep(LOOK_SECONDS)
            replay = await self.find(replay.selection.tenant, replay.id) or replay
        return replay

    async def run(self) -> None:
        """Do the steps of all replays until cancelled."""
        await self._poller.run()

    async def step(self) -> bool:
        """Do one step of the next replay, or wait for room in the outbox. False if there is no replay to work on."""
        worked = await self._steps.do_next()
        if worked == "none":
            return False
        if worked == "full":
            await asyncio.sleep(FULL_SECONDS)
            return True
        replay = await self.find(worked.selection.tenant, worked.id)
        if replay and replay.state == "done":
            log.info("replay.done", replay=replay.id, tenant=replay.selection.tenant, deliveries=replay.queued)
        elif replay:
            log.debug("replay.advanced", replay=replay.id, deliveries=replay.queued, progress=round(replay.progress, 3))
        return True

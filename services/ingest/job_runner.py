"""Runs the jobs of `inbox/jobs.py`: rereads of accepted deliveries, retries and discards of quarantined ones.

The database holds a job's progress, so any replica continues after a crash or an outage. Each tenant that has jobs gets a step in
turn, so a long job of one does not delay those of others. A step that fails is tried MOST_FAULTS times, then the job ends; other
jobs continue meanwhile.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import asyncpg
import structlog

from services.ingest.inbox import jobs
from services.ingest.inbox.job_faults import note_fault
from services.ingest.inbox.jobs import Extent, Job, Kind
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.selection import Selection
from services.ingest.polling import Poller
from shared.database import OUTAGE
from shared.problems import Conflict, Unavailable
from shared.request_context import bound

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class JobKind:
    """`measure` counts the deliveries of a new job. `step` works through the next ones, stores the progress, and returns False if
    none is left."""

    measure: Callable[[Selection], Awaitable[Extent]]
    step: Callable[[Job], Awaitable[bool]]


class JobRunner:
    """`add` adds a job. `run` is the worker; any number of processes may run it over one database."""

    def __init__(self, pool: asyncpg.Pool, kinds: Mapping[Kind, JobKind]) -> None:
        self._pool = pool
        self._kinds = kinds
        self._poller = Poller("jobs", self.step)

    async def add(self, kind: Kind, selection: Selection, requested_by: str | None) -> Job:
        """Add a job. Raises Conflict if the tenant has too many."""
        extent = await self._kinds[kind].measure(selection)
        job = await jobs.add_job(self._pool, kind, selection, extent, requested_by)
        if job is None:
            raise Conflict(f"{jobs.MOST_JOBS} jobs are in progress, which is the limit; retry when one is done")
        self._poller.wake()
        return job

    async def list(self, tenant: str, before: int, limit: int) -> list[Job]:
        """Up to `limit` jobs of the tenant with ids below `before`, the newest first."""
        return await jobs.list_jobs(self._pool, tenant, before, limit)

    async def find(self, tenant: str, job: int) -> Job | None:
        """One job. None if the tenant has none with this id."""
        return await jobs.find_job(self._pool, tenant, job)

    async def cancel(self, tenant: str, job: int) -> Job | None:
        """End a job, and return it as it is then. None if the tenant has none with this id."""
        return await jobs.cancel(self._pool, tenant, job) or await self.find(tenant, job)

    async def rereading_connections(self, tenant: str) -> set[str | None]:
        """The connections of the tenant whose deliveries are being read again. None: all of them."""
        return {*await jobs.open_rereads(self._pool, tenant)}

    async def run(self) -> None:
        """Do the steps of all jobs until cancelled."""
        await self._poller.run()

    async def step(self) -> bool:
        """Do one step of the next job. False if no job is due."""
        job = await jobs.claim_job(self._pool)
        if job is None:
            return False
        with bound(job.context):
            try:
                if not await self._kinds[job.kind].step(job):
                    await jobs.finish(self._pool, job)
                    log.info("job.finished", job=job.id, kind=job.kind, tenant=job.selection.tenant, results=dict(job.results))
            except LeaseLost:
                log.info("job.lease_lost", job=job.id, kind=job.kind)
            except (Unavailable, *OUTAGE):
                raise
            except Exception as error:
                await note_fault(self._pool, job, error)
        return True

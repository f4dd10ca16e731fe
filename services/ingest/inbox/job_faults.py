"""Unexpected errors of jobs: the step is tried again a few times, then the job ends. Other jobs continue meanwhile."""

import random

import asyncpg
import structlog

from services.ingest.domain.api_outcome import MOST_FAULTS, describe_fault, pause_after
from services.ingest.inbox import jobs
from services.ingest.inbox.jobs import Job

log = structlog.get_logger()


async def note_fault(pool: asyncpg.Pool, job: Job, error: Exception) -> None:
    """Schedule another attempt of a job's step after an unexpected error; end the job if it was the last one."""
    attempts = job.attempts + 1
    log.error("job.fault", job=job.id, kind=job.kind, attempts=attempts, error=type(error).__name__, exc_info=error)
    if attempts >= MOST_FAULTS:
        await jobs.fail(pool, job, describe_fault(error))
    else:
        await jobs.retry_step(pool, job, describe_fault(error), pause_after(attempts, random.random()))

"""Faults of jobs on a real PostgreSQL: the job ends after a few attempts, and others go on."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.ingest.domain.api_outcome import MOST_FAULTS
from services.ingest.inbox import jobs
from services.ingest.inbox.jobs import Extent, Job
from services.ingest.inbox.selection import Selection
from services.ingest.job_runner import JobKind, JobRunner
from shared.database import open_pool
from tests.conftest import NewDatabase


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


@pytest.fixture
async def pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    async with open_pool(url, 4) as pool:
        await pool.execute("TRUNCATE delivery_jobs")
        yield pool


def runner_of(pool: asyncpg.Pool, error: Exception) -> JobRunner:
    """Steps of tenant `acme` raise `error`, others are done at once."""

    async def measure(selection: Selection) -> Extent:
        return Extent(1)

    async def step(job: Job) -> bool:
        if job.selection.tenant == "acme":
            raise error
        return False

    return JobRunner(pool, {"reread": JobKind(measure, step)})


@pytest.mark.parametrize("error", [KeyError("a customer's words"), asyncpg.CheckViolationError("a customer's words")])
async def test_a_job_whose_step_fails_ends_after_a_few_attempts_and_stops_no_other(pool: asyncpg.Pool, error: Exception) -> None:
    runner = runner_of(pool, error)
    poisoned = await runner.add("reread", Selection("acme"), None)
    other = await runner.add("reread", Selection("other"), None)
    for attempts in range(1, MOST_FAULTS + 1):
        while await runner.step():
            pass
        loaded = await runner.find("acme", poisoned.id)
        assert loaded
        assert (loaded.attempts, loaded.finished is not None) == (min(attempts, MOST_FAULTS - 1), attempts == MOST_FAULTS)
        await pool.execute("UPDATE delivery_jobs SET due = now()")
    assert loaded
    assert loaded.problem == f"an unexpected fault of ours ({type(error).__name__})"
    done = await runner.find("other", other.id)
    assert done
    assert (done.finished is not None, done.problem) == (True, None)


async def test_an_outage_is_no_failed_attempt(pool: asyncpg.Pool) -> None:
    runner = runner_of(pool, asyncpg.DiskFullError())
    job = await runner.add("reread", Selection("acme"), None)
    with pytest.raises(asyncpg.DiskFullError):
        await runner.step()
    loaded = await runner.find("acme", job.id)
    assert loaded
    assert (loaded.attempts, loaded.problem) == (0, None)


async def test_a_canceled_job_takes_no_further_step(pool: asyncpg.Pool) -> None:
    runner = runner_of(pool, KeyError())
    job = await runner.add("reread", Selection("other"), None)
    assert await runner.cancel("acme", job.id) is None, "another tenant's"
    canceled = await runner.cancel("other", job.id)
    assert canceled
    assert canceled.canceled
    assert not await runner.step()
    assert await runner.cancel("other", job.id) == canceled
    assert await jobs.list_jobs(pool, "other", 10**9, 10) == [canceled]

"""KPI queries of the metrics service over HTTP within one process: alone, and beside a sealer in the same process.

`python -m bench.metrics` calls `query`. The arms take turns within each round, so that they share whatever else the machine does.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

import asyncpg
import httpx
from pydantic import SecretStr

from bench.metrics_events import MODEL
from services.metrics.app import create_app
from services.metrics.pace import Pace
from services.metrics.sealer import Protocol, Sealer
from services.metrics.settings import Settings
from services.metrics.store.counting import confirm
from services.metrics.store.seals import invalidate

TOKEN = "bench-bench-bench"
TENANT = "large"
SEALED_QUERIES = (
    "nps?window=24h",
    "nps?window=90d",
    "nps?window=90d&grain=P1D",
    "nps?window=90d&group_by=team",
    "csat?window=90d&group_by=agent",
    "first_reply_time?window=90d",
    "first_reply_time?window=90d&group_by=agent",
    "backlog?window=90d&grain=P1D",
    "resolution_rate?window=90d&compare=previous",
    "tickets_opened?window=7d&grain=PT1H",
)
"""Queries that sealed counts answer, except for the edges of their windows."""
SCANS = (
    "nps?window=30d&group_by=region,channel",
    "nps?window=30d&tz=Asia/Kolkata&grain=P1D",
    "nps?window=30d&per=respondent",
    "sentiment/records?limit=50",
)
"""Queries that read contributions."""
TIMES = 6
"""How often each query is measured in each round of each arm."""
SETTLE_SECONDS = 0.3
LAG_EVERY = 0.001


@dataclass(slots=True)
class Arm:
    """One way to run the queries: beside a sealer, if it has a pace. Times are in milliseconds."""

    name: str
    pace: Pace | None = None
    times: dict[str, list[float]] = field(default_factory=dict)
    lags: list[float] = field(default_factory=list)
    """How late the event loop ran a timer, in milliseconds."""
    sealed: int = 0
    seconds: float = 0.0

    @property
    def all_times(self) -> list[float]:
        """The times of all sealed queries."""
        return [ms for name in SEALED_QUERIES for ms in self.times[name]]


async def query(url: str, pool: asyncpg.Pool, rounds: int) -> None:
    """Measure the queries in every arm, `rounds` times in turn, and print the figures."""
    settings = Settings(
        database_url=SecretStr(url), internal_token=SecretStr(TOKEN), consume=False, seal=False, sentiment_model=MODEL
    )
    app = create_app(settings)
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Earshot-Tenant": TENANT}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://metrics", headers=headers, timeout=60) as http,
    ):
        alone, unpaced, paced = Arm("alone"), Arm("beside a sealer that never rests", Pace()), Arm("beside a sealer")
        paced.pace = Pace(app.state.metrics.queue)
        arms = [alone, unpaced, paced]
        await ask(http, Arm("the first time"), (*SEALED_QUERIES, *SCANS))
        for _ in range(rounds):
            for arm in arms:
                await measure(http, pool, arm)
                await seal_all(pool)
                await ask(http, Arm("caches"), SEALED_QUERIES)
        scans = Arm("scans")
        for _ in range(TIMES):
            await ask(http, scans, SCANS)
    for name in SEALED_QUERIES:
        medians = ", ".join(f"{arm.name} {median(arm.times[name]):.1f}" for arm in arms)
        print(f"query {name:<46} median in ms: {medians}")
    for name in SCANS:
        print(f"query {name:<46} median in ms: {median(scans.times[name]):.1f}")
    for arm in arms:
        print(
            f"sealed queries {arm.name}: p50 {median(arm.all_times):.1f} ms, p99 {p99(arm.all_times):.1f} ms (aim: 25 ms),"
            f" {p99(arm.all_times) / p99(alone.all_times):.2f} times; the event loop was late by p99 {p99(arm.lags):.1f} ms,"
            f" at most {max(arm.lags):.1f} ms; {arm.sealed / arm.seconds:.0f} seals a second"
        )


async def measure(http: httpx.AsyncClient, pool: asyncpg.Pool, arm: Arm) -> None:
    """Run each query TIMES times, while the arm's sealer works without pause, if it has one."""
    async with working(seal_again(pool, arm)), working(watch_lag(arm.lags)):
        await asyncio.sleep(SETTLE_SECONDS)
        began = time.perf_counter()
        for _ in range(TIMES):
            await ask(http, arm, SEALED_QUERIES)
    arm.seconds += time.perf_counter() - began


async def ask(http: httpx.AsyncClient, arm: Arm, names: tuple[str, ...]) -> None:
    """Run each query once."""
    for name in names:
        began = time.perf_counter()
        (await http.get(f"/v1/kpis/{name}")).raise_for_status()
        arm.times.setdefault(name, []).append((time.perf_counter() - began) * 1000)


@asynccontextmanager
async def working(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Work beside the context, cancelled at its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def watch_lag(lags: list[float]) -> None:
    """Record how late the event loop runs a timer, until cancelled."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(LAG_EVERY)
        lags.append((time.perf_counter() - began - LAG_EVERY) * 1000)


async def seal_again(pool: asyncpg.Pool, arm: Arm) -> None:
    """Invalidate the seals over random days, as a correction of the past does, and seal them again, until cancelled."""
    if arm.pace is None:
        return

    async def confirm_and_note(connection: asyncpg.Connection, counted: Mapping[int, int]) -> list[int]:
        confirmed = await confirm(connection, counted)
        arm.sealed += len(confirmed)
        return confirmed

    days = await pool.fetch("SELECT DISTINCT tenant, measure, date_trunc('day', at) FROM contributions")
    sealer, chance = Sealer(pool, timedelta(0), 1.0, Protocol(confirm=confirm_and_note), pace=arm.pace), random.Random(1)
    while True:
        async with pool.acquire() as connection, connection.transaction():
            await invalidate(connection, [tuple(day) for day in chance.sample(days, min(100, len(days)))])
        while await sealer.round():
            pass


async def seal_all(pool: asyncpg.Pool) -> int:
    """Seal all spans that can be sealed. Returns how many."""
    sealer, seals = Sealer(pool, timedelta(0), 1.0), 0
    while sealed := await sealer.round():
        seals += sealed
    return seals


def p99(values: list[float]) -> float:
    """The value below which 99 % of `values` lie."""
    return sorted(values)[int(0.99 * len(values))]

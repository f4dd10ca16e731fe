"""The limits of one query, and fairness between the queries of tenants."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.domain.kpi import Kpi
from services.metrics.evaluation import results
from tests.conftest import NewDatabase
from tests.service.metrics.database import (
    MetricsDatabase,
    headers_of,
    open_metrics_db,
    running_app,
    serving,
    survey_response,
    waiting_for_locks,
)
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
HEAVY = "/v1/kpis/nps?window=90d&grain=P1D&group_by=agent,team&compare=previous"


@pytest.fixture(scope="module")
async def busy(database: NewDatabase) -> str:
    """A database in which acme has 10,000 answers of 50 agents over 100 days, and other has one."""
    url = await database("metrics")
    async with open_metrics_db(url) as metrics_db:
        await metrics_db.tenant()
        await metrics_db.tenant("other")
        events = [
            survey_response(
                n, nps(n % 11), at=NOW - timedelta(minutes=14.4 * n), dimensions={"agent": f"a{n % 50}", "team": f"t{n % 5}"}
            )
            for n in range(10_000)
        ]
        for start in range(0, len(events), 1000):
            await metrics_db.apply(*events[start : start + 1000])
        await metrics_db.apply(survey_response(1, nps(9), at=NOW - timedelta(hours=1), tenant="other"))
    return url


async def refusal(http: httpx.AsyncClient, query: str) -> tuple[str, str]:
    answer = await http.get(f"/v1/kpis/nps?{query}")
    assert answer.status_code == 400, answer.text[:200]
    (param,) = answer.json()["invalid_params"]
    return param["name"], param["reason"]


# --- limits of one query
async def test_470_different_comparisons_are_refused_and_equal_ones_count_once(busy: str) -> None:
    async with serving(busy, NOW) as http:
        different = "".join(f"&compare=2026-01-01T00:00:00Z/2026-02-01T00:00:00.{n:03}Z" for n in range(470))
        name, reason = await refusal(http, f"window=24h{different}")
        assert (name, "at most 3" in reason) == ("compare", True)
        repeated = await http.get(f"/v1/kpis/nps?window=24h{'&compare=previous' * 470}")
        assert [len(row["compare"]) for row in repeated.json()["rows"]] == [1]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (
            "window=30d&grain=PT15M&compare=previous&compare=previous_year&compare=2026-01-01T00:00:00Z/2026-01-31T00:00:00Z",
            "grain",
        ),
        ("window=24h&grain=PT15M&compare=2000-01-01T00:00:00Z/2000-04-13T00:00:00Z&compare=previous", "compare"),
        ("window=90d&grain=P1D&group_by=agent,team&compare=previous&compare=previous_year", "group_by"),
        ("window=90d&grain=PT1H&group_by=agent", "group_by"),
    ],
)
async def test_rows_and_comparisons_together_stay_below_the_limit(busy: str, query: str, name: str) -> None:
    async with serving(busy, NOW) as http:
        assert (await refusal(http, query))[0] == name


async def test_too_many_groups_are_refused_before_they_are_estimated(busy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    estimated = 0
    estimate = Kpi.estimate

    def counting(*args: Any) -> Any:
        nonlocal estimated
        estimated += 1
        return estimate(*args)

    monkeypatch.setattr(Kpi, "estimate", counting)
    async with serving(busy, NOW) as http:
        await refusal(http, "window=90d&grain=PT1H&group_by=agent")
    assert estimated <= 50


async def test_histograms_with_too_many_bins_are_refused(busy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_BINS", 100)
    async with serving(busy, NOW) as http:
        assert (await refusal(http, "window=90d&group_by=agent"))[0] == "group_by"
        assert (await refusal(http, "window=90d&grain=P1D"))[0] == "grain"
        assert (await http.get("/v1/kpis/nps?window=90d")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/kpis/nps?grain=P1D&grain=P1D", "/v1/gold?limit=1&limit=2", "/v1/models/m-1/shadow?window=7d&window=7d"]
)
async def test_a_repeated_parameter_is_refused(busy: str, path: str) -> None:
    async with serving(busy, NOW) as http:
        assert (await http.get(path)).status_code == 400


# --- fairness
async def test_another_tenant_is_served_before_a_queue_of_slow_queries_ends(busy: str) -> None:
    async with serving(busy, NOW) as http:
        order: list[str] = []

        async def ask(tenant: str, path: str) -> int:
            answer = await http.get(path, headers={"X-Earshot-Tenant": tenant})
            order.append(tenant)
            return answer.status_code

        heavy = [asyncio.create_task(ask("acme", HEAVY)) for _ in range(12)]
        await until(lambda: bool(order))  # the first three are answered, nine wait or are at work
        assert await ask("other", "/v1/kpis/nps?window=24h") == 200
        assert {200} <= set(await asyncio.gather(*heavy)) <= {200, 503}
    assert order.index("other") < 8


async def test_a_tenant_with_a_full_queue_is_refused_and_another_is_not(busy: str) -> None:
    async with serving(busy, NOW, questions_per_tenant=1, questions_waiting=2) as http:
        heavy = await asyncio.gather(*(http.get(HEAVY) for _ in range(6)))
        refused = [answer for answer in heavy if answer.status_code == 503]
        assert len(refused) == 3
        assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
        assert (await http.get("/v1/kpis/nps", headers={"X-Earshot-Tenant": "other"})).status_code == 200


async def test_queries_leave_connections_for_look_ups_and_health_checks(metrics_db: MetricsDatabase) -> None:
    """Queries of eight tenants wait for a lock of the database, while others look something up."""
    async with serving(metrics_db.url, NOW) as http, metrics_db.pool.acquire() as connection:
        async with locked(connection):
            waiting = [asyncio.create_task(http.get("/v1/kpis/nps", headers={"X-Earshot-Tenant": f"t{n}"})) for n in range(8)]
            await asyncio.sleep(0.2)
            assert (await http.get("/internal/revision")).status_code == 200
            assert (await http.get("/readyz")).status_code == 200
            assert not any(task.done() for task in waiting)
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


async def test_a_query_whose_client_disconnects_is_cancelled_in_the_database_too(metrics_db: MetricsDatabase) -> None:
    async with (
        running_app(metrics_db.url, NOW, questions_per_tenant=1) as app,
        metrics_db.pool.acquire() as connection,
        locked(connection),
    ):
        disconnected = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await disconnected.wait()
            return {"type": "http.disconnect"}

        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(name.lower(), value) for name, value in httpx.Headers(headers_of("acme")).raw]
        scope = {"type": "http", "method": "GET", "path": "/v1/kpis/nps", "query_string": b"", "headers": headers, "app": app}
        request = asyncio.create_task(app(scope, receive, send))
        await waiting_for_locks(metrics_db.pool, 1)
        disconnected.set()
        await request
        await waiting_for_locks(metrics_db.pool, 0)
    assert sent[0]["status"] == 499


@asynccontextmanager
async def locked(connection: Any) -> AsyncIterator[None]:
    """While this is held, no statement can read which measures there are."""
    async with connection.transaction():
        await connection.execute("LOCK TABLE measures IN ACCESS EXCLUSIVE MODE")
        yield


async def until(reached: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if reached():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("not reached in time")


async def test_a_large_result_does_not_block_the_event_loop(busy: str) -> None:
    """The event loop's own work between two rounds, in CPU time, which other processes don't lengthen."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    async with serving(busy, NOW) as http:
        await http.get("/v1/kpis/nps")
        gc.collect()  # the garbage of other tests
        ticking = asyncio.create_task(tick())
        answer = await http.get("/v1/kpis/nps?window=30d&grain=PT15M&compare=previous")
        await asyncio.sleep(0)
        ticking.cancel()
    assert len(answer.json()["rows"]) == 30 * 96
    assert longest < 0.1

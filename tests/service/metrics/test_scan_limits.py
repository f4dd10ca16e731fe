"""The limits of queries that read contributions one by one: 413 for too many, 503 for too slow, and a pool of their own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.metrics.evaluation import scans
from services.metrics.store.query_statements import SCANNED
from tests.contract.inbox import until
from tests.service.metrics.database import MetricsDatabase, serving, survey_response
from tests.unit.metrics.build import nps

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
SCAN = "/v1/kpis/nps?window=30d&group_by=region,channel"
STORED = "/v1/kpis/nps?window=30d&group_by=region"
HINT = "group_by=region,channel has no stored counts: use a shorter window"


@pytest.fixture
async def http(metrics_db: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """A service with one connection for scans, whose tenant has three answers."""
    await metrics_db.tenant()
    await metrics_db.apply(*(survey_response(n, nps(9), at=NOW - timedelta(days=n)) for n in range(1, 4)))
    async with serving(metrics_db.url, NOW, scan_pool=1) as http:
        yield http


async def problem_of(http: httpx.AsyncClient, path: str) -> tuple[int, str, str]:
    response = await http.get(path)
    problem = response.json()
    return response.status_code, problem["type"].rpartition(":")[2], problem["detail"]


async def test_a_scan_of_too_many_contributions_is_refused_with_a_hint(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "MOST_SCANNED", 3)
    assert (await http.get(SCAN)).status_code == 200
    monkeypatch.setattr(scans, "MOST_SCANNED", 2)
    status, kind, detail = await problem_of(http, SCAN)
    assert (status, kind) == (413, "too-many-contributions")
    assert detail.startswith(f"3 contributions are too many to read one by one, 2 are allowed; {HINT}")
    assert (await http.get(STORED)).status_code == 200, "stored counts have no such limit"


async def test_a_scan_that_takes_too_long_is_cancelled_in_the_database(
    http: httpx.AsyncClient, metrics_db: MetricsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "SCAN_SECONDS", 0.2)
    slow_down(monkeypatch)
    status, kind, detail = await problem_of(http, SCAN)
    assert (status, kind) == (503, "too-slow")
    assert detail.startswith(f"no result within 0.2 s; {HINT}")
    assert await running_scans(metrics_db) == 0


def slow_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every scan sleep for each contribution that it reads."""
    slow = SCANNED.replace("WHERE", "WHERE pg_sleep(20) IS NOT NULL AND", 1)
    monkeypatch.setattr("services.metrics.store.query_building.SCANNED", slow)


async def running_scans(metrics_db: MetricsDatabase) -> int:
    """How many scans the database executes at this moment."""
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()"
    return int(await metrics_db.pool.fetchval(running, "%pg_sleep(20)%"))


async def is_scanning(metrics_db: MetricsDatabase) -> bool:
    return await running_scans(metrics_db) > 0


async def test_slow_scans_delay_no_query_of_stored_counts(
    http: httpx.AsyncClient, metrics_db: MetricsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_down(monkeypatch)
    waiting = [asyncio.create_task(http.get(SCAN)) for _ in range(8)]
    try:
        async with asyncio.timeout(30):
            await until(lambda: is_scanning(metrics_db))
            assert await running_scans(metrics_db) == 1, "one connection, so one scan"
            stored: list[Any] = await asyncio.gather(*(http.get(STORED) for _ in range(20)))
        assert {response.status_code for response in stored} == {200}
        assert not any(task.done() for task in waiting)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

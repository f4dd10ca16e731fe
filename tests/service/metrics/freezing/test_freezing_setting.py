"""The setting that freezes subjects, the progress of the worker, and the end of freezing."""

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest

from services.metrics.freezer import Freezer
from tests.service.metrics.database import MetricsDatabase, serving, survey_response
from tests.service.metrics.freezing.story import NOW, OLD, UNTOUCHED, freeze, frozen, run_passes, story
from tests.service.metrics.verification import Inbox, failed, verified
from tests.unit.metrics.build import nps


async def test_without_the_setting_everything_is_thawed(metrics: MetricsDatabase, http: httpx.AsyncClient, inbox: Inbox) -> None:
    rows = "SELECT subject_id, statement, revision, seq, position, body FROM statements ORDER BY 1, 2"
    before = await metrics.pool.fetch(rows)
    await freeze(metrics)
    await freeze(metrics, months=None)
    assert await frozen(metrics) == set()
    assert await metrics.pool.fetch(rows) == before
    assert await metrics.pool.fetchval("SELECT count(*) FROM scores") == len(story()[1])
    assert failed(await verified(metrics, inbox)) == []
    status = {"after_months": None, "frozen": 0, "frozen_before": None, "running": False}
    assert (await http.get("/v1/freezing")).json() == status


async def test_the_setting_says_how_far_freezing_is(metrics: MetricsDatabase, http: httpx.AsyncClient) -> None:
    unset = {"after_months": None, "frozen": 0, "frozen_before": None, "running": False}
    assert (await http.get("/v1/freezing")).json() == unset
    begun = (await http.put("/v1/freezing", json={"after_months": 3})).json()
    assert begun == {"after_months": 3, "frozen": 0, "frozen_before": None, "running": True}
    freezer = Freezer(metrics.pool, at_once=4, pause_ratio=0, clock=lambda: NOW)
    assert await freezer.step()
    assert (await http.get("/v1/freezing")).json()["running"]
    await run_passes(metrics)
    ended = (await http.get("/v1/freezing")).json()
    assert (ended["frozen"], ended["running"]) == (len(UNTOUCHED), False)
    assert NOW - timedelta(days=93) < datetime.fromisoformat(ended["frozen_before"]) < NOW - timedelta(days=88)
    assert (await http.put("/v1/freezing", json={"after_months": 3})).json() == ended, "the same setting begins no pass"


@pytest.mark.parametrize("body", [{}, {"after_months": 0}, {"after_months": 121}, {"after_months": "x"}, {"months": 3}])
async def test_a_setting_that_is_not_allowed_is_refused(http: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await http.put("/v1/freezing", json=body)
    assert answer.status_code == 422
    assert answer.json()["invalid_params"]


async def test_a_tenant_freezes_its_own_subjects_alone(metrics: MetricsDatabase) -> None:
    await metrics.tenant("other")
    await metrics.apply(survey_response(1, nps(9), at=OLD, tenant="other"))
    await freeze(metrics, slug="other")
    assert await frozen(metrics) == {"c1/response/1"}
    async with serving(metrics.url, NOW) as http:
        assert (await http.get("/v1/freezing")).json()["frozen"] == 0
    async with serving(metrics.url, NOW, "nobody") as http:
        assert (await http.get("/v1/freezing")).json()["after_months"] is None
        assert (await http.put("/v1/freezing", json={"after_months": 3})).status_code == 404


async def test_the_worker_waits_until_processes_of_an_earlier_version_have_ended(metrics: MetricsDatabase) -> None:
    async with serving(metrics.url, NOW) as http:
        await http.put("/v1/freezing", json={"after_months": 3})
    steps = asyncio.Semaphore(0)

    def clock() -> datetime:
        steps.release()
        return NOW

    early = asyncio.create_task(Freezer(metrics.pool, timedelta(hours=1), clock=clock).run())
    await asyncio.sleep(0.2)
    early.cancel()
    assert steps.locked(), "it took no step"
    running = asyncio.create_task(Freezer(metrics.pool, timedelta(0), clock=clock).run())
    for _ in range(2):
        await asyncio.wait_for(steps.acquire(), 60)
    running.cancel()
    assert await frozen(metrics) == UNTOUCHED

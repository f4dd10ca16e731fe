"""Rebuilds on request: a second generation beside the served one, what differs between them, and the exchange."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import groupby

import httpx

from services.metrics.builder import COMPARING, Builder
from services.metrics.rebuild import Rebuild, RebuildReport
from services.metrics.store.rebuilds import MeasureComparison, is_requested, request_rebuild
from services.metrics.store.writer import Writer
from tests.contract.test_metrics_build_faults import spoil
from tests.contract.test_metrics_builder import change, rows_of_builds
from tests.service.metrics.database import MetricsDatabase, serving, survey_response
from tests.service.metrics.verification import NOW, Inbox, ago, failed, verified
from tests.unit.metrics.build import nps

EVENTS = [survey_response(n, nps(n % 11), at=ago(n)) for n in range(1, 13)]
OF_SUBJECT = "subject_id = (SELECT id FROM subjects WHERE subject = $1)"
OF_NPS = "measure = (SELECT m.id FROM measures m WHERE m.tenant = contributions.tenant AND m.name = 'nps')"
NEVER = 3600.0


def rebuild_of(
    metrics: MetricsDatabase,
    say: Callable[[str], None] = lambda line: None,
    unclaimed_seconds: float = 0.0,
    comparing: timedelta = COMPARING,
) -> Rebuild:
    """The command, which works on builds itself after so many seconds."""
    builder = Builder(metrics.pool, comparing=comparing)
    return Rebuild(metrics.pool, builder, say, unclaimed_seconds=unclaimed_seconds, poll_seconds=0.01)


async def damage(metrics: MetricsDatabase) -> None:
    """Make a detractor a promoter, and lose what another response contributed."""
    await metrics.pool.execute(f"UPDATE contributions SET bin = 10 WHERE {OF_NPS} AND {OF_SUBJECT}", "c1/response/3")
    await metrics.pool.execute(f"DELETE FROM contributions WHERE {OF_SUBJECT}", "c1/response/5")


async def value_of_nps(http: httpx.AsyncClient) -> float:
    response = await http.get("/v1/kpis/nps?window=7d")
    assert response.status_code == 200
    return float(response.json()["rows"][0]["value"])


async def test_damaged_contributions_are_rebuilt_while_queries_go_on_and_the_difference_is_reported(
    metrics_db: MetricsDatabase,
) -> None:
    await metrics_db.apply(*EVENTS)
    undamaged = await metrics_db.contributions()
    values: list[float] = []
    started = asyncio.Event()

    async def keep_asking(http: httpx.AsyncClient) -> None:
        while True:
            values.append(await value_of_nps(http))
            await asyncio.sleep(0)

    async with serving(metrics_db.url, NOW) as http:
        correct = await value_of_nps(http)
        await damage(metrics_db)
        wrong = await value_of_nps(http)
        asking = asyncio.create_task(keep_asking(http))
        command = asyncio.create_task(rebuild_of(metrics_db, lambda line: started.set(), NEVER).run("acme"))
        await asyncio.wait_for(started.wait(), 10)
        service, writer = Builder(metrics_db.pool, at_once=3), Writer(metrics_db.pool)
        await service.step(writer)
        assert (await http.get("/v1/terms")).json()["building"] == {"revision": 1, "done": 12, "total": 12}
        assert await value_of_nps(http) == wrong != correct, "all subjects are done, and the old contributions are served"
        while await service.step(writer):
            pass
        assert await value_of_nps(http) == correct
        [report] = await command
        asking.cancel()
        await asyncio.wait([asking])
    assert [value for value, _ in groupby(values)] in ([wrong, correct], [wrong])
    assert await metrics_db.contributions() == undamaged
    assert failed(await verified(metrics_db, Inbox(EVENTS))) == []
    assert report.comparison
    [of_nps] = [one for one in report.comparison.measures if one.measure == "nps"]
    assert of_nps == MeasureComparison("nps", 11, 12, 1, 2, of_nps.amount_before, of_nps.amount_after, "c1/response/3")
    assert "\n  nps: 11 before, 12 after; only before: 1, only after: 2;" in str(report)
    assert str(report).count("first subject: c1/response/3") == 1


async def test_without_a_running_service_the_command_builds_and_undamaged_tenants_have_no_difference(
    metrics_db: MetricsDatabase,
) -> None:
    await metrics_db.apply(*EVENTS, survey_response(1, nps(9), at=ago(1), tenant="other"))
    before = await metrics_db.contributions()
    lines: list[str] = []
    reports = await rebuild_of(metrics_db, lines.append).run()
    assert [report.tenant for report in reports] == ["acme", "other"]
    assert all(str(report).endswith("; no difference") for report in reports)
    counts = [(one.before, one.after) for report in reports if report.comparison for one in report.comparison.measures]
    assert [sum(side) for side in zip(*counts, strict=True)] == [before.total(), before.total()]
    assert "  acme: no running service works on it, so this command does" in lines
    assert await metrics_db.contributions() == before
    assert await rows_of_builds(metrics_db) == (0, 0, 0, 0, 0)
    assert await rebuild_of(metrics_db).run("nobody") == []


async def test_a_rebuild_lists_the_subjects_that_cannot_be_folded(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(*EVENTS)
    await spoil(metrics_db, "c1/response/4")
    [report] = await rebuild_of(metrics_db).run("acme")
    assert report.invalid == ["c1/response/4: an amount or a bin is too large for its column"]
    assert "first subject: c1/response/4" in str(report)


async def test_measures_that_take_too_long_are_served_without_a_comparison(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(*EVENTS)
    await damage(metrics_db)
    [report] = await rebuild_of(metrics_db, comparing=timedelta(0)).run("acme")
    assert report.comparison
    assert report.comparison.measures == []
    assert "nps" in report.comparison.not_compared
    assert "not compared, for lack of time: " in str(report)
    assert failed(await verified(metrics_db, Inbox(EVENTS))) == []


async def test_a_second_request_joins_a_running_rebuild_and_a_change_of_terms_is_reported(metrics_db: MetricsDatabase) -> None:
    await metrics_db.apply(*EVENTS)
    async with metrics_db.pool.acquire() as connection:
        number = await connection.fetchval("SELECT id FROM tenants")
        assert await request_rebuild(connection, number)
        assert not await request_rebuild(connection, number)
        await change(metrics_db, "plan")
        assert await is_requested(connection, number)
    [report] = await rebuild_of(metrics_db).run("acme")
    assert "the terms were changed meanwhile, from revision 1 to 2" in str(report)
    async with metrics_db.pool.acquire() as connection:
        assert not await is_requested(connection, number)


def test_a_report_says_when_an_earlier_version_exchanged_the_contributions() -> None:
    assert str(RebuildReport("acme", None, [])).startswith("acme: rebuilt; contributions were not compared")

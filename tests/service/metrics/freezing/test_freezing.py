"""Frozen subjects: nothing that the service answers changes, a late event thaws them, and nothing is lost."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.metrics.builder import Builder
from services.metrics.freezer import Freezer
from services.metrics.store.writer import Writer
from shared.events import Status, StatusSet, Ticket
from tests.service.metrics.database import (
    MetricsDatabase,
    erasure,
    score_of,
    serving,
    statement,
    waiting_for_locks,
)
from tests.service.metrics.freezing.story import FORMER_TICKET, NOW, OLD, UNTOUCHED, freeze, frozen, run_passes, story
from tests.service.metrics.verification import Inbox, failed, verified

REQUESTS = (
    "/v1/kpis/nps?window=365d&group_by=team",
    "/v1/kpis/sentiment/records?window=365d",
    "/v1/kpis/first_reply_time/explain?window=365d",
    "/v1/kpis/sentiment/explain?window=365d&group_by=theme",
    "/v1/tickets?window=365d",
    "/v1/feedback/c1/response/1",
    f"/v1/feedback/{FORMER_TICKET}",
)


async def documents(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    answers = [await http.get(path) for path in REQUESTS]
    assert [answer.status_code for answer in answers] == [200] * len(REQUESTS)
    return [answer.json() for answer in answers]


async def test_untouched_subjects_are_frozen_and_every_response_of_the_service_stays(
    metrics: MetricsDatabase, http: httpx.AsyncClient, inbox: Inbox
) -> None:
    before, contributions = await documents(http), await metrics.contributions()
    await freeze(metrics)
    assert await frozen(metrics) == UNTOUCHED
    assert await documents(http) == before
    assert all(one["equal"] for one in before if "equal" in one)
    assert await metrics.contributions() == contributions
    assert failed(await verified(metrics, inbox)) == []


async def test_a_late_event_thaws_what_it_is_about_and_counts_as_if_it_had_never_been_frozen(
    metrics: MetricsDatabase, inbox: Inbox
) -> None:
    await freeze(metrics)
    reopened = statement(FORMER_TICKET, Ticket(facts=(StatusSet(at=NOW, status="open"),)), at=NOW, seq=400)
    await metrics.apply(reopened)
    assert await frozen(metrics) == UNTOUCHED - {FORMER_TICKET}
    inbox.events.append(reopened)
    assert failed(await verified(metrics, inbox)) == []
    await run_passes(metrics, now=NOW + timedelta(days=8))
    assert FORMER_TICKET not in await frozen(metrics), "it was touched a week ago"
    await run_passes(metrics, now=NOW + timedelta(days=120))
    assert FORMER_TICKET in await frozen(metrics)
    assert failed(await verified(metrics, inbox)) == []


async def test_an_event_that_is_known_already_thaws_nothing(metrics: MetricsDatabase, inbox: Inbox) -> None:
    await freeze(metrics)
    await metrics.apply(*story()[0], *story()[1])
    assert await frozen(metrics) == UNTOUCHED
    assert failed(await verified(metrics, inbox)) == []


async def test_a_score_of_another_model_thaws_the_comments_subject_with_all_its_scores(
    metrics: MetricsDatabase, inbox: Inbox
) -> None:
    await freeze(metrics)
    await metrics.apply(score_of("c1/response/2", "comment 2", -0.5, "another-model"))
    assert await frozen(metrics) == UNTOUCHED - {"c1/response/2"}
    models = await metrics.pool.fetch(
        "SELECT model FROM scores JOIN subjects s ON s.id = subject_id WHERE subject = 'c1/response/2'"
    )
    assert len(models) == 2
    assert failed(await verified(metrics, inbox)) == []


async def test_an_erasure_deletes_the_frozen_content(metrics: MetricsDatabase, inbox: Inbox) -> None:
    await freeze(metrics)
    erased = erasure("c1/response/1", NOW)
    await metrics.apply(erased)
    assert await frozen(metrics) == UNTOUCHED - {"c1/response/1"}
    assert await metrics.pool.fetchval("SELECT erased FROM subjects WHERE subject = 'c1/response/1'")
    inbox.events.append(erased)
    assert failed(await verified(metrics, inbox)) == []
    await run_passes(metrics, now=NOW + timedelta(days=365))
    assert "c1/response/1" not in await frozen(metrics), "an erased subject has nothing to freeze"


async def test_a_change_of_terms_and_a_rebuild_reach_frozen_subjects(metrics: MetricsDatabase, inbox: Inbox) -> None:
    await freeze(metrics)
    before = await metrics.contributions()
    await metrics.pool.execute("DELETE FROM contributions")
    assert (await metrics.writer.rebuild(1, "", 100)).subjects == 18
    assert await metrics.contributions() == before
    async with serving(metrics.url, NOW) as http:
        await http.put("/v1/presets/chatwoot", json={"enabled": True})
        builder, writer = Builder(metrics.pool), Writer(metrics.pool)
        while await builder.step(writer):
            pass
        row = (await http.get("/v1/kpis/first_reply_time?window=365d&preset=chatwoot")).json()["rows"][0]
        records = (await http.get("/v1/kpis/full_resolution_time/records?window=365d&preset=chatwoot")).json()["records"]
    assert row["n"] == 6
    assert {record["subject"] for record in records} == {f"c2/ticket/{n}" for n in range(1, 7)}
    assert await frozen(metrics) == UNTOUCHED
    assert failed(await verified(metrics, inbox)) == []


async def test_events_that_arrive_while_subjects_are_frozen_and_thawed_are_not_lost(
    metrics: MetricsDatabase, inbox: Inbox
) -> None:
    statuses: tuple[Status, Status] = ("open", "solved")
    late = [
        statement(
            f"c2/ticket/{n % 6 + 1}", Ticket(facts=(StatusSet(at=OLD + timedelta(days=n), status=status),)), at=OLD, seq=500 + n
        )
        for n, status in enumerate(statuses * 12)
    ]
    inbox.events += late

    async def write() -> None:
        for event in late:
            await metrics.apply(event)

    async def change() -> None:
        for months in (3, None, 4, None, 3):
            await freeze(metrics, months, at_once=2)

    await asyncio.gather(write(), change(), run_passes(metrics, at_once=1))
    await run_passes(metrics, now=NOW + timedelta(days=8))
    assert await frozen(metrics) == UNTOUCHED
    assert failed(await verified(metrics, inbox)) == []


async def test_a_piece_waits_for_writers_of_its_subjects_and_leaves_a_tenant_to_the_process_that_is_at_it(
    metrics: MetricsDatabase, http: httpx.AsyncClient
) -> None:
    await http.put("/v1/freezing", json={"after_months": 3})
    freezer = Freezer(metrics.pool, pause_ratio=0, clock=lambda: NOW)
    async with metrics.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("SELECT FROM freezing FOR UPDATE")
            assert not await freezer.step()
        async with connection.transaction():
            await connection.execute("SELECT FROM subjects WHERE subject = $1 FOR UPDATE", FORMER_TICKET)
            step = asyncio.create_task(freezer.step())
            await waiting_for_locks(metrics.pool, 1)
            assert await frozen(metrics) == set()
    assert await step
    assert await frozen(metrics) == UNTOUCHED


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM frozen_subjects WHERE subject_id = (SELECT min(subject_id) FROM frozen_subjects)",
        "UPDATE frozen_subjects SET statements = statements + 1",
        "UPDATE frozen_subjects f SET body = (SELECT body FROM frozen_subjects g WHERE g.subject_id <> f.subject_id LIMIT 1)",
        "INSERT INTO statements SELECT subject_id, 'd', 1, 1, 0, (SELECT body FROM statements LIMIT 1) FROM frozen_subjects",
    ],
    ids=["lost", "another number of statements", "another subject's", "beside rows"],
)
async def test_tampered_frozen_content_is_found_by_a_verification(metrics: MetricsDatabase, inbox: Inbox, statement: str) -> None:
    await freeze(metrics)
    await metrics.pool.execute(statement)
    assert "events → subjects" in failed(await verified(metrics, inbox))

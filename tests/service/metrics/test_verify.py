"""Verification: silent when all is well, live traffic included; and whatever one row is tampered with, it says so and where."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.metrics.domain.query import Query
from services.metrics.verify import served
from services.metrics.verify.battery import battery, full_battery, impact_queries
from services.metrics.verify.recount import RecomputedContributions, stored_recount
from shared.database import SERVER_SETTINGS, open_pool
from tests.service.metrics.database import (
    TOKEN,
    MetricsDatabase,
    score_of,
    survey_response,
)
from tests.service.metrics.story import story
from tests.service.metrics.verification import Inbox, ago, failed, verified, verifying, with_altered_responses
from tests.unit.metrics.build import nps, words


@pytest.fixture
def metrics_db(metrics_with_story: MetricsDatabase) -> MetricsDatabase:
    return metrics_with_story


@pytest.fixture
def inbox() -> Inbox:
    """Ingest's events."""
    return Inbox(story()[0])


def some_of_battery(now: datetime, zone: ZoneInfo, own: Sequence[str]) -> Iterable[Query]:
    """Every fifth query."""
    return islice(battery(now, zone, own), 0, None, 5)


async def test_all_is_well_after_duplicates_edits_and_erasures(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    await metrics_db.apply(*reversed(inbox.events))
    async with verifying(metrics_db, inbox, 0, full_battery) as verification:
        steps = await verification.run()
    assert failed(steps) == []
    assert [step.name.partition(" →")[0] for step in steps] == [
        "events", "comments", "subjects + scores", "contributions", "contributions",
    ]  # fmt: skip
    assert "statements of 58 subjects" in steps[0].compared
    assert all(step.compared for step in steps)


EVENTS, SCORES = "events → subjects", "comments → scores of the promoted model"
CONTRIBUTIONS, SEALED, SERVED = (
    "subjects + scores → contributions",
    "contributions → sealed histograms",
    "contributions → served KPIs",
)


def one(table: str, where: str = "true") -> str:
    """Any one row of a table."""
    return f"ctid = (SELECT ctid FROM {table} WHERE {where} ORDER BY random() LIMIT 1)"


A_VALUE = """replace(encode(body, 'escape'), '"value":', '"value": 1')::bytea"""
A_SCORE = """replace(encode(body, 'escape'), '"score":0', '"score":-0')::bytea"""
THIRD = "(SELECT id FROM subjects WHERE subject = 'c1/response/3')"

TAMPERED = {
    "a statement lost": (EVENTS, f"DELETE FROM statements WHERE {one('statements')}"),
    "a statement's words changed": (EVENTS, f"UPDATE statements SET body = {A_VALUE} WHERE subject_id = {THIRD}"),
    "a statement's revision changed": (EVENTS, f"UPDATE statements SET revision = revision + 1 WHERE {one('statements')}"),
    "a subject marked as erased": (EVENTS, f"UPDATE subjects SET erased = NOT erased WHERE {one('subjects')}"),
    "a judged subject not marked": (
        EVENTS,
        f"UPDATE subjects SET judged = false WHERE {one('subjects', 'judged AND NOT erased')}",
    ),
    "a subject lost": (EVENTS, f"DELETE FROM subjects WHERE id = {THIRD}"),
    "a score lost": (SCORES, f"DELETE FROM scores WHERE {one('scores')}"),
    "a score of another model": (SCORES, f"UPDATE scores SET model = 'another' WHERE {one('scores')}"),
    "a score changed": (CONTRIBUTIONS, f"UPDATE scores SET body = {A_SCORE} WHERE subject_id = {THIRD}"),
    "a contribution lost": (CONTRIBUTIONS, f"DELETE FROM contributions WHERE {one('contributions')}"),
    "a contribution twice": (
        CONTRIBUTIONS,
        f"INSERT INTO contributions SELECT * FROM contributions WHERE {one('contributions')}",
    ),
    "a contribution of no subject": (
        CONTRIBUTIONS,
        "INSERT INTO contributions (subject_id, at, amount, tenant, measure, bin)"
        f" SELECT -1, at, amount, tenant, measure, bin FROM contributions WHERE {one('contributions')}",
    ),
    "a contribution moved": (CONTRIBUTIONS, f"UPDATE contributions SET at = at - interval '1 us' WHERE {one('contributions')}"),
    "a contribution's bin": (CONTRIBUTIONS, f"UPDATE contributions SET bin = bin + 1 WHERE {one('contributions')}"),
    "a contribution's amount": (CONTRIBUTIONS, f"UPDATE contributions SET amount = amount + 1 WHERE {one('contributions')}"),
    "a contribution's dimension": (CONTRIBUTIONS, f"UPDATE contributions SET source = NULL WHERE {one('contributions')}"),
    "a contribution's customer": (
        CONTRIBUTIONS,
        f"UPDATE contributions SET customer = -1 WHERE {one('contributions', 'customer > 0')}",
    ),
    "a contribution's tenant": (CONTRIBUTIONS, f"UPDATE contributions SET tenant = tenant + 1 WHERE {one('contributions')}"),
    "a histogram lost": (SEALED, f"DELETE FROM histograms WHERE {one('histograms')}"),
    "a histogram twice": (SEALED, f"INSERT INTO histograms SELECT * FROM histograms WHERE {one('histograms')}"),
    "a histogram's counts": (SEALED, f"UPDATE histograms SET counts[1] = counts[1] + 1 WHERE {one('histograms')}"),
    "a histogram's total": (SEALED, f"UPDATE histograms SET total = total + 1 WHERE {one('histograms')}"),
    "a histogram's value": (SEALED, f"UPDATE histograms SET value = -1 WHERE {one('histograms', 'cuboid = 1')}"),
    "a seal moved": (SEALED, f"UPDATE seals SET ends = ends + interval '1 hour' WHERE {one('seals', 'level = 2')}"),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_one_row_tampered_with_is_found_and_its_step_named(metrics_db: MetricsDatabase, inbox: Inbox, how: str) -> None:
    step, statement = TAMPERED[how]
    assert (await metrics_db.pool.execute(statement)).endswith(" 1")
    async with verifying(metrics_db, inbox, 0, lambda now, zone, own: ()) as verification:
        assert step in failed(await verification.run())


async def test_an_event_that_metrics_never_got_is_found(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    inbox.events.append(survey_response(77, nps(1), at=ago(1)))
    steps = await verified(metrics_db, inbox)
    assert failed(steps) == [EVENTS]
    assert steps[0].differences == ["acme c1/response/77: isn't there"]


async def test_a_tenant_unknown_to_metrics_is_a_difference(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    inbox.events.append(survey_response(1, nps(1), at=ago(1), tenant="lost"))
    assert failed(await verified(metrics_db, inbox)) == [EVENTS]
    assert failed(await verified(metrics_db, inbox, tenant="acme")) == []


async def test_an_event_that_ingest_never_had_is_found(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    await metrics_db.apply(survey_response(50, nps(1), at=ago(1)))
    assert failed(await verified(metrics_db, inbox)) == [EVENTS]


async def test_an_event_beyond_the_head_of_ingest_is_found(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    """As after a restore of ingest's database to an earlier time."""
    await metrics_db.apply(survey_response(5_000, nps(1), at=ago(1)))
    assert failed(await verified(metrics_db, inbox)) == [EVENTS]


async def test_events_in_transit_are_awaited(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    late = survey_response(60, nps(1), words("late"), at=ago(1))
    inbox.events.append(late)
    requests = 0

    async def deliver() -> None:
        nonlocal requests
        requests += 1
        if requests == 2:
            await metrics_db.apply(late, score_of("c1/response/60", "late", 0.1))

    inbox.on_head_request = deliver
    assert failed(await verified(metrics_db, inbox, patience=5)) == []
    assert requests == 2


async def test_live_traffic_beside_it_raises_no_alarm(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    """Ingest and metrics both move on each time either is asked for anything."""
    numbers = iter(range(1000, 100_000))

    async def more() -> None:
        number = next(numbers)
        event = survey_response(number, nps(number % 11), at=datetime.now(UTC) - timedelta(hours=1))
        inbox.events.append(event)
        await metrics_db.apply(event)

    async def before_each(request: httpx.Request) -> None:
        if next(numbers) % 40 == 0:
            await more()

    inbox.on_head_request = more
    async with verifying(metrics_db, inbox, 5, some_of_battery) as verification:
        verification.metrics.event_hooks["request"].append(before_each)
        steps = await verification.run()
    assert {step.name: step.differences for step in steps if step.differences} == {}


async def test_services_that_are_being_started_are_waited_for(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    refused = Counter[str]()

    async def refuse_first(request: httpx.Request) -> None:
        refused[request.url.host] += 1
        if refused[request.url.host] == 1:
            raise httpx.ConnectError("connection refused", request=request)

    async with verifying(metrics_db, inbox, 5, some_of_battery) as verification:
        for http in (verification.ingest.http, verification.metrics):
            http.event_hooks["request"].append(refuse_first)
        steps = await verification.run()
    assert len(refused) == 2
    assert failed(steps) == []


async def test_the_command_exits_2_when_it_can_reach_nothing() -> None:
    environment = os.environ | {
        "INTERNAL_TOKEN": TOKEN,
        "METRICS_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/metrics",
        "METRICS_INGEST_URL": "http://127.0.0.1:9",
    }
    command = (sys.executable, "-m", "services.metrics.verify", "--patience", "0")
    ran = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    output, _ = await ran.communicate()
    assert (ran.returncode, output.decode().startswith("could not verify")) == (2, True)


async def test_an_answer_that_lies_is_found(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    def alter(body: bytes) -> bytes:
        return body.replace(b'"n":38', b'"n":39')

    async with verifying(metrics_db, inbox, 0, some_of_battery) as verification:
        steps = await with_altered_responses(verification, alter).run()
    assert failed(steps) == [SERVED]


async def test_an_answer_is_compared_again_however_long_the_computation_takes(
    metrics_db: MetricsDatabase, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends a session that waits in a transaction for longer than the services allow."""
    altered = 0

    async def slow_recount(*arguments: Any) -> RecomputedContributions:
        await asyncio.sleep(0.4)
        return await stored_recount(*arguments)

    def alter_first(body: bytes) -> bytes:
        nonlocal altered
        if altered or b'"n":38' not in body:
            return body
        altered += 1
        return body.replace(b'"n":38', b'"n":39')

    monkeypatch.setitem(SERVER_SETTINGS, "idle_in_transaction_session_timeout", "200")
    monkeypatch.setattr(served, "stored_recount", slow_recount)
    async with verifying(metrics_db, inbox, 0, some_of_battery) as verification, open_pool(metrics_db.url) as pool:
        steps = await replace(with_altered_responses(verification, alter_first), pool=pool).run()
    assert (failed(steps), altered) == ([], 1)


@pytest.mark.parametrize("field", ["value", "high"])
async def test_a_wrong_impact_of_a_theme_is_found(metrics_db: MetricsDatabase, inbox: Inbox, field: str) -> None:
    altered = 0

    def alter(body: bytes) -> bytes:
        nonlocal altered
        answer = json.loads(body)
        for row in [row for row in answer["rows"] if row["interval"]][:1]:
            (row if field == "value" else row["interval"])[field] += 0.01
            altered += 1
        return json.dumps(answer).encode()

    async with verifying(metrics_db, inbox, 0, lambda now, zone, own: impact_queries(now, zone)) as verification:
        different = (await with_altered_responses(verification, alter).run())[-1]
    assert different.name == SERVED
    assert all(f"agg={kpi}" in str(different.differences) for kpi in ("nps", "csat", "sentiment"))
    assert altered >= len(different.differences) > 0


async def test_a_group_that_is_served_and_is_not_there_is_found(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    def grouped(now: datetime, zone: ZoneInfo, own: Sequence[str]) -> Iterable[Query]:
        return islice((query for query in battery(now, zone) if query.group_by == ("channel",)), 2)

    def add_group(body: bytes) -> bytes:
        answer = json.loads(body)
        answer["rows"].append(answer["rows"][0] | {"dims": {"channel": "pigeon"}})
        return json.dumps(answer).encode()

    async with verifying(metrics_db, inbox, 0, grouped) as verification:
        assert failed(await with_altered_responses(verification, add_group).run()) == [SERVED]

"""Verification of durations in business hours."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.metrics.domain.query import Query
from services.metrics.verify.battery import battery
from shared.events import Message, Opened, Ticket
from tests.service.metrics.database import MetricsDatabase, serving, statement
from tests.service.metrics.test_calendars import CALENDAR, build, put
from tests.service.metrics.verification import Inbox, ago, failed, verifying, with_altered_responses


def in_business_hours(now: datetime, zone: ZoneInfo, own: Sequence[str]) -> Iterable[Query]:
    """The queries of the first reply time in business hours."""
    return (query for query in battery(now, zone, own) if query.business_hours and query.kpi.id == "first_reply_time")


@pytest.fixture
async def inbox(metrics_db: MetricsDatabase) -> Inbox:
    """Ingest's events of answered tickets of a tenant with a calendar."""
    await metrics_db.tenant()
    events = []
    for number in range(1, 10):
        facts = (Opened(at=ago(60 * 30 * number)), Message(at=ago(60 * 20 * number), by="agent", id="m1"))
        events.append(statement(f"c1/ticket/{number}", Ticket(facts=facts), at=ago(60), seq=number))
    await metrics_db.apply(*events)
    async with serving(metrics_db.url) as http:
        await put(http, "main", CALENDAR | {"from": "2020-01-01"})
    await build(metrics_db)
    return Inbox(events)


async def test_durations_in_business_hours_are_compared(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    async with verifying(metrics_db, inbox, 0, in_business_hours) as verification:
        steps = await verification.run()
    assert failed(steps) == []
    assert steps[-1].compared.startswith("18 answers with ")


async def test_a_wrong_duration_in_business_hours_is_a_difference(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    def alter(body: bytes) -> bytes:
        answer = json.loads(body)
        for row in answer["rows"]:
            row["value"] = row["value"] and row["value"] + 1
        return json.dumps(answer).encode()

    async with verifying(metrics_db, inbox, 0, in_business_hours) as verification:
        steps = await with_altered_responses(verification, alter).run()
    assert failed(steps) == ["contributions → served KPIs"]
    assert all("hours=business" in difference for difference in steps[-1].differences)

"""Verification of the KPIs of SLA policies."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.metrics.domain.query import Query
from services.metrics.verify.battery import battery
from services.metrics.verify.report import CONTRIBUTIONS
from shared.events import Fact, Message, Opened, StatusSet, Ticket
from tests.service.metrics.database import MetricsDatabase, serving, statement
from tests.service.metrics.test_sla import POLICIES, build, put
from tests.service.metrics.verification import Inbox, ago, failed, verifying, with_altered_responses

SECONDS = {"seconds": 7200}
ALL_TARGETS = {
    "id": "all",
    "name": "All",
    "targets": {"first_reply": SECONDS, "next_reply": SECONDS, "resolution": SECONDS},
    "pause": ["pending"],
}


def of_policies(now: datetime, zone: ZoneInfo, own: Sequence[str]) -> Iterable[Query]:
    """The queries of KPIs of SLA policies."""
    return (query for query in battery(now, zone, own) if query.kpi.of_policies)


@pytest.fixture
async def inbox(metrics_db: MetricsDatabase) -> Inbox:
    """Ingest's events of tickets of a tenant with policies: answered in time, too late, and not at all; some are solved."""
    events = []
    for number in range(1, 10):
        took = {1: 1, 2: 5}.get(number % 3)
        reply = () if took is None else (Message(at=ago(24 * number - took), by="agent", id="m1"),)
        later: tuple[Fact, ...] = (
            Message(at=ago(24 * number - 6), by="customer", id="m2"),
            *([Message(at=ago(24 * number - 7), by="agent", id="m3")] if number % 2 else []),
            *([StatusSet(at=ago(24 * number - 8), status="solved")] if number % 4 else []),
        )
        ticket = Ticket(facts=(Opened(at=ago(24 * number)), *reply, *later))
        events.append(statement(f"c1/ticket/{number}", ticket, at=ago(1), seq=number))
    await metrics_db.apply(*events)
    async with serving(metrics_db.url) as http:
        await put(http, POLICIES | {"from": "2020-01-01", "policies": [*POLICIES["policies"][:1], ALL_TARGETS]})
    await build(metrics_db)
    return Inbox(events)


async def test_targets_are_compared(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    async with verifying(metrics_db, inbox, 0, of_policies) as verification:
        assert failed(await verification.run()) == []


async def test_a_wrong_share_of_met_targets_is_a_difference(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    def alter(body: bytes) -> bytes:
        answer = json.loads(body)
        for row in answer["rows"]:
            row["numerator"] = 1 + (row["numerator"] or 0)
        return json.dumps(answer).encode()

    async with verifying(metrics_db, inbox, 0, of_policies) as verification:
        steps = await with_altered_responses(verification, alter).run()
    assert failed(steps) == ["contributions → served KPIs"]
    assert any("sla_first_reply" in difference for difference in steps[-1].differences)


async def test_a_missing_row_of_a_due_ticket_is_a_difference(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    await metrics_db.pool.execute(
        "DELETE FROM contributions WHERE measure IN (SELECT id FROM measures WHERE name = 'sla_due_resolution')"
    )
    async with verifying(metrics_db, inbox, 0, of_policies) as verification:
        assert failed(await verification.run()) == [CONTRIBUTIONS]

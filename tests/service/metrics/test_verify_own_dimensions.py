"""Verification of queries on the tenant's own dimensions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.metrics.domain.query import Query
from services.metrics.verify.battery import battery
from tests.service.metrics.database import MetricsDatabase, serving, survey_response
from tests.service.metrics.test_own_dimensions import declare
from tests.service.metrics.verification import Inbox, ago, failed, verifying, with_altered_responses
from tests.unit.metrics.build import nps

PLANS = ("pro", "free", None)


def of_plans(now: datetime, zone: ZoneInfo, own: Sequence[str]) -> Iterable[Query]:
    """The queries of the NPS on the dimension `plan`."""
    for query in battery(now, zone, own):
        if query.kpi.id == "nps" and "plan" in (*query.group_by, *(one.dimension for one in query.filters)):
            yield query


@pytest.fixture
async def inbox(metrics_db: MetricsDatabase) -> Inbox:
    """Ingest's events of customers on PLANS, which the tenant has declared as a dimension."""
    events = [survey_response(n, nps(n), at=ago(n * 30), dimensions={"plan": PLANS[n % 3], "team": "a"}) for n in range(1, 10)]
    await metrics_db.apply(*events)
    async with serving(metrics_db.url) as http:
        await declare(http, metrics_db, "plan", "tier")
    return Inbox(events)


async def test_groups_and_filters_of_an_own_dimension_are_compared(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    async with verifying(metrics_db, inbox, 0, of_plans) as verification:
        steps = await verification.run()
    assert failed(steps) == []
    assert steps[-1].compared.startswith("4 answers with ")


async def test_a_wrong_group_of_an_own_dimension_is_a_difference(metrics_db: MetricsDatabase, inbox: Inbox) -> None:
    async with verifying(metrics_db, inbox, 0, of_plans) as verification:
        steps = await with_altered_responses(verification, lambda body: body.replace(b'"plan":"pro"', b'"plan":"gold"')).run()
    assert failed(steps) == ["contributions → served KPIs"]
    assert all("group_by=plan" in difference or "group_by=team,plan" in difference for difference in steps[-1].differences)

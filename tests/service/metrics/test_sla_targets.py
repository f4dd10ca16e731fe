"""Targets for next replies and resolutions over HTTP: their KPIs, and the list of what is due."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.events import Fact, Message, StatusSet
from tests.service.metrics.database import MetricsDatabase, serving
from tests.service.metrics.test_sla import NOW, ago, build, opened_ticket, put, row, upcoming

TARGETS = {"first_reply": {"seconds": 3600}, "next_reply": {"seconds": 1800}, "resolution": {"seconds": 14_400}}
POLICIES: dict[str, Any] = {
    "from": "2026-01-01",
    "policies": [{"id": "all", "name": "All", "targets": TARGETS, "pause": ["pending", "on_hold"]}],
}


def replied(minutes_ago: float) -> Fact:
    return Message(at=ago(minutes_ago), by="agent", id=f"a{minutes_ago}")


def question(minutes_ago: float) -> Fact:
    return Message(at=ago(minutes_ago), by="customer", id=f"c{minutes_ago}")


def status(minutes_ago: float, name: Any) -> Fact:
    return StatusSet(at=ago(minutes_ago), status=name)


TICKETS = (
    opened_ticket(1, 120, replied(90), question(40), replied(30), status(20, "solved")),  # both met
    opened_ticket(2, 120, replied(90), question(40)),  # the next reply was due 10 minutes ago, the resolution is in 120
    opened_ticket(3, 30),  # the first reply is due in 30 minutes, the resolution in 210
    opened_ticket(4, 300, replied(290), status(200, "pending")),  # paused after 100 minutes
    opened_ticket(5, 300, replied(290), status(200, "pending"), status(20, "open")),  # due in 120 minutes
    opened_ticket(6, 300, replied(290)),  # the resolution was due 60 minutes ago
)


@pytest.fixture
async def http(metrics_db: MetricsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """A tenant with a policy that has all targets."""
    await metrics_db.apply(*TICKETS)
    async with serving(metrics_db.url, NOW) as http:
        await put(http, POLICIES)
        await build(metrics_db)
        yield http


def entries(page: dict[str, Any]) -> list[tuple[int, str, int]]:
    """The number of the ticket, the metric and the minutes left of each row."""
    return [(int(one["subject"].rsplit("/", 1)[1]), one["metric"], one["seconds_left"] // 60) for one in page["rows"]]


DUE = [
    (6, "resolution", -60),
    (2, "next_reply", -10),
    (3, "first_reply", 30),
    (2, "resolution", 120),
    (5, "resolution", 120),
    (3, "resolution", 210),
]


async def test_the_targets_are_counted_and_the_open_tickets_are_listed_by_each_of_them(http: httpx.AsyncClient) -> None:
    for kpi, met, of in (("sla_first_reply", 5, 5), ("sla_next_reply", 1, 2), ("sla_resolution", 1, 2)):
        value = await row(http, kpi)
        assert (value["numerator"], value["denominator"]) == (met, of)
    assert (await row(http, "sla_breached_open"))["value"] == 2
    assert entries(await upcoming(http)) == DUE
    assert entries(await upcoming(http, "metric=resolution&within=2h")) == [DUE[0], DUE[3], DUE[4]]
    assert entries(await upcoming(http, "metric=next_reply")) == [DUE[1]]


async def test_pages_have_every_target_of_a_ticket_once(http: httpx.AsyncClient) -> None:
    listed, cursor = [], ""
    while cursor is not None:
        page = await upcoming(http, f"limit=1{cursor and f'&cursor={cursor}'}")
        listed += entries(page)
        cursor = page["next"]
    assert listed == DUE

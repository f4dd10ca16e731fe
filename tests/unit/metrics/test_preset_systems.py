"""The presets `zendesk`, `intercom` and `chatwoot`."""

import pytest

from services.metrics.domain.contributions import contributions
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.presets import (
    CHATWOOT,
    INTERCOM,
    ZENDESK,
)
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Assigned, Event, Fact
from tests.unit.metrics.build import at, opened, reply, status, ticket
from tests.unit.metrics.presets import ALWAYS, DAY_OR_NEVER, SLA, TERMS, amounts, message, own, rows_of, targets, times


# --- other systems --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("replies", "touches"),
    [((), 3), ((reply(1, id="a"),), 1), ((reply(1, id="a"), reply(2, id="b")), 2)],
    ids=["none", "one", "two"],
)
def test_one_touch_under_zendesk_is_fewer_than_two_replies_also_none(replies: tuple[Fact, ...], touches: int) -> None:
    rows = rows_of(ZENDESK, *replies, status(5, "solved"), status(6, "open"), status(7, "solved"))
    assert amounts(rows, "touches") == [touches]


def test_under_zendesk_a_solve_by_the_deadline_meets_the_target_of_a_reply() -> None:
    assert targets(rows_of(ZENDESK, status(3, "solved"), terms=TERMS), "first_reply") == [(at(3), 1, None)]
    assert targets(rows_of(ZENDESK, status(5, "solved"), terms=TERMS), "first_reply") == [(at(4), 0, None)]
    facts = message(10), message(30, by="customer"), status(1, "solved")
    assert targets(rows_of(ZENDESK, *facts, terms=Terms(policies=SLA, hours=ALWAYS)), "next_reply") == [(at(1), 1, None)]


def test_durations_under_zendesk_count_by_the_calendar_of_the_last_team_and_waits_by_that_of_each() -> None:
    facts = (
        Assigned(at=at(0), team="never"),
        message(10),
        message(60, by="customer"),
        message(300),
        Assigned(at=at(3), team="day"),
    )
    events: list[Event] = [ticket(opened(0), *facts, status(6, "solved"))]
    both = contributions(view(events), {}, Terms(hours=DAY_OR_NEVER, presets=(ZENDESK,)))
    assert amounts((row for row in both if "@" in row.measure), "first_reply_business:replied") == [10]
    assert amounts((row for row in both if "@" in row.measure), "full_resolution_business") == [360]
    assert "next_reply_business" not in ZENDESK.families
    assert amounts(both, "next_reply_business:replied") == [120]
    opening = own(business_schedules="opening")
    assert amounts(
        rows_of(opening, *facts, status(6, "solved"), terms=Terms(hours=DAY_OR_NEVER)), "full_resolution_business"
    ) == [0]


def test_closes_and_reopenings_under_intercom_count_by_conversation_part() -> None:
    facts = (
        status(1, "open"),
        status(2, "closed"),
        status(3, "closed"),
        status(4, "open"),
        status(5, "pending"),
        status(6, "open"),
    )
    rows = rows_of(INTERCOM, *facts)
    assert times(rows, "solved") == [at(2), at(3)]
    assert times(rows, "reopened") == [at(4), at(6)]


def test_a_reopening_under_intercom_may_have_the_time_of_the_first_close() -> None:
    events = [ticket(opened(0), status(2, "closed"), seq=1), ticket(status(2, "open"), seq=2, at=at(2))]
    rows = [row for row in contributions(view(events), {}, Terms(presets=(INTERCOM,))) if "@" in row.measure]
    assert times(rows, "reopened") == [at(2)]


def test_under_intercom_first_replies_are_filed_by_the_opening_and_medians_are_the_default() -> None:
    assert KPIS["first_reply_time"].under(INTERCOM).filed_by == ("created", "replied")
    assert KPIS["agent_replies"].under(INTERCOM).aggregations[0] == "p50"
    assert KPIS["agent_replies"].aggregations[0] == "mean"


def test_each_resolve_under_chatwoot_is_a_resolution_from_the_opening() -> None:
    rows = rows_of(CHATWOOT, status(5, "solved"), status(6, "open"), status(9, "solved"), status(10, "open"))
    assert amounts(rows, "full_resolution") == [300, 540]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((reply(10),), 600),
        ((status(0, "pending"), status(4, "open"), reply(10)), 360),
        ((status(0, "pending"), status(4, "open"), reply(3)), 180),
        ((status(4, "solved"), status(7, "open"), reply(10)), 180),
    ],
    ids=["no hand-off", "hand-off", "hand-off after the reply", "reopening"],
)
def test_first_replies_under_chatwoot_count_from_the_latest_hand_off_or_reopening(facts: tuple[Fact, ...], expected: int) -> None:
    assert amounts(rows_of(CHATWOOT, *facts), "first_reply:replied") == [expected]

"""Next replies: where the waits of a customer begin and end, and how they are filed."""

from datetime import timedelta

import pytest

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.contributions import contributions
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Assigned, Fact, Message
from tests.unit.metrics.build import at, dim, kpi, opened, reply, rows, rows_in, status, ticket
from tests.unit.metrics.test_business_hours import FIRST, berlin, calendar


def ask(minutes: float, **fields: object) -> Message:
    return reply(minutes, by="customer", id=f"c{minutes}", **fields)


def answer(minutes: float, **fields: object) -> Message:
    return reply(minutes, id=f"a{minutes}", **fields)


def waits(*facts: Fact, by: str = "customer") -> list[tuple[float, float]]:
    """The minutes at which each wait began and was answered."""
    counted = rows(ticket(opened(0, by=by), *facts))
    begun, ended = (rows_in(counted, f"next_reply:{event}") for event in ("asked", "replied"))
    assert sorted(seconds for *_, seconds in begun) == sorted(seconds for *_, seconds in ended)
    return [(minute - seconds / 60, minute) for minute, _, seconds in ended]


BOT = {"by": "bot"}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([answer(5)], []),
        ([ask(3), answer(5)], []),
        ([answer(5), ask(10), answer(30)], [(10, 30)]),
        ([answer(5), ask(10), ask(20), answer(30)], [(10, 30)]),
        ([answer(5), ask(10), answer(30), answer(40), ask(50), answer(51)], [(10, 30), (50, 51)]),
        ([answer(5), ask(10)], []),
        ([answer(5), ask(10), reply(20, **BOT), answer(30)], [(10, 30)]),
        ([answer(5), ask(10), answer(20, auto=True), answer(30)], [(10, 30)]),
        ([answer(5), ask(10), answer(20, public=False), answer(30)], [(10, 30)]),
        ([answer(5, public=False), ask(10), answer(30)], []),
        ([reply(5, **BOT), ask(10), answer(30)], []),
        ([answer(5), ask(10, public=False), answer(30)], []),
        ([answer(5), ask(10, auto=True), answer(30)], []),
        ([answer(5), ask(10), status(20, "solved"), answer(30)], []),
        ([answer(5), ask(10), status(20, "solved"), ask(25), answer(30), ask(40), answer(41)], [(40, 41)]),
        ([answer(5), status(6, "solved"), ask(10), answer(30)], [(10, 30)]),
        ([answer(5), ask(10), status(20, "pending"), answer(30)], [(10, 30)]),
        ([answer(5), ask(10), answer(30), status(30, "solved")], [(10, 30)]),
        ([answer(5), ask(10), answer(10)], [(10, 10)]),
    ],
    ids=[
        "the first reply", "before the first reply", "an answer", "further messages", "several waits", "no answer yet", "a bot",
        "an automatic reply", "a private note", "after a private note", "after a bot", "a private message",
        "an automatic message", "a solve",
        "a message after that solve", "a message after a solve", "pending", "solved with the reply", "at one time",
    ],
)  # fmt: skip
def test_a_wait_lasts_from_the_first_message_after_an_agents_to_the_next_of_an_agent(
    facts: list[Fact], expected: list[tuple[float, float]]
) -> None:
    assert waits(*facts) == expected
    assert waits(*reversed(facts)) == expected


def test_the_opening_by_an_agent_is_a_message_that_a_customer_can_respond_to() -> None:
    assert waits(ask(10), answer(30), by="agent") == [(10, 30)]
    assert waits(ask(10), answer(30), by="bot") == []
    note = ticket(opened(0, by="agent", public=False), ask(10), answer(30))
    assert rows_in(rows(note), "next_reply:replied") == []


def test_a_wait_is_filed_under_the_reply_or_the_message_with_the_team_of_that_time() -> None:
    moved = Assigned(at=at(0), team="billing"), Assigned(at=at(20), team="tech")
    counted = rows(ticket(opened(0), answer(5), ask(10), answer(30), *moved))
    by_event = {row.measure: (row.at, dim(row, "team")) for row in counted if row.measure.startswith("next_reply")}
    assert by_event == {"next_reply:replied": (at(30), "tech"), "next_reply:asked": (at(10), "billing")}
    assert kpi("next_reply_time", counted, agg="mean").value == 1200
    assert kpi("next_reply_time", counted, end=20, filed_by="asked").n == 1
    assert kpi("next_reply_time", counted, end=20).n == 0


def test_a_wait_in_business_hours_counts_the_open_time() -> None:
    office = Terms(hours=BusinessHours([calendar(first_day=FIRST)]))
    minute = (berlin("2026-03-27T16:30") - at(0)) / timedelta(minutes=1)
    monday = (berlin("2026-03-30T09:20") - at(0)) / timedelta(minutes=1)
    facts = opened(minute - 100), answer(minute - 90), ask(minute), answer(monday)
    counted = contributions(view([ticket(*facts)]), {}, office)
    assert [seconds for *_, seconds in rows_in(counted, "next_reply:replied")] == [229_800]
    assert [seconds for *_, seconds in rows_in(counted, "next_reply_business:replied")] == [3_000]
    assert [seconds for *_, seconds in rows_in(counted, "next_reply_business:asked")] == [3_000]

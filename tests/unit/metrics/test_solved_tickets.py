"""KPIs of tickets that are solved: the time in their statuses, their replies, and the share of a cohort that is solved."""

from datetime import date, timedelta

import pytest
from hypothesis import given

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Event, Fact
from tests.unit.metrics import strategies
from tests.unit.metrics.build import at, kpi, opened, reply, rows, rows_in, status, ticket
from tests.unit.metrics.test_business_hours import FIRST, berlin, calendar

TIMES = ("handling", "requester_wait", "agent_wait")


def times(*facts: Fact, start: float = 0) -> list[list[tuple[float, float]]]:
    """For each of TIMES the minute that files it, and its minutes."""
    counted = rows(ticket(opened(start), *facts))
    return [[(minute, seconds / 60) for minute, _, seconds in rows_in(counted, name)] for name in TIMES]


def answer(minutes: float, **fields: object) -> Fact:
    return reply(minutes, id=f"a{minutes}", **fields)


# --- time in statuses -----------------------------------------------------------------------------------------------------
def test_the_time_of_a_solved_ticket_is_divided_among_its_statuses() -> None:
    facts = status(10, "open"), status(30, "pending"), status(70, "on_hold"), status(150, "open"), status(155, "solved")
    assert times(*facts) == [[(155, 35)], [(155, 115)], [(155, 40)]]
    assert times(*facts[:-1]) == [[], [], []]
    assert times(status(5, "closed")) == [[(5, 5)], [(5, 5)], [(5, 0)]]


def test_a_reopening_withdraws_the_times_and_the_time_while_it_was_solved_is_left_out() -> None:
    facts = status(10, "solved"), status(100, "open")
    assert times(*facts) == [[], [], []]
    assert times(*facts, status(103, "pending"), status(110, "solved"), status(200, "closed")) == [
        [(110, 13)],
        [(110, 13)],
        [(110, 7)],
    ]


def test_a_status_before_the_opening_is_the_initial_one() -> None:
    assert times(status(5, "pending"), status(30, "solved"), start=10) == [[(30, 0)], [(30, 0)], [(30, 20)]]
    assert times(status(0, "pending"), status(5, "solved"), start=10) == [[], [], []]


@given(strategies.of_ticket)
def test_the_times_add_up_to_the_resolution_time_but_for_the_time_while_it_was_solved(events: list[Event]) -> None:
    subject = view(events)
    counted = contributions(subject, {})
    full = rows_in(counted, "full_resolution")
    waited, pending = (rows_in(counted, name) for name in ("requester_wait", "agent_wait"))
    assert len(full) == len(waited) == len(pending)
    for (minute, _, seconds), (_, _, wait), (_, _, agent) in zip(full, waited, pending, strict=True):
        assert subject.ticket is not None
        solved = zip(subject.ticket.solves, subject.ticket.reopenings, strict=False)
        apart = sum(((again - max(solve.at, subject.ticket.opened)).total_seconds() for solve, again in solved), 0.0)
        assert wait + agent == seconds - apart, minute


OFFICE = BusinessHours([calendar(first_day=FIRST)])


def in_business_hours(*facts: Fact, start: float, hours: BusinessHours = OFFICE) -> list[list[int]]:
    counted = contributions(view([ticket(opened(start), *facts)]), {}, Terms(hours=hours))
    return [[seconds for *_, seconds in rows_in(counted, f"{name}_business")] for name in TIMES]


def minutes(text: str) -> float:
    return (berlin(text) - at(0)) / timedelta(minutes=1)


def test_the_times_in_business_hours_count_the_open_time_in_the_statuses() -> None:
    facts = status(minutes("2026-03-27T16:45"), "pending"), status(minutes("2026-03-30T09:10"), "open")
    solved = status(minutes("2026-03-30T09:20"), "solved")
    friday = minutes("2026-03-27T16:30")
    assert in_business_hours(*facts, solved, start=friday) == [[1500], [1500], [1500]]
    saturday = minutes("2026-03-28T10:00")
    assert in_business_hours(status(saturday + 60, "solved"), start=saturday) == [[0], [0], [0]]


def test_without_a_calendar_for_a_part_of_its_life_a_ticket_has_no_times_in_business_hours() -> None:
    later = BusinessHours([calendar(first_day=date(2026, 11, 3))])
    assert in_business_hours(status(2880, "solved"), start=0, hours=later) == [[], [], []]


# --- replies --------------------------------------------------------------------------------------------------------------
def touches(*facts: Fact) -> tuple[float | None, float | None, float | None]:
    counted = rows(ticket(opened(0), *facts))
    return kpi("one_touch_rate", counted).value, kpi("no_reply_rate", counted).value, kpi("agent_replies", counted).value


SOLVED = status(60, "solved")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], (None, None, None)),
        ([answer(5)], (None, None, None)),
        ([SOLVED], (0, 100, 0)),
        ([answer(5), SOLVED], (100, 0, 1)),
        ([answer(5), answer(6), SOLVED], (0, 0, 2)),
        ([answer(5), answer(90), SOLVED], (0, 0, 2)),
        ([answer(5, public=False), reply(6, by="bot"), answer(7, auto=True), SOLVED], (0, 100, 0)),
        ([answer(5), status(10, "solved"), status(20, "open"), SOLVED], (0, 0, 1)),
        ([status(10, "solved"), status(20, "open"), SOLVED], (0, 100, 0)),
        ([answer(5), SOLVED, status(70, "closed")], (100, 0, 1)),
    ],
    ids=[
        "open", "open with a reply", "none", "one", "two", "one after the solve", "none of a human in public", "reopened",
        "reopened without a reply", "closed after the solve",
    ],
)  # fmt: skip
def test_one_touch_is_one_reply_and_never_reopened(facts: list[Fact], expected: tuple[float | None, ...]) -> None:
    assert touches(*facts) == expected


def test_replies_have_a_mean_and_a_median_and_are_filed_under_the_last_solve() -> None:
    counted: list[Contribution] = []
    for seq, replies in enumerate((0, 1, 5)):
        counted += rows(ticket(opened(0), *(answer(n + 1) for n in range(replies)), status(50, "solved"), seq=seq))
    assert kpi("agent_replies", counted).value == 2
    assert kpi("agent_replies", counted, agg="p50").value == 1
    assert kpi("agent_replies", counted).distribution == {0: 1, 1: 1, 5: 1}
    assert kpi("agent_replies", counted, start=51).n == kpi("agent_replies", counted, end=50).n == 0


def test_the_opening_by_an_agent_is_no_reply() -> None:
    counted = rows(ticket(opened(0, by="agent"), SOLVED))
    assert kpi("no_reply_rate", counted).value == 100


# --- cohorts --------------------------------------------------------------------------------------------------------------
def test_the_rate_of_a_cohort_is_the_share_of_the_opened_tickets_that_are_solved_now() -> None:
    events = [
        ticket(opened(0), status(500, "solved"), subject="c1/ticket/1"),
        ticket(opened(1), status(5, "solved"), status(6, "open"), subject="c1/ticket/2"),
        ticket(opened(2), subject="c1/ticket/3"),
        ticket(opened(100), status(101, "closed"), subject="c1/ticket/4"),
    ]
    counted = rows(*events)
    early = kpi("resolution_rate_cohort", counted, end=50)
    assert (early.numerator, early.denominator, early.interval and early.interval.method) == (1, 3, "wilson")
    assert kpi("resolution_rate_cohort", counted).numerator == 2
    assert kpi("resolution_rate_cohort", counted, start=50).value == 100


def test_a_cohort_matures_thirty_days_after_the_end_of_its_period() -> None:
    cohort, end = KPIS["resolution_rate_cohort"], at(0)
    assert cohort.is_maturing(end, end + timedelta(days=30) - timedelta.resolution)
    assert not cohort.is_maturing(end, end + timedelta(days=30))
    assert not KPIS["resolution_rate"].is_maturing(end, end)

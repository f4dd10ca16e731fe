"""SLA targets for next replies and resolutions: met, breached, paused, cancelled, and what is due."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.sla import Conditions, Policies, Policy, PolicyVersion, Target
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Assigned, Deleted, Event, Fact, Message, Opened, PrioritySet, StatusSet
from tests.unit.metrics.build import at, dim, kpi, opened, reply, rows_in, status, ticket
from tests.unit.metrics.test_business_hours import ALWAYS, FIRST, berlin, calendar
from tests.unit.metrics.test_sla import LONG_AGO

HOUR = Target(3600)


def terms(hours: BusinessHours | None = None, **targets: Any) -> Terms:
    policy = Policy("all", "All", Conditions(), **targets)
    return Terms(policies=Policies([PolicyVersion(LONG_AGO, (policy,))]), hours=hours or BusinessHours())


NEXT, RESOLUTION = terms(next_reply=HOUR), terms(resolution=HOUR, pause=("pending", "on_hold"))


def rows(*facts: Fact, under: Terms, by: Any = "customer") -> list[Contribution]:
    return contributions(view([ticket(opened(0, by=by), *facts)]), {}, under)


def counted(measure: str, *facts: Fact, under: Terms, by: Any = "customer") -> list[tuple[float, int]]:
    return [(minute, amount) for minute, _, amount in rows_in(rows(*facts, under=under, by=by), measure)]


def ask(minutes: float) -> Message:
    return reply(minutes, by="customer", id=f"c{minutes}")


def answer(minutes: float, **fields: Any) -> Message:
    return reply(minutes, id=f"a{minutes}", **fields)


# --- next reply -----------------------------------------------------------------------------------------------------------
QUESTION = answer(5), ask(100)


@pytest.mark.parametrize(
    ("facts", "expected", "due"),
    [
        ([answer(5)], [], False),
        ([answer(159)], [(159, 1)], False),
        ([answer(160)], [(160, 1)], False),
        ([answer(160 + 1 / 60)], [(160, 0)], False),
        ([], [(160, 0)], True),
        ([ask(150), answer(155)], [(155, 1)], False),
        ([status(130, "solved")], [], False),
        ([status(160, "solved")], [], False),
        ([status(161, "solved")], [(160, 0)], False),
        ([status(130, "solved"), status(140, "open")], [], False),
        ([status(161, "solved"), status(170, "open")], [(160, 0)], False),
        ([status(90, "solved")], [], False),
        ([status(90, "solved"), answer(110)], [(110, 1)], False),
        ([status(90, "solved"), status(101, "open")], [(160, 0)], True),
        ([status(130, "pending")], [(160, 0)], True),
        ([answer(110), ask(200)], [(110, 1), (260, 0)], True),
    ],
    ids=[
        "no wait", "in time", "at the deadline", "a second late", "no reply", "a further message", "solved before",
        "solved at the deadline", "solved after", "solved and reopened", "solved after and reopened", "asked after a solve",
        "asked after a solve and answered", "reopened by the message", "pending doesn't pause it", "a second wait",
    ],
)  # fmt: skip
def test_each_wait_has_a_target_from_the_customers_message_on(
    facts: list[Fact], expected: list[tuple[float, int]], due: bool
) -> None:
    begun = [] if facts == [answer(5)] else list(QUESTION)
    assert counted("sla_next_reply", *begun, *facts, under=NEXT) == expected
    assert bool(counted("sla_due_next_reply", *begun, *facts, under=NEXT)) is due


def test_a_ticket_that_an_agent_opened_has_targets_but_for_the_first_reply() -> None:
    under = terms(first_reply=HOUR, next_reply=HOUR, resolution=HOUR)
    facts = ask(10), answer(20), status(30, "solved")
    measures = [row.measure for row in rows(*facts, under=under, by="agent") if row.measure.startswith("sla_")]
    assert sorted(measures) == ["sla_next_reply", "sla_resolution"]


def test_the_time_of_a_next_reply_in_business_hours_begins_with_the_message() -> None:
    office = terms(hours=BusinessHours([calendar(first_day=FIRST)]), next_reply=Target(1800, business=True))
    friday, monday = ((berlin(text) - at(0)) / timedelta(minutes=1) for text in ("2026-03-27T16:30", "2026-03-30T09:00"))
    facts = answer(friday - 120), ask(friday)
    waiting = contributions(view([ticket(opened(friday - 180), *facts)]), {}, office)
    assert rows_in(waiting, "sla_next_reply") == [(monday, 0, 0)]
    replied = contributions(view([ticket(opened(friday - 180), *facts, answer(friday + 1000))]), {}, office)
    assert rows_in(replied, "sla_next_reply") == [(friday + 1000, 1, 1)]


# --- resolution -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "expected", "due"),
    [
        ([], [(60, 0)], [60]),
        ([status(59, "solved")], [(59, 1)], []),
        ([status(60, "solved")], [(60, 1)], []),
        ([status(60 + 1 / 60, "solved")], [(60, 0)], []),
        ([status(10, "pending")], [], []),
        ([status(10, "pending"), status(500, "open")], [(550, 0)], [550]),
        ([status(10, "pending"), status(500, "open"), status(530, "solved")], [(530, 1)], []),
        ([status(10, "on_hold"), status(500, "pending"), status(900, "solved")], [(900, 1)], []),
        ([status(60, "pending")], [], []),
        ([status(60, "pending"), status(500, "open")], [(500, 0)], [500]),
        ([status(60, "pending"), status(500, "solved")], [(500, 1)], []),
        ([status(61, "pending")], [(60, 0)], [60]),
        ([status(30, "solved"), status(100, "open")], [(130, 0)], [130]),
        ([status(30, "solved"), status(100, "open"), status(120, "solved")], [(120, 1)], []),
        ([status(30, "solved"), status(100, "open"), status(200, "closed")], [(130, 0)], []),
        ([status(30, "solved"), status(100, "pending")], [], []),
        ([answer(5), ask(10)], [(60, 0)], [60]),
        ([Deleted(at=at(90))], [], []),
    ],
    ids=[
        "unsolved", "in time", "at the deadline", "a second late", "paused", "paused for a while", "solved after a pause",
        "solved in a pause", "paused at the deadline", "the time used up in a pause", "solved then", "paused after the deadline",
        "reopened", "solved again in time", "solved again too late", "reopened and paused", "replies", "deleted",
    ],
)  # fmt: skip
def test_the_time_of_a_resolution_runs_while_the_ticket_is_unsolved_and_not_paused(
    facts: list[Fact], expected: list[tuple[float, int]], due: list[float]
) -> None:
    assert counted("sla_resolution", *facts, under=RESOLUTION) == expected
    assert [minute for minute, _ in counted("sla_due_resolution", *facts, under=RESOLUTION)] == due


def test_without_statuses_that_pause_it_the_time_of_a_resolution_runs_on() -> None:
    assert counted("sla_resolution", status(10, "pending"), under=terms(resolution=HOUR)) == [(60, 0)]


UNSOLVED: Any = ["new", "open", "pending", "on_hold"]
LIFE = st.lists(st.tuples(st.integers(1, 30), st.sampled_from([*UNSOLVED, "solved"])), max_size=8)


@given(LIFE, st.integers(1, 60))
def test_a_resolution_equals_a_count_of_single_minutes(life: list[tuple[int, Any]], target: int) -> None:
    facts, minute = [], 0
    for length, name in life:
        minute += length
        facts.append(StatusSet(at=at(minute), status=name))
    by_minute: list[str] = []
    for step in range(minute + target + 1):
        earlier = [fact.status for fact in facts if fact.at <= at(step)]
        by_minute.append(earlier[-1] if earlier else "new")
    used, expected = 0, None
    for step, name in enumerate(by_minute):
        if name in ("new", "open"):
            if used == target:
                expected = (step, 0)
                break
            used += 1
    if expected is None and by_minute[-1] == "solved":
        solves = [step for step, name in enumerate(by_minute) if name == "solved" and by_minute[step - 1] != "solved"]
        expected = (solves[-1], 1)
    under = terms(resolution=Target(60 * target), pause=("pending", "on_hold"))
    assert counted("sla_resolution", *facts, under=under) == ([] if expected is None else [expected])


def test_the_time_of_a_resolution_in_business_hours() -> None:
    office = terms(hours=BusinessHours([calendar(first_day=FIRST)]), resolution=Target(1800, business=True), pause=("pending",))
    friday, monday = ((berlin(text) - at(0)) / timedelta(minutes=1) for text in ("2026-03-27T16:30", "2026-03-30T09:00"))

    def resolution(*facts: Fact) -> list[tuple[float, int]]:
        subject = view([ticket(opened(friday), *facts)])
        return [(minute, met) for minute, _, met in rows_in(contributions(subject, {}, office), "sla_resolution")]

    assert resolution() == [(monday, 0)]
    assert resolution(status(monday, "solved")) == [(monday, 1)]
    assert resolution(status(friday + 10, "pending"), status(monday + 5, "open")) == [(monday + 25, 0)]
    assert resolution(status(friday + 10, "pending"), status(monday + 5, "open"), status(monday + 25, "solved")) == [
        (monday + 25, 1)
    ]


def test_without_a_calendar_a_target_in_business_hours_counts_nothing() -> None:
    under = terms(next_reply=Target(60, business=True), resolution=Target(60, business=True), pause=("pending",))
    facts = answer(5), ask(10), status(20, "pending"), status(30, "solved")
    assert [row for row in rows(*facts, under=under) if row.measure.startswith("sla_")] == []


def test_a_breach_stays_when_the_ticket_goes_to_a_team_without_a_calendar() -> None:
    """The deadlines lie in the hours of the first team; the reply and the solve come when another team has the ticket."""
    hours = BusinessHours([calendar(ALWAYS, first_day=FIRST, teams=("a",))])
    target = Target(1800, business=True)
    under = terms(hours=hours, first_reply=target, next_reply=target, resolution=target)
    team = Assigned(at=at(0), team="a"), Assigned(at=at(100), team="b")
    late: list[list[Fact]] = [[], [answer(110), status(120, "solved")]]
    for facts in late:
        for measure in ("sla_first_reply", "sla_resolution"):
            assert counted(measure, *team, *facts, under=under) == [(30, 0)], (measure, facts)
        assert counted("sla_next_reply", *team, answer(5), ask(10), *facts, under=under) == [(40, 0)], facts
    early = Assigned(at=at(0), team="a"), Assigned(at=at(20), team="b")
    assert counted("sla_first_reply", *early, answer(110), under=under) == []
    assert counted("sla_resolution", *early, status(120, "solved"), under=under) == []


@pytest.mark.parametrize("before", [(status(0, "pending"),), ()])
def test_a_resolution_whose_time_never_ran_needs_a_calendar_at_the_opening(before: tuple[Fact, ...]) -> None:
    """It took no time. In business hours that is not 0, but unknown, where there is no calendar."""
    facts = (*before, status(9 if before else 0, "solved"))
    target, pause = Target(3600, business=True), ("pending",)
    always = BusinessHours([calendar(ALWAYS, first_day=FIRST)])
    without, covered = (terms(hours=hours, resolution=target, pause=pause) for hours in (None, always))
    assert counted("sla_resolution", *facts, under=without) == []
    assert counted("sla_resolution", *facts, under=covered) == [(9 if before else 0, 1)]
    assert counted("sla_resolution", *facts, under=terms(resolution=HOUR, pause=pause)) == [(9 if before else 0, 1)]


# --- all targets ----------------------------------------------------------------------------------------------------------
def test_a_policy_without_a_target_gives_none_although_a_later_policy_has_one() -> None:
    first, second = Policy("a", "A", Conditions(), next_reply=HOUR), Policy("b", "B", Conditions(), first_reply=HOUR)
    under = Terms(policies=Policies([PolicyVersion(LONG_AGO, (first, second))]))
    assert counted("sla_first_reply", answer(5), under=under) == []


def test_the_priority_of_every_target_is_that_at_which_the_policy_applied() -> None:
    under = terms(next_reply=HOUR, resolution=HOUR)
    facts = PrioritySet(at=at(0), priority="high"), answer(5), PrioritySet(at=at(8), priority="low"), ask(10)
    assert {dim(row, "priority") for row in rows(*facts, under=under) if row.measure.startswith("sla_")} == {"high"}


def test_a_ticket_that_is_past_several_deadlines_is_counted_once() -> None:
    under = terms(first_reply=HOUR, next_reply=HOUR, resolution=Target(7200))
    assert counted("sla_overdue", under=under) == [(60, 1)]
    facts = answer(90), ask(100), answer(140)
    assert counted("sla_overdue", *facts, under=under) == [(60, 1), (90, -1), (120, 1)]
    late = answer(90), ask(95), answer(160), status(170, "solved")
    assert counted("sla_overdue", *late, under=under) == [(60, 1), (90, -1), (120, 1), (170, -1)]
    levels = rows(*late, under=under)
    assert [kpi("sla_breached_open", levels, end=minute).value for minute in (61, 100, 121, 157, 171)] == [1, 0, 1, 1, 0]


def test_a_ticket_is_due_once_for_each_target_with_the_team_that_has_it() -> None:
    under = terms(first_reply=HOUR, next_reply=HOUR, resolution=Target(7200))
    moved = Assigned(at=at(0), team="a"), Assigned(at=at(11), team="b")
    due = [row for row in rows(answer(5), ask(10), *moved, under=under) if row.measure.startswith("sla_due")]
    assert [(row.measure, row.at, dim(row, "team")) for row in due] == [
        ("sla_due_next_reply", at(70), "b"),
        ("sla_due_resolution", at(120), "b"),
    ]


def test_a_ticket_of_a_time_beyond_the_calendar_has_no_deadline() -> None:
    far: Event = ticket(Opened(at=datetime(9999, 12, 30, tzinfo=at(0).tzinfo)))
    under = terms(first_reply=HOUR, next_reply=HOUR, resolution=HOUR)
    assert [row for row in contributions(view([far]), {}, under) if row.measure.startswith("sla_")] == []

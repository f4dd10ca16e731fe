"""The preset `dbt_zendesk`: the rules of the dbt package for Zendesk."""

from datetime import timedelta

import pytest

from services.metrics.domain.presets import (
    DBT_ZENDESK,
    ZENDESK,
)
from services.metrics.domain.sla import Conditions, Policies, Policy, PolicyVersion, Target
from services.metrics.domain.terms import Terms
from shared.events import Assigned, Deleted, Fact, Opened, PrioritySet, Spam
from tests.unit.metrics.build import at, opened, status
from tests.unit.metrics.presets import ALWAYS, DAY_OR_NEVER, SLA, TERMS, amounts, message, own, rows_of, targets, times


# --- dbt_zendesk ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], []),
        ([message(300)], [300]),
        ([message(60, by="bot"), message(300)], [60]),
        ([message(60, auto=True), message(300)], [60]),
        ([message(60, public=False), message(300)], [300]),
        ([message(60, by="customer"), message(300)], [300]),
        ([message(0.9), message(300)], [300]),
        ([message(1), message(300)], [1]),
        ([message(59.999)], [59]),
        ([message(300), Deleted(at=at(90))], [300]),
        ([message(300), Spam(at=at(1))], [300]),
        ([status(1, "solved"), message(300)], [300]),
    ],
    ids=[
        "none", "an agent", "a bot", "an automatic one", "a private note", "a customer", "in the second of the opening",
        "a second later", "whole seconds", "deleted", "spam", "after a solve",
    ],
)  # fmt: skip
def test_the_first_reply_under_dbt_zendesk_is_the_first_public_message_of_staff_after_the_second_of_the_opening(
    facts: list[Fact], expected: list[int]
) -> None:
    rows = rows_of(DBT_ZENDESK, *facts)
    assert amounts(rows, "first_reply:replied") == expected
    assert amounts(rows, "first_reply:created") == expected


def test_the_second_of_the_opening_begins_at_its_whole_second() -> None:
    late = Opened(at=at(0) + timedelta(seconds=10, milliseconds=900))
    assert amounts(rows_of(DBT_ZENDESK, message(11.1), message(99), opening=late), "first_reply:replied") == [1]
    assert amounts(rows_of(DBT_ZENDESK, message(10.95), message(99), opening=late), "first_reply:replied") == [89]


def test_waits_under_dbt_zendesk_end_with_staff_and_not_with_a_solve() -> None:
    facts = message(60, by="bot"), message(100, by="customer"), status(2, "solved"), message(400), message(500, by="customer")
    rows = rows_of(DBT_ZENDESK, *facts)
    assert amounts(rows, "next_reply:asked") == [300]
    opened_by_agent = rows_of(DBT_ZENDESK, message(60, by="customer"), message(90), opening=opened(0, by="agent"))
    assert amounts(opened_by_agent, "next_reply:asked") == [30]


def test_a_reply_of_the_message_s_own_second_does_not_end_a_wait_under_dbt_zendesk() -> None:
    """The package takes the first comment of staff that is later than the message; its times are whole seconds."""
    facts = message(60), message(120.2, by="customer"), message(120.7, by="bot"), message(720)
    assert amounts(rows_of(DBT_ZENDESK, *facts), "next_reply:asked") == [600]
    again = message(300, by="customer")
    assert amounts(rows_of(DBT_ZENDESK, *facts, again), "next_reply:asked") == [600, 420]


@pytest.mark.parametrize(
    ("facts", "first", "full", "solves", "reopened", "in_business"),
    [
        ((status(5, "solved"),), [360], [360], 1, 0, True),
        ((status(5, "solved"), status(9, "closed")), [360], [360], 1, 0, True),
        ((status(5, "closed"),), [360], [360], 1, 0, True),
        ((status(5, "solved"), status(7, "open"), status(9, "solved")), [360], [600], 2, 1, True),
        ((status(5, "solved"), status(7, "open")), [360], [360], 1, 0, False),
        ((status(5, "solved"), Deleted(at=at(7))), [360], [360], 1, 0, False),
        ((status(5, "solved"), Deleted(at=at(7)), Deleted(at=at(8), value=False)), [360], [540], 2, 1, True),
        ((status(5, "solved"), status(6, "solved")), [360], [360], 1, 0, True),
        ((), [], [], 0, 0, False),
    ],
    ids=["solved", "closed later", "never solved", "twice", "reopened", "deleted", "restored", "repeated", "open"],
)
def test_resolutions_under_dbt_zendesk_are_minutes_of_the_clock_to_the_statuses_solved(
    facts: tuple[Fact, ...], first: list[int], full: list[int], solves: int, reopened: int, in_business: bool
) -> None:
    """Opened ten seconds before a minute: 5 min 10 s are six minutes of the clock. In business hours they are 310 s."""
    rows = rows_of(DBT_ZENDESK, *facts, opening=Opened(at=at(0) - timedelta(seconds=10)), terms=Terms(hours=ALWAYS))
    assert amounts(rows, "first_resolution") == first
    assert amounts(rows, "full_resolution") == full
    assert (len(amounts(rows, "solved")), len(amounts(rows, "reopened"))) == (solves, reopened)
    assert amounts(rows, "full_resolution_business") == [seconds - 50 for seconds in full if in_business]
    assert amounts(rows, "opened_solved") == [int(in_business)]


def test_times_in_statuses_under_dbt_zendesk_count_minutes_of_the_clock_for_each_period() -> None:
    """Pending from 3:40 to 5:20 is two minutes, and from 7:10 to 7:50 none."""
    facts = (
        status(3 + 40 / 60, "pending"),
        status(5 + 20 / 60, "open"),
        status(7 + 10 / 60, "pending"),
        status(7 + 50 / 60, "solved"),
    )
    rows = rows_of(DBT_ZENDESK, *facts)
    assert amounts(rows, "agent_wait") == [120]
    assert amounts(rows, "handling") == [(3 + 2) * 60]
    assert amounts(rows_of(ZENDESK, *facts), "agent_wait") == []  # ours is read: 140 seconds


def test_a_deleted_ticket_under_dbt_zendesk_is_neither_open_nor_solved() -> None:
    rows = rows_of(DBT_ZENDESK, status(1, "open"), Deleted(at=at(5)), Deleted(at=at(8), value=False), status(10, "solved"))
    assert amounts(rows, "backlog") == [1, -1, 1, -1]
    assert times(rows, "backlog") == [at(0), at(5), at(8), at(10)]
    assert amounts(rows, "handling") == [(5 + 2) * 60]


@pytest.mark.parametrize(
    ("facts", "opening", "replies", "touches"),
    [
        ((message(60),), opened(0), 1, 1),
        ((message(60), message(90)), opened(0), 2, 2),
        ((message(60, by="bot"), message(90)), opened(0), 2, 2),
        ((), opened(0, by="agent"), 0, 3),
        ((message(60),), opened(0, by="agent"), 1, 2),
        ((message(60), message(90)), opened(0, by="agent", public=False), 1, 2),
        ((message(60),), opened(0, by="agent", public=False), 0, 3),
        ((), opened(0), 0, 0),
    ],
    ids=["one", "two", "a bot too", "opening", "opening and reply", "private opening", "first message", "none"],
)
def test_replies_under_dbt_zendesk_are_public_messages_of_staff_but_the_first_message_of_the_ticket(
    facts: tuple[Fact, ...], opening: Opened, replies: int, touches: int
) -> None:
    """Touches: 0 no reply, 1 one touch, 2 neither, 3 both. A reopening makes no difference."""
    solved_twice = status(10, "solved"), status(11, "open"), status(12, "solved")
    rows = rows_of(DBT_ZENDESK, *facts, *solved_twice, opening=opening)
    assert amounts(rows, "agent_replies") == [replies]
    assert amounts(rows, "touches") == [touches]


def test_under_dbt_zendesk_each_policy_that_applies_has_targets_of_its_own_and_a_solve_meets_those_of_replies() -> None:
    facts = PrioritySet(at=at(3), priority="high"), status(4, "solved")
    rows = rows_of(DBT_ZENDESK, *facts, terms=TERMS)
    assert targets(rows, "first_reply") == [(at(4), 1, None)]  # of the policy at the opening: within 240 seconds
    assert targets(rows, "resolution") == [(at(4), 1, "high"), (at(4), 1, None)]
    late = Policies([PolicyVersion(at(-100), (SLA.versions[0].policies[0],))])  # applies with the priority alone
    rows = rows_of(DBT_ZENDESK, *facts, terms=Terms(policies=late))
    assert targets(rows, "first_reply") == [(at(2), 0, "high")]


def test_under_dbt_zendesk_a_wait_has_a_target_of_each_policy_that_was_in_force_meanwhile() -> None:
    facts = message(10), message(30, by="customer"), PrioritySet(at=at(1), priority="high"), message(100)
    rows = rows_of(DBT_ZENDESK, *facts, terms=Terms(policies=SLA, hours=ALWAYS))
    assert targets(rows, "next_reply") == [(at(1.5), 0, "high"), (at(100 / 60), 1, None)]


def test_under_dbt_zendesk_a_wait_has_no_target_of_a_policy_that_was_replaced_before_it() -> None:
    facts = message(10), PrioritySet(at=at(1), priority="high"), message(120, by="customer"), message(150)
    rows = rows_of(DBT_ZENDESK, *facts, terms=Terms(policies=SLA, hours=ALWAYS))
    assert targets(rows, "next_reply") == [(at(2.5), 1, "high")]


def test_under_dbt_zendesk_a_ticket_that_a_bot_opened_is_an_agents() -> None:
    terms = Terms(policies=SLA, hours=ALWAYS)
    by_bot = rows_of(DBT_ZENDESK, message(10), message(20, by="customer"), message(30), opening=opened(0, by="bot"), terms=terms)
    assert targets(by_bot, "first_reply") == []
    assert targets(by_bot, "next_reply") == [(at(30 / 60), 1, None)]
    assert targets(rows_of(DBT_ZENDESK, message(10), terms=terms), "first_reply") == [(at(10 / 60), 1, None)]


def test_business_hours_under_dbt_zendesk_count_whole_seconds_by_the_calendar_that_is_set_within_five_seconds() -> None:
    first, terms = Assigned(at=at(0), team="never"), Terms(hours=DAY_OR_NEVER)
    soon = rows_of(DBT_ZENDESK, first, Assigned(at=at(5 / 60), team="day"), status(5.5, "solved"), terms=terms)
    assert amounts(soon, "full_resolution_business") == [330]
    moved = rows_of(DBT_ZENDESK, first, Assigned(at=at(1 + 10 / 60), team="day"), status(5.5, "solved"), terms=terms)
    assert amounts(moved, "full_resolution_business") == [260]


@pytest.mark.parametrize("first", ["never", "without a calendar"])
def test_targets_under_dbt_zendesk_run_by_the_calendar_that_is_set_within_five_seconds(first: str) -> None:
    policy = Policy("all", "All", Conditions(), first_reply=Target(60, business=True))
    terms = Terms(hours=DAY_OR_NEVER, policies=Policies([PolicyVersion(at(-100), (policy,))]))
    teams = Assigned(at=at(0), team=first), Assigned(at=at(5 / 60), team="day")
    assert targets(rows_of(DBT_ZENDESK, *teams, message(60), terms=terms), "first_reply") == [(at(1), 1, None)]
    assert targets(rows_of(DBT_ZENDESK, *teams, message(61), terms=terms), "first_reply") == [(at(1), 0, None)]


def test_business_hours_under_dbt_zendesk_begin_and_end_at_whole_seconds() -> None:
    """From 0.9 s to 330.2 s: 329 whole seconds have passed, and the clock's seconds are 330 apart."""
    opening, solved = Opened(at=at(0) + timedelta(seconds=0.9)), status((330.2) / 60, "solved")
    rows = rows_of(DBT_ZENDESK, solved, opening=opening, terms=Terms(hours=ALWAYS))
    assert amounts(rows, "full_resolution_business") == [330]
    assert amounts(rows, "full_resolution") == [300]
    assert amounts(rows, "handling_business") == [330]


def test_business_hours_under_an_own_preset_with_the_clock_in_minutes_count_minutes() -> None:
    rows = rows_of(own(resolution_clock="minutes"), status(5.5, "solved"), terms=Terms(hours=ALWAYS))
    assert amounts(rows, "full_resolution_business") == [300]

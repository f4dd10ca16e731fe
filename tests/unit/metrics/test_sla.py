"""SLA policies: which one applies, the target of the first reply, and the contributions of its ticket."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.sla import Conditions, Policies, Policy, PolicyKey, PolicyVersion, Target
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Assigned, Event, Fact, Merged, PrioritySet
from tests.unit.metrics import strategies
from tests.unit.metrics.build import at, dim, kpi, opened, reply, rows_in, status, ticket
from tests.unit.metrics.test_business_hours import FIRST, berlin, calendar

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def policy(minutes: float = 60, name: str = "all", *, business: bool = False, **when: tuple[str, ...]) -> Policy:
    return Policy(name, name, Conditions(**when), Target(int(minutes * 60), business))


def terms(*policies: Policy, hours: BusinessHours | None = None) -> Terms:
    return Terms(policies=Policies([PolicyVersion(LONG_AGO, policies)]), hours=hours or BusinessHours())


HOUR = terms(policy())


def rows(*facts: Fact, under: Terms = HOUR, **fields: Any) -> list[Contribution]:
    return contributions(view([ticket(*facts, **fields)]), {}, under)


def targets(*facts: Fact, under: Terms = HOUR, **fields: Any) -> list[tuple[float, int]]:
    """Of each counted target the minute that files it, and 1 if it was met, else 0."""
    return [(minute, amount) for minute, _, amount in rows_in(rows(*facts, under=under, **fields), "sla_first_reply")]


def overdue(*facts: Fact, under: Terms = HOUR) -> list[tuple[float, int]]:
    return [(minute, amount) for minute, _, amount in rows_in(rows(*facts, under=under), "sla_overdue")]


def due(*facts: Fact, under: Terms = HOUR) -> list[tuple[float, PolicyKey]]:
    return [(minute, PolicyKey.of_number(number)) for minute, number, _ in rows_in(rows(*facts, under=under), "sla_due")]


# --- met, breached, cancelled ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([reply(59)], [(59, 1)]),
        ([reply(60)], [(60, 1)]),
        ([reply(60 + 1 / 60)], [(60, 0)]),
        ([], [(60, 0)]),
        ([status(30, "solved")], []),
        ([status(60, "solved")], []),
        ([status(61, "solved")], [(60, 0)]),
        ([status(30, "solved"), status(40, "open"), reply(50)], []),
        ([reply(30), status(30, "solved")], [(30, 1)]),
        ([reply(30, public=False)], [(60, 0)]),
        ([reply(30, auto=True)], [(60, 0)]),
        ([Merged(at=at(90))], []),
    ],
    ids=[
        "replied in time", "at the deadline", "a second late", "no reply", "solved before", "solved at the deadline",
        "solved after", "reopened after a solve", "replied and solved", "a private note", "an automatic reply", "merged",
    ],
)  # fmt: skip
def test_a_reply_meets_the_target_and_a_breach_is_filed_under_the_deadline(
    facts: list[Fact], expected: list[tuple[float, int]]
) -> None:
    assert targets(opened(0), *facts) == expected


def test_a_ticket_that_an_agent_opened_has_no_target() -> None:
    assert targets(opened(0, by="agent"), reply(30)) == []
    assert targets(opened(0, by="bot"), reply(30)) == [(30, 1)]


def test_the_kpi_is_the_share_of_met_targets() -> None:
    counted = [row for seq, facts in enumerate(([reply(5)], [reply(90)], [])) for row in rows(opened(0), *facts, seq=seq)]
    share = kpi("sla_first_reply", counted)
    assert (share.n, share.numerator, share.denominator) == (3, 1, 3)
    assert kpi("sla_first_reply", counted, end=60).n == 1


def test_without_policies_nothing_counts_and_the_value_is_null() -> None:
    counted = rows(opened(0), reply(5), under=Terms())
    assert kpi("sla_first_reply", counted).value is None
    assert not [row for row in counted if row.measure.startswith("sla_")]


# --- which policy applies -------------------------------------------------------------------------------------------------
URGENT, REST = policy(10, "urgent", priority=("urgent", "high")), policy(100, "rest")


def test_the_first_policy_whose_conditions_hold_applies() -> None:
    high = PrioritySet(at=at(0), priority="high")
    assert targets(opened(0), high, under=terms(URGENT, REST)) == [(10, 0)]
    assert targets(opened(0), high, under=terms(REST, URGENT)) == [(100, 0)]
    assert targets(opened(0), under=terms(URGENT, REST)) == [(100, 0)]
    assert targets(opened(0), under=terms(URGENT)) == []


def test_a_policy_applies_when_its_conditions_first_hold_and_the_time_runs_from_the_opening() -> None:
    late = PrioritySet(at=at(30), priority="high")
    assert targets(opened(0), late, under=terms(URGENT)) == [(10, 0)]
    assert targets(opened(0), late, reply(5), under=terms(URGENT)) == [(5, 1)]
    assert targets(opened(0), late, under=terms(URGENT, REST)) == [(100, 0)]


def test_the_target_and_the_priority_stay_those_at_which_the_policy_applied() -> None:
    facts = opened(0), PrioritySet(at=at(0), priority="high"), PrioritySet(at=at(5), priority="low")
    for counted in (rows(*facts, under=terms(URGENT, REST)), rows(*facts, reply(7), under=terms(URGENT, REST))):
        (row,) = (row for row in counted if row.measure == "sla_first_reply")
        assert (dim(row, "priority"), row.at <= at(10)) == ("high", True)
    assert dim(next(row for row in rows(*facts) if row.measure == "opened"), "priority") == "low"


def test_a_priority_before_the_opening_holds_at_it_and_a_later_one_does_not() -> None:
    assert targets(opened(9), PrioritySet(at=at(0), priority="high"), under=terms(URGENT)) == [(19, 0)]
    both = PrioritySet(at=at(0), priority="high"), PrioritySet(at=at(5), priority="low")
    assert targets(opened(9), *both, under=terms(URGENT)) == []


def test_a_priority_that_is_stated_as_a_dimension_holds_from_the_opening_on() -> None:
    assert targets(opened(0), under=terms(URGENT, REST), dimensions={"priority": "urgent"}) == [(10, 0)]


def test_a_policy_may_need_a_team_a_channel_and_a_segment() -> None:
    strict = terms(policy(10, team=("billing",), channel=("email",), segment=("gold",)))
    dims = {"channel": "email", "segment": "gold"}
    moved = Assigned(at=at(0), team="sales"), Assigned(at=at(20), team="billing")
    assert targets(opened(0), *moved, under=strict, dimensions=dims) == [(10, 0)]
    assert targets(opened(0), moved[0], under=strict, dimensions=dims) == []
    assert targets(opened(0), *moved, under=strict, dimensions=dims | {"segment": None}) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["gold"], (10, 0)),
        (["gold", "free"], (10, 0)),
        (["gold", None], (10, 0)),
        (["free", "gold"], (30, 1)),
        (["free"], (30, 1)),
    ],
)
@pytest.mark.parametrize("dimension", ["channel", "segment"])
def test_a_target_stays_when_the_channel_or_the_segment_changes_later(
    dimension: str, values: list[str | None], expected: tuple[float, int]
) -> None:
    under = terms(Policy("gold", "gold", Conditions(**{dimension: ("gold",)}), Target(600, business=False)), policy(60))
    changes = [ticket(seq=5 * n, dimensions={dimension: value}) for n, value in enumerate(values, 1)]
    counted = contributions(view([*changes, ticket(opened(0), reply(30), seq=40)]), {}, under)
    assert [(minute, amount) for minute, _, amount in rows_in(counted, "sla_first_reply")] == [expected]


def test_a_policy_applies_from_the_time_at_which_the_segment_becomes_one_of_its_own() -> None:
    facts = opened(0), PrioritySet(at=at(3), priority="high"), PrioritySet(at=at(20), priority="low")
    changes = [ticket(seq=5 * n, dimensions={"segment": value}) for n, value in enumerate(["free", "gold"], 1)]
    counted = contributions(view([*changes, ticket(*facts, seq=40)]), {}, terms(policy(60, segment=("gold",))))
    assert [dim(row, "priority") for row in counted if row.measure == "sla_first_reply"] == ["high"]


def test_a_version_counts_for_tickets_opened_from_its_beginning_on_and_the_last_added_wins() -> None:
    first, second = PolicyVersion(LONG_AGO, (policy(10),)), PolicyVersion(at(100), (policy(20),))
    both = Terms(policies=Policies([first, second]))
    assert targets(opened(99), under=both) == [(109, 0)]
    assert targets(opened(100), under=both) == [(120, 0)]
    corrected = Terms(policies=Policies([first, second, PolicyVersion(at(50), (policy(30),))]))
    assert [targets(opened(minute), under=corrected)[0][0] for minute in (49, 50, 100)] == [59, 80, 130]
    assert targets(opened(0), under=Terms(policies=Policies([second]))) == []


# --- business hours -------------------------------------------------------------------------------------------------------
OFFICE = terms(policy(30, business=True), hours=BusinessHours([calendar(first_day=FIRST)]))


def minutes(text: str) -> float:
    """Minutes from T0 to this time in Berlin."""
    return (berlin(text) - at(0)) / timedelta(minutes=1)


@pytest.mark.parametrize(
    ("replied", "filed_at", "met"),
    [
        ("2026-03-28T10:00", "2026-03-28T10:00", 1),
        ("2026-03-30T09:00", "2026-03-30T09:00", 1),
        ("2026-03-30T09:01", "2026-03-30T09:00", 0),
        (None, "2026-03-30T09:00", 0),
    ],
)
def test_a_target_in_business_hours_that_is_used_up_at_closing_time(replied: str | None, filed_at: str, met: int) -> None:
    facts = [reply(minutes(replied))] if replied else []
    assert targets(opened(minutes("2026-03-27T16:30")), *facts, under=OFFICE) == [(minutes(filed_at), met)]


def test_without_a_calendar_a_target_in_business_hours_counts_nothing() -> None:
    assert targets(opened(0), reply(5), under=terms(policy(30, business=True))) == []
    later = BusinessHours([calendar(first_day=date(2027, 1, 1))])
    assert targets(opened(0), under=terms(policy(30, business=True), hours=later)) == []


# --- open tickets ---------------------------------------------------------------------------------------------------------
def test_an_open_ticket_without_a_reply_is_due_with_its_policy() -> None:
    under = terms(URGENT, REST)
    assert due(opened(0), under=under) == [(100, PolicyKey(1, 1))]
    assert due(opened(0), reply(5), under=under) == []
    assert due(opened(0), reply(500), under=under) == []
    assert due(opened(0), status(500, "solved"), under=under) == []
    assert due(opened(0), status(500, "solved"), status(600, "open"), under=under) == [(100, PolicyKey(1, 1))]
    assert due(opened(0), status(50, "solved"), status(60, "open"), under=under) == []


def test_a_due_ticket_has_the_team_that_has_it_last() -> None:
    facts = opened(0), Assigned(at=at(0), team="a"), Assigned(at=at(90), team="b")
    assert [dim(row, "team") for row in rows(*facts) if row.measure == "sla_due"] == ["b"]
    assert [dim(row, "team") for row in rows(*facts) if row.measure == "sla_first_reply"] == ["a"]


def test_tickets_past_their_deadline_are_counted_while_they_are_open_and_without_a_reply() -> None:
    assert overdue(opened(0)) == [(60, 1)]
    assert overdue(opened(0), reply(60)) == []
    assert overdue(opened(0), reply(90)) == [(60, 1), (90, -1)]
    solved = status(70, "solved"), status(80, "open")
    assert overdue(opened(0), *solved, reply(90)) == [(60, 1), (70, -1), (80, 1), (90, -1)]
    assert overdue(opened(0), *solved, reply(75)) == [(60, 1), (70, -1)]
    moved = Assigned(at=at(0), team="a"), Assigned(at=at(70), team="b")
    assert overdue(opened(0), *moved) == [(60, 1), (70, -1), (70, 1)]


def test_the_number_of_tickets_past_their_deadline_is_right_at_every_instant() -> None:
    counted = [*rows(opened(0)), *rows(opened(0), reply(90))]
    assert [kpi("sla_breached_open", counted, end=minute).value for minute in (60, 61, 90, 91)] == [0, 2, 2, 1]


@given(strategies.of_ticket, st.integers(0, 15))
def test_levels_never_fall_below_zero_and_end_at_the_number_of_due_tickets_that_are_overdue(
    events: list[Event], length: int
) -> None:
    counted = contributions(view(events), {}, terms(policy(max(length, 1 / 60))))
    steps = sorted((row.at, -row.amount) for row in counted if row.measure == "sla_overdue")
    levels = [-sum(step for _, step in steps[: place + 1]) for place in range(len(steps))]
    assert set(levels) <= {0, 1, 2}
    assert (levels[-1] if levels else 0) == sum(row.measure == "sla_due" for row in counted)


@given(st.integers(1, 200), st.integers(0, 63))
def test_a_policy_has_one_number(version: int, place: int) -> None:
    key = PolicyKey(version, place)
    assert PolicyKey.of_number(key.number) == key

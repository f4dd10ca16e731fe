"""The backlog: what its ups and downs sum to is what the definition says, at every time, in all and by team."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.contributions import contributions
from services.metrics.domain.view import view
from shared.events import Assigned, Deleted, Event, Opened, StatusSet, Ticket
from tests.unit.metrics import strategies
from tests.unit.metrics.build import T0, at, found, kpi, opened, rows, status, ticket

LIFE = ["new", "open", "pending", "on_hold", "solved", "closed"]

with_opening = st.tuples(st.integers(0, 4), st.lists(strategies.way, max_size=8)).map(
    lambda told: [ticket(opened(told[0]), *told[1])]
)


def is_open_just_before(event: Event, instant: datetime) -> bool:
    """The definition, word by word: opened before, and neither solved nor closed just before."""
    assert isinstance(event.body, Ticket)
    opening = next(fact for fact in event.body.facts if isinstance(fact, Opened))
    told = [(f.at, LIFE.index(f.status)) for f in event.body.facts if isinstance(f, StatusSet) and f.at < instant]
    return opening.at < instant and (not told or max(told)[1] < LIFE.index("solved"))


def team_just_before(event: Event, instant: datetime) -> str | None:
    assert isinstance(event.body, Ticket)
    told: dict[datetime, str | None] = {
        f.at: f.team for f in event.body.facts if isinstance(f, Assigned) and f.team in (None, "billing", "tech")
    }  # type: ignore[misc]
    earlier = [when for when in told if when < instant]
    return told[max(earlier)] if earlier else told[min(told)] if told else None


@given(with_opening)
def test_at_every_time_the_sum_of_ups_and_downs_is_the_definition(events: list[Event]) -> None:
    counted = rows(*events)
    for half in range(30):
        level = kpi("backlog", counted, end=half / 2).value
        assert level == is_open_just_before(events[0], at(half / 2))


@given(with_opening)
def test_at_every_time_it_stands_under_the_team_that_held_the_ticket(events: list[Event]) -> None:
    counted = rows(*events)
    for half in range(30):
        instant = at(half / 2)
        for team in (None, "billing", "tech"):
            expected = is_open_just_before(events[0], instant) and team_just_before(events[0], instant) == team
            assert kpi("backlog", counted, end=half / 2, where={"team": team}).value == expected


@given(strategies.of_ticket, st.integers(0, 14), st.integers(0, 14))
def test_the_backlog_grows_by_what_was_opened_and_reopened_less_what_was_solved(
    events: list[Event], one: int, other: int
) -> None:
    start, end = sorted((one, other))
    counted = contributions(view(events), {})
    moved = {name: kpi(f"tickets_{name}", counted, start=start, end=end).n for name in ("opened", "reopened", "solved")}
    before, after = (kpi("backlog", counted, end=t).n for t in (start, end))
    assert after == before + moved["opened"] + moved["reopened"] - moved["solved"]


@given(strategies.of_ticket)
def test_what_is_dropped_leaves_every_count_but_one(events: list[Event]) -> None:
    counted = contributions(view([*events, ticket(Deleted(at=T0 + timedelta(days=1)), seq=9)]), {})
    assert [row.measure for row in counted] in ([], ["dropped"])


def test_a_reassignment_moves_an_open_ticket_from_team_to_team() -> None:
    facts = [opened(0), Assigned(at=at(0), team="billing"), Assigned(at=at(10), team="tech"), status(20, "solved")]
    counted = rows(ticket(*facts))
    assert [kpi("backlog", counted, end=t, where={"team": "billing"}).value for t in (0, 5, 10, 15, 25)] == [0, 1, 1, 0, 0]
    assert [kpi("backlog", counted, end=t, where={"team": "tech"}).value for t in (0, 5, 10, 15, 25)] == [0, 0, 0, 1, 0]
    assert found(counted, "backlog") == [(0, 1, 1), (10, -1, -1), (10, 1, 1), (20, -1, -1)]


def test_an_assignment_to_who_holds_it_already_moves_nothing() -> None:
    facts = [opened(0), Assigned(at=at(0), team="billing"), Assigned(at=at(10), team="billing")]
    assert found(rows(ticket(*facts)), "backlog") == [(0, 1, 1)]


def test_a_solved_ticket_that_changes_hands_is_in_nobodys_backlog() -> None:
    counted = rows(ticket(opened(0), Assigned(at=at(0), team="billing"), status(5, "solved"), Assigned(at=at(10), team="tech")))
    assert kpi("backlog", counted, end=15, where={"team": "billing"}).value == 0
    assert kpi("backlog", counted, end=15, where={"team": "tech"}).value == 0


def test_a_ticket_that_comes_back_comes_back_to_who_holds_it_now() -> None:
    facts = [opened(0), Assigned(at=at(0), team="a"), status(5, "solved"), Assigned(at=at(10), team="b"), status(20, "open")]
    assert kpi("backlog", rows(ticket(*facts)), end=25, where={"team": "b"}).value == 1

"""The sum of the backlog's rows equals its definition at every time, in total and by team."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.contributions import contributions
from services.metrics.domain.view import view
from shared.events import Assigned, Deleted, Event, Fact, Opened, StatusSet, Ticket
from tests.unit.metrics import strategies
from tests.unit.metrics.build import T0, at, kpi, opened, rows, rows_in, status, ticket

LIFE = ["new", "open", "pending", "on_hold", "solved", "closed"]

with_opening = st.tuples(st.integers(0, 4), st.lists(strategies.changes, max_size=8)).map(
    lambda drawn: [ticket(opened(drawn[0]), *drawn[1])]
)


def is_open_just_before(event: Event, instant: datetime) -> bool:
    """The definition: opened before, and neither solved nor closed just before."""
    assert isinstance(event.body, Ticket)
    opening = next(fact for fact in event.body.facts if isinstance(fact, Opened))
    statuses = [(f.at, LIFE.index(f.status)) for f in event.body.facts if isinstance(f, StatusSet) and f.at < instant]
    return opening.at < instant and (not statuses or max(statuses)[1] < LIFE.index("solved"))


def team_just_before(event: Event, instant: datetime) -> str | None:
    assert isinstance(event.body, Ticket)
    teams: dict[datetime, str | None] = {
        f.at: f.team for f in event.body.facts if isinstance(f, Assigned) and f.team in (None, "billing", "tech")
    }
    earlier = [when for when in teams if when < instant]
    return teams[max(earlier)] if earlier else teams[min(teams)] if teams else None


@given(with_opening)
def test_the_sum_of_rows_equals_the_definition_at_every_time(events: list[Event]) -> None:
    counted = rows(*events)
    for half in range(30):
        level = kpi("backlog", counted, end=half / 2).value
        assert level == is_open_just_before(events[0], at(half / 2))


@given(with_opening)
def test_an_open_ticket_is_in_the_backlog_of_its_team_at_every_time(events: list[Event]) -> None:
    counted = rows(*events)
    for half in range(30):
        instant = at(half / 2)
        for team in (None, "billing", "tech"):
            expected = is_open_just_before(events[0], instant) and team_just_before(events[0], instant) == team
            assert kpi("backlog", counted, end=half / 2, where={"team": team}).value == expected


@given(strategies.of_ticket, st.integers(0, 14), st.integers(0, 14))
def test_the_backlog_grows_by_opened_and_reopened_tickets_less_solved_ones(events: list[Event], one: int, other: int) -> None:
    start, end = sorted((one, other))
    counted = contributions(view(events), {})
    moved = {name: kpi(f"tickets_{name}", counted, start=start, end=end).n for name in ("opened", "reopened", "solved")}
    before, after = (kpi("backlog", counted, end=t).n for t in (start, end))
    assert after == before + moved["opened"] + moved["reopened"] - moved["solved"]


@given(strategies.of_ticket)
def test_a_dropped_ticket_counts_as_dropped_alone(events: list[Event]) -> None:
    counted = contributions(view([*events, ticket(Deleted(at=T0 + timedelta(days=1)), seq=9)]), {})
    assert [row.measure for row in counted] in ([], ["dropped"])


def test_a_reassignment_moves_an_open_ticket_from_team_to_team() -> None:
    facts: list[Fact] = [opened(0), Assigned(at=at(0), team="billing"), Assigned(at=at(10), team="tech"), status(20, "solved")]
    counted = rows(ticket(*facts))
    assert [kpi("backlog", counted, end=t, where={"team": "billing"}).value for t in (0, 5, 10, 15, 25)] == [0, 1, 1, 0, 0]
    assert [kpi("backlog", counted, end=t, where={"team": "tech"}).value for t in (0, 5, 10, 15, 25)] == [0, 0, 0, 1, 0]
    assert rows_in(counted, "backlog") == [(0, 1, 1), (10, -1, -1), (10, 1, 1), (20, -1, -1)]


def test_an_assignment_to_the_same_team_adds_no_rows() -> None:
    facts: list[Fact] = [opened(0), Assigned(at=at(0), team="billing"), Assigned(at=at(10), team="billing")]
    assert rows_in(rows(ticket(*facts)), "backlog") == [(0, 1, 1)]


def test_a_solved_ticket_that_is_reassigned_is_in_no_backlog() -> None:
    counted = rows(ticket(opened(0), Assigned(at=at(0), team="billing"), status(5, "solved"), Assigned(at=at(10), team="tech")))
    assert kpi("backlog", counted, end=15, where={"team": "billing"}).value == 0
    assert kpi("backlog", counted, end=15, where={"team": "tech"}).value == 0


def test_a_reopened_ticket_is_in_the_backlog_of_its_latest_team() -> None:
    facts: list[Fact] = [
        opened(0),
        Assigned(at=at(0), team="a"),
        status(5, "solved"),
        Assigned(at=at(10), team="b"),
        status(20, "open"),
    ]
    assert kpi("backlog", rows(ticket(*facts)), end=25, where={"team": "b"}).value == 1

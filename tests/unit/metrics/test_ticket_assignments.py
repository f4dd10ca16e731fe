"""The dimensions of tickets: team and agent at the time of an event, the others the latest."""

import pytest

from services.metrics.domain.contributions import Contribution
from shared.events import Assigned, Fact, PrioritySet, Rating
from tests.unit.metrics.build import at, dim, opened, reply, rows, rows_in, status, ticket


def dims_of(counted: list[Contribution], measure: str, name: str) -> list[str | None]:
    return [dim(c, name) for c in sorted(counted, key=lambda c: c.at) if c.measure == measure]


def test_each_event_has_the_team_and_agent_of_its_time() -> None:
    facts: list[Fact] = [
        opened(0),
        Assigned(at=at(2), team="billing", agent="a-1"),
        reply(5),
        Assigned(at=at(10), team="tech"),
        status(20, "solved"),
    ]
    counted = rows(ticket(*facts, Rating(at=at(30), value=5)))
    assert dims_of(counted, "opened", "team") == ["billing"], "before the first assignment, the first ever"
    assert dims_of(counted, "first_reply:replied", "team") == ["billing"]
    assert dims_of(counted, "solved", "team") == ["tech"]
    assert dims_of(counted, "csat:1..5+4", "team") == ["tech"]
    assert dims_of(counted, "solved", "agent") == ["a-1"], "an assignment that leaves the agent out leaves the agent"


def test_an_assignment_at_the_events_time_counts_already() -> None:
    counted = rows(ticket(opened(0), Assigned(at=at(0), team="a"), Assigned(at=at(5), team="b"), status(5, "solved")))
    assert dims_of(counted, "solved", "team") == ["b"]


def test_a_ticket_never_assigned_has_no_team_and_one_taken_from_its_team_has_none_from_then_on() -> None:
    assert dims_of(rows(ticket(opened(0))), "opened", "team") == [None]
    counted = rows(ticket(opened(0), Assigned(at=at(0), team="a"), Assigned(at=at(3), team=None), status(5, "solved")))
    assert dims_of(counted, "solved", "team") == [None]


def test_the_dimensions_team_and_agent_are_an_assignment_at_the_opening() -> None:
    first = ticket(
        opened(5), Assigned(at=at(9), team="tech"), status(12, "solved"), dimensions={"team": "billing", "agent": "a-3"}
    )
    counted = rows(first)
    assert dims_of(counted, "opened", "team") == ["billing"]
    assert dims_of(counted, "solved", "team") == ["tech"]
    assert dims_of(counted, "solved", "agent") == ["a-3"]


def test_an_assignment_has_precedence_over_a_dimension_of_the_same_time() -> None:
    counted = rows(ticket(opened(5), Assigned(at=at(5), team="tech"), dimensions={"team": "billing"}))
    assert dims_of(counted, "opened", "team") == ["tech"]


def test_other_dimensions_are_the_latest_also_for_what_was_before() -> None:
    events = [
        ticket(opened(0), PrioritySet(at=at(0), priority="low"), dimensions={"region": "DE", "channel": "email"}),
        ticket(PrioritySet(at=at(9), priority="high"), seq=2, dimensions={"region": "AT", "channel": None}),
    ]
    counted = rows(*events)
    assert dims_of(counted, "opened", "region") == ["AT"]
    assert dims_of(counted, "opened", "channel") == [None]
    assert dims_of(counted, "opened", "priority") == ["high"]
    assert dims_of(counted, "opened", "source") == ["standard"]
    assert dims_of(counted, "opened", "connection") == ["c1"]


DECOMPOSED, COMPOSED = "Cafe\u0301", "Caf\u00e9"


@pytest.mark.parametrize("stored", [DECOMPOSED, COMPOSED])
def test_names_that_were_stored_in_another_unicode_form_count_under_nfc(stored: str) -> None:
    events = [
        ticket(opened(0), dimensions={"region": stored, "team": stored}),
        ticket(Assigned(at=at(1), team=stored, agent=stored), PrioritySet(at=at(1), priority=stored), status(5, "solved"), seq=2),
        ticket(reply(3, agent=DECOMPOSED), seq=3),
        ticket(reply(3, agent=COMPOSED), seq=4),
    ]
    counted = rows(*events)
    for name in ("region", "team", "agent", "priority"):
        assert set(dims_of(counted, "solved", name)) == {COMPOSED}
    assert rows_in(counted, "backlog") == rows_in(rows(*events[:1], ticket(status(5, "solved"), seq=2)), "backlog")

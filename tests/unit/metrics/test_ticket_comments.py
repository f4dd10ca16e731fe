"""Dropped tickets, and the ratings and comments of the others."""

import pytest

from shared.events import Deleted, Event, Fact, Merged, Opened, Rating, Spam
from tests.unit.metrics.build import at, opened, reply, rows, rows_in, scored, status, ticket

# --- dropped --------------------------------------------------------------------------------------------------------------
LIVED = (opened(0, text="help"), reply(5), status(9, "solved"), Rating(at=at(12), value=5))


@pytest.mark.parametrize("drop", [Merged, Spam, Deleted])
def test_a_dropped_ticket_is_left_out_of_every_kpi_also_of_the_past(drop: type[Merged | Spam | Deleted]) -> None:
    counted = rows(ticket(*LIVED), ticket(drop(at=at(60)), seq=2))
    assert [(c.measure, c.at, c.amount) for c in counted] == [("dropped", at(60), 1)]


@pytest.mark.parametrize("drop", [Merged, Spam, Deleted])
def test_a_restored_ticket_counts_as_if_it_had_never_been_dropped(drop: type[Merged | Spam | Deleted]) -> None:
    counted = rows(ticket(*LIVED), ticket(drop(at=at(60)), seq=2), ticket(drop(at=at(70), value=False), seq=3))
    assert counted == rows(ticket(*LIVED))


def test_a_ticket_dropped_for_two_reasons_stays_dropped_until_both_are_taken_back() -> None:
    facts: list[Fact] = [*LIVED, Spam(at=at(60)), Merged(at=at(61)), Spam(at=at(62), value=False)]
    assert rows_in(rows(ticket(*facts)), "dropped") == [(60, 1, 1)]
    assert rows_in(rows(ticket(*facts, Merged(at=at(63), value=False))), "dropped") == []
    assert rows_in(rows(ticket(*facts, Merged(at=at(63), value=False), Spam(at=at(64)))), "dropped") == [(64, 1, 1)]


def test_one_reason_taken_back_as_another_comes_makes_no_second_drop() -> None:
    for one, other in ((Spam, Deleted), (Deleted, Spam)):
        facts: list[Fact] = [*LIVED, one(at=at(60)), one(at=at(70), value=False), other(at=at(70))]
        assert rows_in(rows(ticket(*facts)), "dropped") == [(60, 1, 1)]


# --- ratings and comments -------------------------------------------------------------------------------------------------
def test_a_rating_is_filed_under_its_own_time_and_a_later_version_of_it_replaces_it() -> None:
    events = [ticket(opened(0), Rating(at=at(30), value=2, id="r1")), ticket(Rating(at=at(40), value=5, id="r1"), seq=2)]
    assert rows_in(rows(*events), "csat:1..5+4") == [(40, 5, 5)]
    assert rows_in(rows(*events, ticket(Rating(at=at(40), value=None, id="r1"), seq=3)), "csat:1..5+4") == []


def test_a_rating_that_is_stated_with_each_later_change_keeps_its_time_until_it_changes() -> None:
    def as_of(minutes: int, value: int) -> Event:
        return ticket(Rating(at=at(minutes), value=value, id="r1", text="quick"), seq=minutes, at=at(minutes))

    events = [ticket(opened(0)), as_of(30, 5), as_of(90, 5)]
    assert rows_in(rows(*events), "csat:1..5+4") == rows_in(rows(*events[::-1]), "csat:1..5+4") == [(30, 5, 5)]
    assert rows_in(rows(*events), "comments") == [(30, 1, 1)]
    assert rows_in(rows(*events, as_of(120, 2)), "csat:1..5+4") == [(120, 2, 2)]
    corrected = ticket(Rating(at=at(20), value=5, id="r1", text="quick"), seq=200)
    assert rows_in(rows(*events, corrected), "csat:1..5+4") == [(20, 5, 5)], "an app may correct the time"


def test_texts_of_the_customer_are_comments_at_their_own_time_and_no_others_are() -> None:
    facts: list[Fact] = [
        opened(0, text="it broke"),
        reply(5, text="have you tried …"),
        reply(6, by="bot", text="we are on it"),
        reply(9, by="customer", text="thanks"),
        reply(10, by="customer", text="  "),
        Rating(at=at(30), value=5, text="quick"),
    ]
    counted = rows(ticket(*facts), scores=scored("thanks", 0.44, "positive"))
    assert rows_in(counted, "comments") == [(0, 1, 1), (9, 1, 1), (30, 1, 1)]
    assert rows_in(counted, "sentiment:vader-3.3.2") == [(9, 8, 440)]
    by_agent = rows(ticket(Opened(at=at(0), by="agent", text="welcome")))
    assert rows_in(by_agent, "comments") == []

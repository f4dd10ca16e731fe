"""The contributions of tickets: openings, statuses and replies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.contributions import Contribution
from shared.events import Event, Fact, Opened, Rating, Spam
from tests.unit.metrics.build import at, dim, kpi, opened, reply, rows, rows_in, scored, statement, status, ticket


def dims_of(counted: list[Contribution], measure: str, name: str) -> list[str | None]:
    return [dim(c, name) for c in sorted(counted, key=lambda c: c.at) if c.measure == measure]


# --- opening --------------------------------------------------------------------------------------------------------------
def test_nothing_counts_before_the_opening_is_known_and_all_of_it_after() -> None:
    known = ticket(reply(5), status(9, "solved"), Rating(at=at(12), value=5), Spam(at=at(1), value=False), seq=1)
    assert rows(known) == []
    counted = rows(known, ticket(opened(0), seq=2))
    assert {"opened", "solved", "first_reply:replied", "csat:1..5+4", "backlog"} <= {c.measure for c in counted}


def test_a_repeated_opening_without_text_keeps_its_text_and_counts_once() -> None:
    events = [ticket(opened(0, text="it broke")), ticket(opened(0), status(3, "open"), seq=2)]
    assert rows_in(rows(*events), "opened") == [(0, 1, 1)]
    assert rows_in(rows(*events), "comments") == [(0, 1, 1)]


def test_an_agents_text_does_not_become_the_customers_by_a_repeated_opening() -> None:
    events = [ticket(Opened(at=at(0), by="agent", text="welcome")), ticket(opened(0), seq=2)]
    assert rows_in(rows(*events), "comments") == []


def test_an_edited_opening_replaces_its_text_and_a_blank_answer_is_no_comment() -> None:
    events = [ticket(opened(0, text="it broke")), ticket(opened(0, text="it works"), seq=2)]
    assert rows_in(rows(*events, scores=scored("it works", 0.5, "positive")), "label:vader-3.3.2") == [(0, 1, 1)]
    assert rows_in(rows(*events, scores=scored("it broke", -0.5, "negative")), "label:vader-3.3.2") == []
    assert rows_in(rows(ticket(opened(0, text=" "))), "comments") == []


def test_the_latest_opening_counts() -> None:
    assert rows_in(rows(ticket(opened(0)), ticket(opened(3), seq=2)), "opened") == [(3, 1, 1)]
    assert rows_in(rows(ticket(opened(0), at=at(9)), ticket(opened(3), seq=2)), "opened") == [(0, 1, 1)]


# --- solved, reopened, closed ---------------------------------------------------------------------------------------------
def test_a_ticket_that_arrives_solved_was_solved_at_the_time_of_that_status() -> None:
    counted = rows(ticket(opened(0), status(30, "solved")))
    assert rows_in(counted, "solved") == [(30, 1, 1)]
    assert kpi("first_resolution_time", counted, agg="mean").value == 1800


def test_a_ticket_solved_at_its_very_opening_took_no_time() -> None:
    counted = rows(ticket(opened(0), status(0, "solved")))
    assert kpi("tickets_solved", counted).value == 1
    assert kpi("tickets_reopened", counted).value == 0
    assert kpi("first_resolution_time", counted).value == 0
    assert kpi("backlog", counted).value == 0


def test_a_ticket_solved_twice_counts_twice_and_is_reopened_once() -> None:
    counted = rows(ticket(opened(0), status(10, "solved"), status(20, "open"), status(40, "solved")))
    assert rows_in(counted, "solved") == [(10, 1, 1), (40, 1, 1)]
    assert rows_in(counted, "reopened") == [(20, 1, 1)]
    assert kpi("first_resolution_time", counted, agg="mean").value == 600
    assert kpi("full_resolution_time", counted, agg="mean").value == 2400
    assert rows_in(counted, "standing_solve") == [(40, 1, 1)]
    assert kpi("reopen_rate", counted, start=0, end=15).value == 100, "reopened ever, filed under its first solve"


def test_a_reopening_withdraws_the_full_resolution_until_solved_again_and_leaves_the_first() -> None:
    counted = rows(ticket(opened(0), status(10, "solved"), status(20, "open")))
    assert kpi("full_resolution_time", counted).value is None
    assert kpi("first_resolution_time", counted, agg="mean").value == 600
    assert rows_in(counted, "standing_solve") == []
    assert kpi("tickets_solved", counted).value == 1


def test_closed_without_solved_counts_as_solved() -> None:
    counted = rows(ticket(opened(0), status(10, "closed")))
    assert rows_in(counted, "solved") == [(10, 1, 1)]
    assert kpi("full_resolution_time", counted, agg="mean").value == 600


def test_closed_after_solved_changes_nothing() -> None:
    solved: list[Fact] = [opened(0), status(10, "solved")]
    assert rows(ticket(*solved, status(50, "closed"))) == rows(ticket(*solved))


def test_statuses_of_one_statement_and_time_count_in_the_order_of_a_tickets_life() -> None:
    one = ticket(opened(0), status(5, "solved"), status(5, "open"))
    assert rows_in(rows(one), "solved") == [(5, 1, 1)]
    assert rows_in(rows(one), "reopened") == []
    back = rows(ticket(opened(0), status(3, "solved"), status(5, "closed"), status(5, "open")))
    assert rows_in(back, "reopened") == rows_in(back, "solved")[1:] == [(5, 1, 1)]


def live(seq: int, to: Any, *others: Any, minute: float = 5) -> Event:
    """The current status at the time of the statement, from a tool whose times have no seconds."""
    return ticket(*(status(minute, one) for one in (to, *others)), seq=seq, at=at(minute))


@pytest.mark.parametrize(
    ("statuses", "passes"),
    [
        (["solved", "open"], (1, 1)),
        (["open", "solved"], (1, 0)),
        (["solved", "open", "solved"], (2, 1)),
        (["solved", "solved", "open", "open", "solved"], (2, 1)),
        (["closed", "pending", "on_hold"], (1, 1)),
        (["solved", "new"], (1, 0)),
    ],
)
def test_statuses_of_one_time_in_several_deliveries_pass_in_the_order_of_receipt(
    statuses: list[Any], passes: tuple[int, int]
) -> None:
    """Except `new`, to which no ticket returns."""
    events = [ticket(opened(0)), *(live(seq, to) for seq, to in enumerate(statuses, 2))]
    for order in (events, events[::-1], events * 2):
        counted = rows(*order)
        assert (kpi("tickets_solved", counted).value, kpi("tickets_reopened", counted).value) == passes


def test_a_repeated_status_of_an_earlier_time_counts_once() -> None:
    solved_and_back = [ticket(opened(0)), live(2, "solved"), live(3, "open")]
    history = ticket(opened(0), status(5, "solved"), status(5, "open"), seq=9)
    late_copy = ticket(status(5, "solved"), seq=8)
    expected = rows(*solved_and_back)
    assert kpi("tickets_reopened", expected).value == 1
    assert rows(*solved_and_back, late_copy) == rows(*solved_and_back, history) == rows(*solved_and_back, history, late_copy)
    assert rows(*solved_and_back, history) == expected


def test_a_delivery_that_repeats_the_status_before_adds_the_one_that_is_new() -> None:
    events = [ticket(opened(0)), live(2, "solved"), live(3, "open", "solved")]
    assert kpi("tickets_reopened", rows(*events)).value == 1
    assert kpi("backlog", rows(*events)).value == 1


@given(st.lists(st.sampled_from(["open", "pending", "solved", "closed"]), min_size=1, max_size=6), st.randoms())
def test_the_last_status_received_within_a_minute_is_the_tickets(statuses: list[Any], random: Any) -> None:
    events = [ticket(opened(0)), *(live(seq, to) for seq, to in enumerate(statuses, 2))]
    random.shuffle(events)
    assert kpi("backlog", rows(*events)).value == (statuses[-1] in ("open", "pending"))


def test_a_change_among_unsolved_statuses_is_neither_a_solve_nor_a_reopening() -> None:
    counted = rows(ticket(opened(0), status(1, "open"), status(2, "pending"), status(3, "on_hold"), status(4, "open")))
    assert rows_in(counted, "solved") == rows_in(counted, "reopened") == []
    assert kpi("backlog", counted).value == 1


def test_a_status_of_one_time_counts_once_in_any_number_of_deliveries() -> None:
    counted = rows(ticket(opened(0), status(9, "solved")), ticket(status(9, "solved"), seq=2), ticket(status(9, "solved"), seq=3))
    assert kpi("tickets_solved", counted).value == 1


def test_a_solve_before_the_opening_counts_at_the_opening_and_has_no_duration() -> None:
    counted = rows(ticket(opened(10), status(7, "solved")))
    assert rows_in(counted, "solved") == [(10, 1, 1)]
    assert rows_in(counted, "reopened") == []
    assert kpi("first_resolution_time", counted).n == kpi("full_resolution_time", counted).n == 0
    assert kpi("backlog", counted).value == 0


def test_of_several_statuses_before_the_opening_only_the_last_counts() -> None:
    counted = rows(ticket(opened(10), status(6, "solved"), status(7, "open"), status(8, "pending")))
    assert rows_in(counted, "solved") == rows_in(counted, "reopened") == []
    assert kpi("backlog", counted, end=10).value == 0
    assert kpi("backlog", counted).value == 1


def test_a_status_at_the_opening_is_the_initial_one() -> None:
    counted = rows(ticket(opened(10), status(7, "solved"), status(10, "open")))
    assert rows_in(counted, "solved") == rows_in(counted, "reopened") == []


# --- replies --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "minutes"),
    [
        ([reply(5)], 5),
        ([reply(9), reply(5)], 5),
        ([reply(5, by="bot")], None),
        ([reply(5, auto=True)], None),
        ([reply(5, public=False)], None),
        ([reply(5, by="customer")], None),
        ([reply(-3)], None),
        ([reply(-3), reply(2, auto=True), reply(3, by="bot"), reply(4, public=False), reply(7)], 7),
    ],
)
def test_the_first_reply_is_the_first_public_message_by_a_human_agent_after_the_opening(
    facts: list[Fact], minutes: float | None
) -> None:
    value = kpi("first_reply_time", rows(ticket(opened(0), *facts)), agg="mean").value
    assert value == (None if minutes is None else minutes * 60)


def test_where_an_agent_opened_the_ticket_their_second_message_is_the_first_reply() -> None:
    counted = rows(ticket(Opened(at=at(0), by="agent", agent="a-3"), reply(0, agent="a-3"), reply(20, agent="a-3")))
    assert kpi("first_reply_time", counted, agg="mean").value == 1200


def test_a_first_reply_is_filed_under_the_reply_or_under_the_opening() -> None:
    counted = rows(ticket(opened(0), reply(90)))
    for filed_by, start in (("replied", 90), ("created", 0)):
        assert kpi("first_reply_time", counted, start=start, end=start + 1, filed_by=filed_by).n == 1
        assert kpi("first_reply_time", counted, start=start + 1, filed_by=filed_by).n == 0


def test_a_message_posted_again_with_its_id_replaces_itself() -> None:
    events = ticket(opened(0), reply(5, id="m1")), ticket(reply(5, id="m1", public=False), seq=2)
    assert kpi("first_reply_time", rows(*events)).value is None
    made_public = ticket(reply(5, id="m1", public=False)), ticket(opened(0), reply(5, id="m1"), seq=2)
    assert kpi("first_reply_time", rows(*made_public), agg="mean").value == 300


# --- order of statements ---------------------------------------------------------------------------------------------------
def test_an_edit_from_a_to_b_and_back_to_a_ends_at_a() -> None:
    texts = ["good", "bad", "good"]
    events = [ticket(opened(0), reply(1, by="customer", id="m1", text=text), seq=n) for n, text in enumerate(texts)]
    assert rows_in(rows(*events, scores=scored("good", 0.5, "positive")), "sentiment:vader-3.3.2") == [(1, 10, 500)]


def test_a_corrected_mapping_removes_facts_that_it_lacks() -> None:
    first = ticket(opened(0), status(5, "solved"), reply(3))
    assert rows(first, ticket(opened(0), revision=2)) == rows(ticket(opened(0)))


def test_every_row_has_the_latest_customer() -> None:
    counted = rows(ticket(opened(0), customer="p1"), ticket(status(4, "open"), seq=2), ticket(reply(5), seq=3, customer="p2"))
    assert {c.customer for c in counted} == {"p2"}


def test_statements_of_one_stamp_are_still_in_one_order() -> None:
    one = statement(1, ticket(opened(0)).body, at=at(0), position=0, statement="a", dimensions={"region": "DE"})
    two = statement(1, ticket(opened(0)).body, at=at(0), position=1, statement="b", dimensions={"region": "AT"})
    assert dims_of(rows(two, one), "opened", "region") == ["AT"]
    earlier = statement(0, ticket(opened(0)).body, at=at(0), statement="z", dimensions={"region": "CH"})
    assert dims_of(rows(two, one, earlier), "opened", "region") == ["AT"]

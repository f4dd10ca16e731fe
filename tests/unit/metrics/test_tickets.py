"""What tickets contribute: one tricky life after another."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.contributions import Contribution
from shared.events import Assigned, Deleted, Event, Fact, Merged, Opened, PrioritySet, Rating, Spam
from tests.unit.metrics.build import at, dim, found, kpi, opened, reply, rows, said, scored, status, ticket


def dims_of(counted: list[Contribution], measure: str, name: str) -> list[str | None]:
    return [dim(c, name) for c in sorted(counted, key=lambda c: c.at) if c.measure == measure]


# --- opening --------------------------------------------------------------------------------------------------------------
def test_nothing_counts_before_the_opening_is_known_and_all_of_it_after() -> None:
    known = ticket(reply(5), status(9, "solved"), Rating(at=at(12), value=5), Spam(at=at(1), value=False), seq=1)
    assert rows(known) == []
    counted = rows(known, ticket(opened(0), seq=2))
    assert {"opened", "solved", "first_reply:replied", "csat:1..5+4", "backlog"} <= {c.measure for c in counted}


def test_the_opening_told_again_without_its_text_keeps_its_text_and_counts_once() -> None:
    told = [ticket(opened(0, text="it broke")), ticket(opened(0), status(3, "open"), seq=2)]
    assert found(rows(*told), "opened") == [(0, 1, 1)]
    assert found(rows(*told), "comments") == [(0, 1, 1)]


def test_an_agents_words_do_not_become_the_customers_when_the_opening_is_told_again() -> None:
    told = [ticket(Opened(at=at(0), by="agent", text="welcome")), ticket(opened(0), seq=2)]
    assert found(rows(*told), "comments") == []


def test_an_edited_opening_replaces_its_text_and_a_blank_answer_is_no_comment() -> None:
    told = [ticket(opened(0, text="it broke")), ticket(opened(0, text="it works"), seq=2)]
    assert found(rows(*told, scores=scored("it works", 0.5, "positive")), "label:vader-3.3.2") == [(0, 1, 1)]
    assert found(rows(*told, scores=scored("it broke", -0.5, "negative")), "label:vader-3.3.2") == []
    assert found(rows(ticket(opened(0, text=" "))), "comments") == []


def test_the_last_stated_opening_stands() -> None:
    assert found(rows(ticket(opened(0)), ticket(opened(3), seq=2)), "opened") == [(3, 1, 1)]
    assert found(rows(ticket(opened(0), at=at(9)), ticket(opened(3), seq=2)), "opened") == [(0, 1, 1)]


# --- solved, reopened, closed ---------------------------------------------------------------------------------------------
def test_a_ticket_that_arrives_solved_has_passed_at_that_statuss_time() -> None:
    counted = rows(ticket(opened(0), status(30, "solved")))
    assert found(counted, "solved") == [(30, 1, 1)]
    assert kpi("first_resolution_time", counted, agg="mean").value == 1800


def test_a_ticket_solved_at_its_very_opening_took_no_time() -> None:
    counted = rows(ticket(opened(0), status(0, "solved")))
    assert kpi("tickets_solved", counted).value == 1
    assert kpi("tickets_reopened", counted).value == 0
    assert kpi("first_resolution_time", counted).value == 0
    assert kpi("backlog", counted).value == 0


def test_a_ticket_solved_twice_counts_twice_and_is_reopened_once() -> None:
    counted = rows(ticket(opened(0), status(10, "solved"), status(20, "open"), status(40, "solved")))
    assert found(counted, "solved") == [(10, 1, 1), (40, 1, 1)]
    assert found(counted, "reopened") == [(20, 1, 1)]
    assert kpi("first_resolution_time", counted, agg="mean").value == 600
    assert kpi("full_resolution_time", counted, agg="mean").value == 2400
    assert found(counted, "standing_solve") == [(40, 1, 1)]
    assert kpi("reopen_rate", counted, start=0, end=15).value == 100, "reopened ever, filed under its first solve"


def test_a_reopening_withdraws_the_full_resolution_until_solved_again_and_leaves_the_first() -> None:
    counted = rows(ticket(opened(0), status(10, "solved"), status(20, "open")))
    assert kpi("full_resolution_time", counted).value is None
    assert kpi("first_resolution_time", counted, agg="mean").value == 600
    assert found(counted, "standing_solve") == []
    assert kpi("tickets_solved", counted).value == 1


def test_closed_without_solved_counts_as_solved() -> None:
    counted = rows(ticket(opened(0), status(10, "closed")))
    assert found(counted, "solved") == [(10, 1, 1)]
    assert kpi("full_resolution_time", counted, agg="mean").value == 600


def test_closed_after_solved_changes_nothing() -> None:
    solved = [opened(0), status(10, "solved")]
    assert rows(ticket(*solved, status(50, "closed"))) == rows(ticket(*solved))


def test_statuses_of_one_time_pass_in_the_order_of_a_tickets_life_whatever_the_order_they_are_told_in() -> None:
    one = ticket(opened(0), status(5, "solved"), status(5, "open"))
    assert found(rows(one), "solved") == [(5, 1, 1)]
    assert found(rows(one), "reopened") == []
    back = rows(ticket(opened(0), status(3, "solved"), status(5, "closed"), status(5, "open")))
    assert found(back, "reopened") == found(back, "solved")[1:] == [(5, 1, 1)]


def live(seq: int, to: Any, *others: Any, minute: float = 5) -> Event:
    """What a tool says that its times have minutes only: the status now, at the time of the statement."""
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
    """But for `new`, to which no ticket returns."""
    told = [ticket(opened(0)), *(live(seq, to) for seq, to in enumerate(statuses, 2))]
    for order in (told, told[::-1], told * 2):
        counted = rows(*order)
        assert (kpi("tickets_solved", counted).value, kpi("tickets_reopened", counted).value) == passes


def test_a_status_that_is_told_of_an_earlier_time_counts_once_of_that_time() -> None:
    solved_and_back = [ticket(opened(0)), live(2, "solved"), live(3, "open")]
    history = ticket(opened(0), status(5, "solved"), status(5, "open"), seq=9)
    late_copy = ticket(status(5, "solved"), seq=8)
    expected = rows(*solved_and_back)
    assert kpi("tickets_reopened", expected).value == 1
    assert rows(*solved_and_back, late_copy) == rows(*solved_and_back, history) == rows(*solved_and_back, history, late_copy)
    assert rows(*solved_and_back, history) == expected


def test_a_delivery_that_repeats_the_status_before_adds_the_one_that_is_new() -> None:
    told = [ticket(opened(0)), live(2, "solved"), live(3, "open", "solved")]
    assert kpi("tickets_reopened", rows(*told)).value == 1
    assert kpi("backlog", rows(*told)).value == 1


@given(st.lists(st.sampled_from(["open", "pending", "solved", "closed"]), min_size=1, max_size=6), st.randoms())
def test_whatever_happens_within_a_minute_the_last_status_received_is_the_tickets(statuses: list[Any], random: Any) -> None:
    told = [ticket(opened(0)), *(live(seq, to) for seq, to in enumerate(statuses, 2))]
    random.shuffle(told)
    assert kpi("backlog", rows(*told)).value == (statuses[-1] in ("open", "pending"))


def test_moving_among_unsolved_statuses_is_no_passage() -> None:
    counted = rows(ticket(opened(0), status(1, "open"), status(2, "pending"), status(3, "on_hold"), status(4, "open")))
    assert found(counted, "solved") == found(counted, "reopened") == []
    assert kpi("backlog", counted).value == 1


def test_the_same_status_at_the_same_time_counts_once_however_many_deliveries_tell_of_it() -> None:
    counted = rows(ticket(opened(0), status(9, "solved")), ticket(status(9, "solved"), seq=2), ticket(status(9, "solved"), seq=3))
    assert kpi("tickets_solved", counted).value == 1


def test_a_solve_told_of_a_time_before_the_opening_counts_at_the_opening_and_its_negative_span_not_at_all() -> None:
    counted = rows(ticket(opened(10), status(7, "solved")))
    assert found(counted, "solved") == [(10, 1, 1)]
    assert found(counted, "reopened") == []
    assert kpi("first_resolution_time", counted).n == kpi("full_resolution_time", counted).n == 0
    assert kpi("backlog", counted).value == 0


def test_of_several_statuses_told_of_times_before_the_opening_only_the_last_counts() -> None:
    counted = rows(ticket(opened(10), status(6, "solved"), status(7, "open"), status(8, "pending")))
    assert found(counted, "solved") == found(counted, "reopened") == []
    assert kpi("backlog", counted, end=10).value == 0
    assert kpi("backlog", counted).value == 1


def test_a_status_of_the_very_time_of_the_opening_says_what_the_ticket_opened_with() -> None:
    counted = rows(ticket(opened(10), status(7, "solved"), status(10, "open")))
    assert found(counted, "solved") == found(counted, "reopened") == []


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
    told = ticket(opened(0), reply(5, id="m1")), ticket(reply(5, id="m1", public=False), seq=2)
    assert kpi("first_reply_time", rows(*told)).value is None
    made_public = ticket(reply(5, id="m1", public=False)), ticket(opened(0), reply(5, id="m1"), seq=2)
    assert kpi("first_reply_time", rows(*made_public), agg="mean").value == 300


# --- who held it ----------------------------------------------------------------------------------------------------------
def test_each_event_is_credited_to_who_held_the_ticket_then() -> None:
    facts = [
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


def test_an_assignment_told_as_a_fact_is_more_exact_than_the_dimension_of_the_same_time() -> None:
    counted = rows(ticket(opened(5), Assigned(at=at(5), team="tech"), dimensions={"team": "billing"}))
    assert dims_of(counted, "opened", "team") == ["tech"]


def test_other_dimensions_are_the_latest_also_for_what_was_before() -> None:
    told = [
        ticket(opened(0), PrioritySet(at=at(0), priority="low"), dimensions={"region": "DE", "channel": "email"}),
        ticket(PrioritySet(at=at(9), priority="high"), seq=2, dimensions={"region": "AT", "channel": None}),
    ]
    counted = rows(*told)
    assert dims_of(counted, "opened", "region") == ["AT"]
    assert dims_of(counted, "opened", "channel") == [None]
    assert dims_of(counted, "opened", "priority") == ["high"]
    assert dims_of(counted, "opened", "source") == ["standard"]
    assert dims_of(counted, "opened", "connection") == ["c1"]


DECOMPOSED, COMPOSED = "Cafe\u0301", "Caf\u00e9"


@pytest.mark.parametrize("stored", [DECOMPOSED, COMPOSED])
def test_names_that_were_stored_in_another_unicode_form_count_under_nfc(stored: str) -> None:
    told = [
        ticket(opened(0), dimensions={"region": stored, "team": stored}),
        ticket(Assigned(at=at(1), team=stored, agent=stored), PrioritySet(at=at(1), priority=stored), status(5, "solved"), seq=2),
        ticket(reply(3, agent=DECOMPOSED), seq=3),
        ticket(reply(3, agent=COMPOSED), seq=4),
    ]
    counted = rows(*told)
    for name in ("region", "team", "agent", "priority"):
        assert set(dims_of(counted, "solved", name)) == {COMPOSED}
    assert found(counted, "backlog") == found(rows(*told[:1], ticket(status(5, "solved"), seq=2)), "backlog")


# --- dropped --------------------------------------------------------------------------------------------------------------
LIVED = (opened(0, text="help"), reply(5), status(9, "solved"), Rating(at=at(12), value=5))


@pytest.mark.parametrize("drop", [Merged, Spam, Deleted])
def test_a_dropped_ticket_is_left_out_of_every_kpi_also_of_the_past(drop: type[Merged | Spam | Deleted]) -> None:
    counted = rows(ticket(*LIVED), ticket(drop(at=at(60)), seq=2))
    assert [(c.measure, c.at, c.amount) for c in counted] == [("dropped", at(60), 1)]


@pytest.mark.parametrize("drop", [Merged, Spam, Deleted])
def test_what_is_taken_back_counts_as_if_it_had_never_been_dropped(drop: type[Merged | Spam | Deleted]) -> None:
    counted = rows(ticket(*LIVED), ticket(drop(at=at(60)), seq=2), ticket(drop(at=at(70), value=False), seq=3))
    assert counted == rows(ticket(*LIVED))


def test_a_ticket_dropped_for_two_reasons_stays_dropped_until_both_are_taken_back() -> None:
    facts: list[Fact] = [*LIVED, Spam(at=at(60)), Merged(at=at(61)), Spam(at=at(62), value=False)]
    assert found(rows(ticket(*facts)), "dropped") == [(60, 1, 1)]
    assert found(rows(ticket(*facts, Merged(at=at(63), value=False))), "dropped") == []
    assert found(rows(ticket(*facts, Merged(at=at(63), value=False), Spam(at=at(64)))), "dropped") == [(64, 1, 1)]


def test_one_reason_taken_back_as_another_comes_makes_no_second_drop() -> None:
    for one, other in ((Spam, Deleted), (Deleted, Spam)):
        facts: list[Fact] = [*LIVED, one(at=at(60)), one(at=at(70), value=False), other(at=at(70))]
        assert found(rows(ticket(*facts)), "dropped") == [(60, 1, 1)]


# --- ratings and comments -------------------------------------------------------------------------------------------------
def test_a_rating_is_filed_under_its_own_time_and_a_later_version_of_it_replaces_it() -> None:
    told = [ticket(opened(0), Rating(at=at(30), value=2, id="r1")), ticket(Rating(at=at(40), value=5, id="r1"), seq=2)]
    assert found(rows(*told), "csat:1..5+4") == [(40, 5, 5)]
    assert found(rows(*told, ticket(Rating(at=at(40), value=None, id="r1"), seq=3)), "csat:1..5+4") == []


def test_a_rating_that_is_stated_with_each_later_change_keeps_its_time_until_it_changes() -> None:
    def as_of(minutes: int, value: int) -> Event:
        return ticket(Rating(at=at(minutes), value=value, id="r1", text="quick"), seq=minutes, at=at(minutes))

    told = [ticket(opened(0)), as_of(30, 5), as_of(90, 5)]
    assert found(rows(*told), "csat:1..5+4") == found(rows(*told[::-1]), "csat:1..5+4") == [(30, 5, 5)]
    assert found(rows(*told), "comments") == [(30, 1, 1)]
    assert found(rows(*told, as_of(120, 2)), "csat:1..5+4") == [(120, 2, 2)]
    corrected = ticket(Rating(at=at(20), value=5, id="r1", text="quick"), seq=200)
    assert found(rows(*told, corrected), "csat:1..5+4") == [(20, 5, 5)], "an app may correct the time"


def test_the_customers_words_are_comments_at_their_own_time_and_nobody_elses_are() -> None:
    facts = [
        opened(0, text="it broke"),
        reply(5, text="have you tried …"),
        reply(6, by="bot", text="we are on it"),
        reply(9, by="customer", text="thanks"),
        reply(10, by="customer", text="  "),
        Rating(at=at(30), value=5, text="quick"),
    ]
    counted = rows(ticket(*facts), scores=scored("thanks", 0.44, "positive"))
    assert found(counted, "comments") == [(0, 1, 1), (9, 1, 1), (30, 1, 1)]
    assert found(counted, "sentiment:vader-3.3.2") == [(9, 8, 440)]
    by_agent = rows(ticket(Opened(at=at(0), by="agent", text="welcome")))
    assert found(by_agent, "comments") == []


def test_an_edit_from_a_to_b_and_back_to_a_ends_at_a() -> None:
    texts = ["good", "bad", "good"]
    told = [ticket(opened(0), reply(1, by="customer", id="m1", text=text), seq=n) for n, text in enumerate(texts)]
    assert found(rows(*told, scores=scored("good", 0.5, "positive")), "sentiment:vader-3.3.2") == [(1, 10, 500)]


def test_a_mended_mapping_takes_away_what_it_no_longer_finds() -> None:
    first = ticket(opened(0), status(5, "solved"), reply(3))
    assert rows(first, ticket(opened(0), revision=2)) == rows(ticket(opened(0)))


def test_the_customer_stated_last_stands_on_every_row() -> None:
    counted = rows(ticket(opened(0), customer="p1"), ticket(status(4, "open"), seq=2), ticket(reply(5), seq=3, customer="p2"))
    assert {c.customer for c in counted} == {"p2"}


def test_statements_of_one_stamp_are_still_in_one_order() -> None:
    one = said(1, ticket(opened(0)).body, at=at(0), position=0, statement="a", dimensions={"region": "DE"})
    two = said(1, ticket(opened(0)).body, at=at(0), position=1, statement="b", dimensions={"region": "AT"})
    assert dims_of(rows(two, one), "opened", "region") == ["AT"]
    earlier = said(0, ticket(opened(0)).body, at=at(0), statement="z", dimensions={"region": "CH"})
    assert dims_of(rows(two, one, earlier), "opened", "region") == ["AT"]

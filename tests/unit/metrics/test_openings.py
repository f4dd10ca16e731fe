"""Openings of tickets that are repeated as a message, have no seconds, or are private."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from services.metrics.domain.contributions import contributions
from services.metrics.domain.facts import to_minute
from services.metrics.domain.view import view
from shared.events import Event, Message, Opened, Score, StatusSet, decode_event, encode
from tests.unit.metrics import strategies
from tests.unit.metrics.build import MODEL, T0, at, kpi, opened, reply, rows, rows_in, scored, ticket

LAST = 9
"""A sequence number, and minutes after T0, after those of `strategies`."""

openings: Any = st.builds(
    Opened,
    at=st.integers(0, 4).map(at),
    by=strategies.parties,
    agent=st.none() | st.sampled_from(["a-1", "a-2"]),
    text=strategies.texts,
    text_digest=st.none() | st.sampled_from(["d1", "d2"]),
    public=st.sampled_from([True, False, UNSET]),
)


EXACT = Opened(at=at(0.7), by="agent")
ROUNDED = Opened(at=at(0), by="agent")
"""The opening of EXACT from a tool that leaves out seconds."""


def repeated(opening: Opened, seconds: float, **changed: Any) -> Message:
    """The opening as a tool repeats it, as the first message."""
    fields: dict[str, Any] = {
        "at": opening.at + timedelta(seconds=seconds),
        "by": opening.by,
        "agent": opening.agent,
        "public": opening.public is not False,
        "text": opening.text,
        "text_digest": opening.text_digest,
        "id": "opening",
    }
    return Message(**(fields | changed))


@example([ticket(EXACT)], ROUNDED, {}, None, 1, 2, Random(0))
@example([ticket(replace(EXACT, by="customer"))], replace(ROUNDED, by="customer", text="great"), {}, None, 1, 2, Random(0))
@given(
    strategies.of_ticket,
    openings,
    strategies.scores,
    st.none() | st.floats(-5, 5),
    st.integers(0, 12),
    st.integers(1, 20),
    st.randoms(use_true_random=False),
)
def test_the_opening_repeated_as_a_message_changes_nothing_in_any_order(
    events: list[Event],
    opening: Opened,
    scores: dict[tuple[str, str], Score],
    seconds: float | None,
    stamp: int,
    seq: int,
    random: Random,
) -> None:
    """`seconds` are those from the opening to the message. None: the tool leaves out the seconds of the message's time.

    An event may state the opening's time with seconds, which the opening keeps.
    """
    without = [*events, ticket(opening, seq=LAST, at=at(LAST))]
    folded = view(without).ticket
    assert folded is not None
    time = to_minute(folded.opened) if seconds is None else folded.opened + timedelta(seconds=seconds)
    message = ticket(repeated(opening, 0, at=time), seq=seq, at=at(stamp), statement="again")
    together = [*without, message, message]
    random.shuffle(together)
    assert Counter(contributions(view(together), scores)) == Counter(contributions(view(without), scores))


def test_an_agents_repeated_opening_is_not_their_first_reply() -> None:
    opening = Opened(at=at(0), by="agent", agent="a-3", text_digest="d1")
    events = [ticket(opening), ticket(repeated(opening, 0.4), seq=2), ticket(reply(20, agent="a-3"), seq=3)]
    assert kpi("first_reply_time", rows(*events), agg="mean").value == 1200


def test_a_customers_repeated_opening_is_scored_and_counted_once() -> None:
    opening = opened(0, text="it broke")
    events = [ticket(opening), ticket(repeated(opening, 0.4, text=" it\nbroke "), seq=2)]
    counted = rows(*events, scores=scored("it broke", -0.5, "negative") | scored(" it\nbroke ", -0.5, "negative"))
    assert rows_in(counted, "comments") == [(0, 1, 1)]
    assert rows_in(counted, f"label:{MODEL}") == [(0, -1, -1)]
    assert rows_in(counted, f"sentiment:{MODEL}") == [(0, -10, -500)]


AGENTS = Opened(at=T0, by="agent", agent="a-3", text_digest="d1", public=True)


@pytest.mark.parametrize(
    "changed",
    [
        {"at": T0 + timedelta(seconds=5, microseconds=1)},
        {"agent": "a-4"},
        {"text_digest": "d2"},
    ],
)
def test_a_message_of_another_time_author_or_text_is_not_the_opening(changed: dict[str, Any]) -> None:
    counted = rows(ticket(AGENTS, repeated(AGENTS, 2, **changed)))
    assert kpi("first_reply_time", counted).n == 1


@pytest.mark.parametrize("changed", [{"at": T0 + timedelta(seconds=6)}, {"text": "it broke again"}, {"by": "agent"}])
def test_another_message_of_the_customer_is_a_comment_of_its_own(changed: dict[str, Any]) -> None:
    opening = opened(0, text="it broke")
    counted = rows(ticket(opening, repeated(opening, 2, **changed)))
    assert len(rows_in(counted, "comments")) == 1 + (changed.get("by") != "agent")


@pytest.mark.parametrize("unknown", [{"agent": None}, {"text_digest": None}])
def test_an_unknown_agent_or_text_equals_that_of_the_opening(unknown: dict[str, Any]) -> None:
    assert kpi("first_reply_time", rows(ticket(AGENTS, repeated(AGENTS, 1, **unknown)))).n == 0


# --- private openings -----------------------------------------------------------------------------------------------------
def test_an_agents_private_opening_is_no_reply_and_a_public_copy_of_it_is_the_first() -> None:
    private = Opened(at=at(0), by="agent", agent="a-3", text_digest="d1", public=False)
    assert kpi("first_reply_time", rows(ticket(private, repeated(private, 2)))).n == 0
    counted = rows(ticket(private, repeated(private, 2, public=True)))
    assert kpi("first_reply_time", counted, agg="mean").value == 2


def test_an_opening_repeated_without_public_stays_private() -> None:
    private = Opened(at=at(0), by="agent", agent="a-3", text_digest="d1", public=False)
    events = [ticket(private), ticket(Opened(at=at(0), by="agent"), seq=2), ticket(repeated(private, 2, public=True), seq=3)]
    assert kpi("first_reply_time", rows(*events), agg="mean").value == 2


def test_a_customers_private_opening_is_a_comment() -> None:
    assert rows_in(rows(ticket(opened(0, text="it broke", public=False))), "comments") == [(0, 1, 1)]


def test_an_opening_of_an_earlier_version_is_read() -> None:
    event = ticket(opened(0, text="it broke"))
    assert b"public" not in encode(event)
    assert b"text_digest" not in encode(event)
    assert decode_event(encode(event)) == event


# --- times without seconds ------------------------------------------------------------------------------------------------
def clock(minutes: float, seconds: float = 0) -> datetime:
    return at(minutes) + timedelta(seconds=seconds)


def test_a_reply_in_the_minute_of_the_opening_came_at_once() -> None:
    for opening in (clock(0), clock(0, 40)):
        counted = rows(ticket(Opened(at=opening), Message(at=clock(0), by="agent"), Message(at=clock(90), by="agent")))
        assert kpi("first_reply_time", counted, agg="mean").value == 0
        assert rows_in(counted, "first_reply:replied") == [((opening - T0).total_seconds() / 60, 0, 0)]


def test_a_reply_in_the_second_of_the_opening_is_no_reply_if_times_have_seconds() -> None:
    counted = rows(ticket(Opened(at=clock(0, 40)), Message(at=clock(0, 40), by="agent")))
    assert kpi("first_reply_time", counted).n == 0


def test_a_status_in_the_minute_of_the_opening_is_at_the_opening() -> None:
    counted = rows(ticket(Opened(at=clock(0, 40)), StatusSet(at=clock(0), status="solved")))
    assert kpi("first_resolution_time", counted, agg="mean").value == 0
    assert kpi("full_resolution_time", counted, agg="mean").n == 1
    assert kpi("backlog", counted).value == 0


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_an_opening_without_seconds_does_not_replace_one_with_seconds(order: tuple[int, int]) -> None:
    exact, rounded = order
    events = [ticket(Opened(at=clock(0, 40)), seq=exact), ticket(Opened(at=clock(0)), seq=rounded)]
    counted = rows(*events, ticket(Message(at=clock(1), by="agent"), seq=3))
    assert kpi("first_reply_time", counted, agg="mean").value == 20

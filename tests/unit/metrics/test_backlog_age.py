"""The ages of open tickets at an instant, compared with their definition."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.ages import QUARTER, age_bin, ages
from services.metrics.domain.histogram import count
from services.metrics.domain.kpis import KPIS
from shared.events import Assigned, Event, Fact
from tests.unit.metrics.build import T0, at, kpi, opened, rows, status, ticket

DAY = 24 * 60

lives = st.lists(st.tuples(st.integers(0, 3000), st.none() | st.integers(1, 3000), st.none() | st.integers(1, 300)), max_size=12)
"""For each ticket the minute of its opening, after how long it was solved, and after how long it was reopened then."""


def life(number: int, start: int, length: int | None, pause: int | None) -> Event:
    facts: list[Fact] = [opened(start), Assigned(at=at(start), team="a"), Assigned(at=at(start + 7), team="b")]
    if length is not None:
        facts.append(status(start + length, "solved"))
        if pause is not None:
            facts.append(status(start + length + pause, "open"))
    return ticket(*facts, subject=f"c1/ticket/{number}")


@given(lives, st.integers(0, 7000))
def test_the_open_tickets_have_their_ages_to_half_a_quarter_of_an_hour(
    drawn: list[tuple[int, int | None, int | None]], instant: int
) -> None:
    counted = rows(*(life(number, *one) for number, one in enumerate(drawn)))
    expected = sorted(
        instant - start
        for start, length, pause in drawn
        if start < instant and (length is None or instant <= start + length or (pause and start + length + pause < instant))
    )
    steps = count((row.bin, row.amount) for row in counted if row.measure == "backlog_age" and row.at < at(instant))
    served = sorted(age for age, n in ages(steps.counts, at(instant)).items() for _ in range(n))
    assert served == pytest.approx([60 * age for age in expected], abs=QUARTER.total_seconds() / 2 + 1)
    assert kpi("backlog_age", counted, end=instant).n == len(expected)


def test_the_median_and_the_90th_percentile_of_the_ages_grow_with_time() -> None:
    counted = rows(*(life(number, number * DAY, None, None) for number in range(10)))
    age = kpi("backlog_age", counted, end=10 * DAY)
    assert age.value == pytest.approx(5.5 * 86_400, abs=451)
    assert age.interval is not None
    assert kpi("backlog_age", counted, end=10 * DAY, agg="p90").value == pytest.approx(9.1 * 86_400, abs=451)
    assert kpi("backlog_age", counted, end=12 * DAY).value == pytest.approx(7.5 * 86_400, abs=451)
    assert sum((age.distribution or {}).values()) == 10


def test_a_ticket_is_in_the_ages_of_the_team_that_has_it() -> None:
    counted = rows(life(1, 0, None, None))
    assert [kpi("backlog_age", counted, end=minute, where={"team": "a"}).n for minute in (0, 5, 10)] == [0, 1, 0]
    assert [kpi("backlog_age", counted, end=minute, where={"team": "b"}).n for minute in (0, 5, 10)] == [0, 0, 1]


def test_the_difference_of_the_steps_of_a_bin_is_enough() -> None:
    place = age_bin(T0)
    both = {place: 5, -place: 3}
    assert ages(both, at(60)) == ages({place: 2}, at(60)) == {3600 - 450: 2}
    assert ages({place: 2, -place: 2}, at(60)) == {}


def test_an_age_is_never_negative_and_needs_an_instant() -> None:
    place = age_bin(T0 + timedelta(minutes=5))
    assert ages({place: 1}, at(5)) == {0: 1}
    with pytest.raises(ValueError, match="needs an instant"):
        KPIS["backlog_age"].estimate({"backlog_age": count([(place, 1)])})

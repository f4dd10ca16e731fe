"""The parts that a KPI leaves out, and the recount of those that it counts, from views and contributions alone."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.metrics.domain.business_hours import DAY, BusinessHours, Calendar
from services.metrics.domain.contributions import contributions
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.presets import DBT_ZENDESK
from services.metrics.domain.query import Filter, Query
from services.metrics.domain.sla import Conditions, Policies, Policy, PolicyVersion, Target
from services.metrics.domain.terms import FIRST_TERMS, Terms
from services.metrics.domain.view import view
from services.metrics.domain.windows import Between
from services.metrics.evaluation.left_out import REASONS, FoldedSubject, LeftOutCounts
from services.metrics.evaluation.periods import periods
from services.metrics.evaluation.recount import Recount
from shared.events import Event, Fact, Merged, Review, Score
from tests.unit.metrics.build import (
    MODEL,
    at,
    nps,
    opened,
    reply,
    response,
    scored,
    statement,
    status,
    ticket,
    words,
)

UTC = ZoneInfo("UTC")
NOW = at(1000)
SLA = Policies([PolicyVersion(at(-10_000), (Policy("all", "All", Conditions(), Target(60 * 60)),))])


def recount_of(query: Query, names: Any = None) -> Recount:
    return Recount(query, periods(query, UTC, NOW)[0], MODEL, (), names or {}, NOW)


def between(kpi: str, start: float = 0, end: float = 1000, **fields: Any) -> Query:
    return Query(kpi=KPIS[kpi], window=Between(at(start), at(end)), **fields)


def left_out(
    query: Query,
    *subjects: list[Event] | Event,
    scores: dict[tuple[str, str], Score] | None = None,
    terms: Terms = FIRST_TERMS,
    now: datetime = NOW,
) -> dict[str, int]:
    counting = LeftOutCounts(recount_of(query), terms, MODEL, now)
    for events in subjects:
        current = view(events if isinstance(events, list) else [events])
        counting.add(FoldedSubject(current, scores or {}, contributions(current, scores or {}, terms)))
    return dict(+counting.counts)


WAITING = ticket(opened())
REPLIED = ticket(opened(), reply(5))
MERGED = ticket(opened(), reply(5), Merged(at=at(50)))


@pytest.mark.parametrize(
    ("query", "subjects", "expected"),
    [
        (between("first_reply_time"), [WAITING, REPLIED, MERGED], {"no_reply": 1, "dropped": 1}),
        (between("first_reply_time", 1), [WAITING, MERGED], {"dropped": 1}),
        (between("first_reply_time", 6), [WAITING, MERGED], {}),
        (between("first_resolution_time"), [WAITING], {"unsolved": 1}),
        (between("full_resolution_time"), [ticket(opened(), status(9, "solved"), status(10, "open"))], {"unsolved": 1}),
        (between("tickets_opened"), [WAITING, MERGED], {"dropped": 1}),
        (between("tickets_dropped"), [WAITING, MERGED], {}),
        (between("backlog"), [WAITING, MERGED], {"dropped": 1}),
        (between("backlog", end=1), [ticket(opened(5), Merged(at=at(9)))], {}),
        (between("nps"), [response(nps(9)), response(words("hm")), response(when=-5)], {"no_answer": 1}),
        (between("stars"), [statement(1, Review(at=at(1), text="fine"))], {"no_stars": 1}),
        (between("stars"), [response(nps(9))], {}),
        (between("sentiment"), [response(words("so"))], {"not_scored": 1}),
        (between("urgent_comments"), [response(words("so"))], {"not_scored": 1}),
        (between("sentiment_coverage"), [response(words("so"))], {}),
        (between("csat"), [WAITING], {}),
    ],
)
def test_left_out_by_reason(query: Query, subjects: list[Event], expected: dict[str, int]) -> None:
    assert left_out(query, *subjects) == expected
    assert expected.keys() <= REASONS.keys()


def test_a_wait_that_a_solve_ended_is_unanswered() -> None:
    ended = ticket(opened(), reply(5), reply(9, by="customer"), status(20, "solved"))
    in_time = ticket(opened(), reply(5), reply(9, by="customer", id="m2"), reply(12, id="m3"))
    assert left_out(between("next_reply_time"), ended, in_time) == {"unanswered": 1, "no_value": 1}
    assert left_out(between("next_reply_time", 1), ended, in_time) == {"unanswered": 1}
    assert left_out(between("handling_time"), in_time) == {"unsolved": 1}


def test_a_duration_that_would_be_negative_is_counted() -> None:
    early = ticket(opened(10), status(5, "solved"))
    for kpi in ("first_resolution_time", "full_resolution_time", "handling_time", "requester_wait", "agent_wait"):
        assert left_out(between(kpi), early) == {"negative_duration": 1}, kpi
        assert left_out(between(kpi), ticket(opened(10))) == {"unsolved": 1}, kpi


def test_a_filter_leaves_nothing_out() -> None:
    billing = between("first_reply_time", filters=(Filter("team", ("billing",)),))
    assert left_out(billing, ticket(opened(), dimensions={"team": "tech"})) == {}
    assert left_out(billing, ticket(opened(), dimensions={"team": "billing"})) == {"no_reply": 1}


def test_a_comment_without_a_sentiment_is_left_out_only_where_one_is_needed() -> None:
    silent = scored("n/a", None, None)
    assert left_out(between("sentiment"), response(words("n/a")), scores=silent) == {"no_sentiment": 1}
    assert left_out(between("theme_volume"), response(words("n/a")), scores=silent) == {}
    of_another_model = scored("n/a", 0.5, "positive", model="another")
    assert left_out(between("sentiment"), response(words("n/a")), scores=of_another_model) == {"not_scored": 1}


def test_without_a_calendar_a_reply_has_no_business_hours() -> None:
    query = between("first_reply_time")
    business = replace(query, kpi=query.kpi.in_business_hours, business_hours=True)
    assert left_out(business, REPLIED, WAITING) == {"no_calendar": 1, "no_reply": 1}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (REPLIED, {}),
        (WAITING, {}),
        (ticket(opened(990)), {"running": 1}),
        (ticket(opened(), status(9, "solved")), {"cancelled": 1}),
        (ticket(opened(by="agent")), {"no_target": 1}),
        (ticket(opened(-20_000), seq=2), {}),
    ],
)
def test_targets_that_are_neither_met_nor_breached(event: Event, expected: dict[str, int]) -> None:
    assert left_out(between("sla_first_reply"), event, terms=Terms(policies=SLA)) == expected


def test_a_target_that_ran_when_the_ticket_was_dropped_is_counted() -> None:
    """As is one whose deadline has passed since; one of a ticket that was opened before the window is not."""
    terms = Terms(policies=SLA)
    for opening, dropped in ((990, 995), (900, 910)):
        event = ticket(opened(opening), Merged(at=at(dropped)))
        assert left_out(between("sla_first_reply"), event, terms=terms) == {"dropped": 1}
    earlier = ticket(opened(990), Merged(at=at(995)))
    assert left_out(between("sla_first_reply", 991), earlier, terms=terms) == {}
    assert left_out(between("sla_next_reply"), earlier, terms=terms) == {}
    assert left_out(between("sla_breached_open"), earlier, terms=terms) == {}
    met_later = ticket(opened(990), reply(1010), Merged(at=at(1020)))
    assert left_out(between("sla_first_reply"), met_later, terms=terms) == {}


def test_without_policies_no_ticket_has_a_target() -> None:
    assert left_out(between("sla_first_reply"), WAITING) == {"no_target": 1}


# --- the recount ----------------------------------------------------------------------------------------------------------
def recounted(query: Query, *events: Event, names: Any = None) -> dict[tuple[Any, ...], list[Any]]:
    """The values of each group, one for each bucket."""
    recount = recount_of(query, names)
    for event in events:
        recount.add(event.subject, contributions(view([event]), {}))
    series = recount.series()
    count = len(series.period.buckets)
    return {group: [query.kpi.estimate(one).value for one in series.dense(group, count)] for group in series.buckets}


def answer(number: int, value: int, when: float, **fields: Any) -> Event:
    return response(nps(value), seq=number, when=when, subject=f"c1/response/{number}", **fields)


def test_answers_are_counted_by_bucket_and_group_before_the_present() -> None:
    query = between("nps", 0, 2000, grain="PT1H", group_by=("team",))
    events = [
        answer(1, 10, 30, dimensions={"team": "a"}),
        answer(2, 0, 90, dimensions={"team": "a"}),
        answer(3, 10, 90),
        answer(4, 10, 1500),
    ]
    values = recounted(query, *events)
    assert values.keys() == {("a",), (None,)}
    assert values["a",][:3] == [100, -100, None]
    assert values[None,][:3] == [None, 100, None]


def test_a_level_counts_everything_before_the_end_of_a_bucket() -> None:
    query = between("backlog", 0, 180, grain="PT1H")
    assert recounted(query, ticket(opened(-50)), ticket(opened(70), status(130, "solved"), seq=2))[()] == [1, 2, 1]


def test_per_respondent_the_latest_answer_of_a_bucket_counts() -> None:
    query = between("nps", per_respondent=True)
    recount = recount_of(query)
    for event in (answer(1, 0, 10, customer="p1"), answer(2, 10, 20, customer="p1"), answer(3, 10, 5), answer(4, 10, 6)):
        recount.add(event.subject, contributions(view([event]), {}))
    (measured,) = recount.series().dense((), 1)
    assert (query.kpi.estimate(measured).value, query.kpi.estimate(measured).n) == (100, 3)
    assert recount.earlier_answers == 1


def test_a_filter_selects_by_values_and_by_their_names() -> None:
    events = [answer(1, 10, 1, dimensions={"team": "7"}), answer(2, 0, 2, dimensions={"team": "8"}), answer(3, 5, 3)]
    names = {"team": {"7": "Billing"}}
    for f, n in [
        (Filter("team", ("Billing",)), 1),
        (Filter("team", ("7",)), 1),
        (Filter("team", (), ("Billing",)), 2),
        (Filter("team", (None, "8")), 2),
        (Filter("theme", (), ("price",)), 3),
    ]:
        query = between("nps", filters=(f,))
        recount = recount_of(query, names)
        for event in events:
            recount.add(event.subject, contributions(view([event]), {}))
        (measured,) = recount.series().dense((), 1)
        assert query.kpi.estimate(measured).n == n, f


def test_targets_of_other_kinds_have_reasons_of_their_own() -> None:
    policy = Policy("all", "All", Conditions(), next_reply=Target(60), resolution=Target(3600), pause=("pending",))
    terms = Terms(policies=Policies([PolicyVersion(at(-10_000), (policy,))]))
    paused = ticket(opened(), reply(5), status(9, "pending"))
    assert left_out(between("sla_resolution"), paused, terms=terms) == {"paused": 1}
    assert left_out(between("sla_next_reply"), paused, terms=terms) == {"no_value": 1}
    assert left_out(between("sla_first_reply"), paused, terms=terms) == {"no_target": 1}


def test_targets_of_a_ticket_that_has_others_too_are_counted() -> None:
    """The first wait is answered; a solve ends the second one, or its deadline lies in the future."""
    policies = Policies([PolicyVersion(at(-10_000), (Policy("all", "All", Conditions(), next_reply=Target(3600)),))])
    replied = reply(5), reply(9, by="customer", id="m2"), reply(12, id="m3")
    ended = ticket(opened(), *replied, reply(20, by="customer", id="m4"), status(30, "solved"))
    assert left_out(between("sla_next_reply"), ended, terms=Terms(policies=policies)) == {"cancelled_wait": 1}
    running = ticket(opened(), *replied, reply(990, by="customer", id="m4"))
    assert left_out(between("sla_next_reply"), running, terms=Terms(policies=policies)) == {"running": 1}
    assert left_out(between("sla_next_reply"), ticket(opened(), *replied), terms=Terms(policies=policies)) == {}


@pytest.mark.parametrize("solved", [(), (status(30, "solved"),)])
def test_a_target_in_business_hours_without_a_calendar_is_neither_cancelled_nor_paused(solved: tuple[Fact, ...]) -> None:
    target = Target(3600, business=True)
    policy = Policy("all", "All", Conditions(), first_reply=target, next_reply=target, resolution=target, pause=("pending",))
    policies = Policies([PolicyVersion(at(-10_000), (policy,))])
    replied = ticket(opened(), reply(5), reply(9, by="customer", id="m2"), *solved)
    always = Calendar("all", "All", "UTC", date(2020, 1, 1), (((0, DAY),),) * 7)
    for kpi in ("sla_first_reply", "sla_next_reply", "sla_resolution"):
        assert left_out(between(kpi), replied, terms=Terms(policies=policies)) == {"no_calendar": 1}, kpi
        with_hours = left_out(between(kpi), replied, terms=Terms(policies=policies, hours=BusinessHours([always])))
        assert with_hours == ({"cancelled": 1} if solved and kpi == "sla_next_reply" else {}), kpi
    assert left_out(between("sla_resolution"), ticket(opened(by="agent")), terms=Terms(policies=policies)) == {"no_calendar": 1}
    assert left_out(between("sla_first_reply"), ticket(opened(by="agent")), terms=Terms(policies=policies)) == {"no_target": 1}
    paused = ticket(opened(), status(0, "pending"))
    assert left_out(between("sla_resolution"), paused, terms=Terms(policies=policies)) == {"no_calendar": 1}
    assert left_out(between("sla_resolution"), paused, terms=Terms(policies=policies, hours=BusinessHours([always]))) == {
        "paused": 1
    }


def test_under_dbt_zendesk_a_ticket_that_a_bot_opened_has_no_target_of_a_first_reply() -> None:
    query = replace(between("sla_first_reply"), kpi=KPIS["sla_first_reply"].under(DBT_ZENDESK), preset="dbt_zendesk")
    by_bot, terms = ticket(opened(by="bot")), Terms(policies=SLA, presets=(DBT_ZENDESK,))
    assert left_out(query, by_bot, terms=terms) == {"no_target": 1}
    assert left_out(query, ticket(opened()), terms=terms) == {}


def test_a_dropped_ticket_that_a_preset_counts_is_not_left_out() -> None:
    kpi = KPIS["first_reply_time"].under(DBT_ZENDESK)
    query = replace(between("first_reply_time"), kpi=kpi, preset="dbt_zendesk")
    events = ticket(opened(), reply(5), Merged(at=at(9)))
    assert left_out(query, events, terms=Terms(presets=(DBT_ZENDESK,))) == {}
    assert left_out(between("first_reply_time"), events) == {"dropped": 1}

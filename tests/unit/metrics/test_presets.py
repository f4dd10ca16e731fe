"""Presets: other definitions of the KPIs of tickets, counted beside our own; and those of a tenant's own."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.metrics.api.preset_bodies import PresetBody
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.measure import family_of
from services.metrics.domain.measures import MEASURES
from services.metrics.domain.presets import (
    CHATWOOT,
    DBT_ZENDESK,
    EVERY,
    OURS,
    PRESETS,
    RULES,
    ZENDESK,
    Preset,
    Rules,
)
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Assigned, Deleted, Event, Fact, Opened, Spam
from tests.unit.metrics import strategies
from tests.unit.metrics.build import MODEL, at, dim, opened, reply, status, ticket
from tests.unit.metrics.presets import ALWAYS, TERMS, amounts, message, own, rows_of


# --- all presets ----------------------------------------------------------------------------------------------------------
def under(rules: Rules, events: list[Event]) -> list[Contribution]:
    """Rows under a preset with these rules that has rows of every family."""
    preset = Preset("every", "Every family", replace(rules, dropped_keep=True))
    return [
        row._replace(measure=row.measure.replace("@every", ""))
        for row in contributions(view(events), {}, replace(TERMS, presets=(preset,)))
        if "@every" in row.measure
    ]


@given(strategies.of_ticket)
def test_a_preset_without_other_rules_counts_every_ticket_as_we_do(events: list[Event]) -> None:
    current = view(events)
    if current.ticket is not None and current.ticket.dropped is None:
        ours = [row for row in contributions(current, {}, TERMS) if family_of(row.measure) in EVERY]
        assert sorted(under(OURS, events)) == sorted(ours)


VALUES: dict[str, Any] = {
    "first_reply_from": "handoff",
    "reopen_grace_minutes": 3,
    "resolution_clock": "minutes",
    "one_touch_max_replies": 1,
    "business_schedules": "last",
}


@given(strategies.of_ticket, st.sampled_from(sorted(RULES.keys() - {"dropped_keep"})))
@example([ticket(opened(1, by="customer"), reply(1))], "whole_seconds")
@example([ticket(opened(0.5), reply(5.2), status(9.9, "solved"))], "resolution_clock")
def test_a_rule_changes_rows_of_its_own_families_alone(events: list[Event], rule: str) -> None:
    without = replace(OURS, solved_statuses=rule == "deleted_is_status")  # which needs it
    ours, theirs = under(without, events), under(replace(without, **{rule: VALUES.get(rule, True)}), events)
    families = RULES[rule].families
    assert [row for row in sorted(ours) if family_of(row.measure) not in families] == [
        row for row in sorted(theirs) if family_of(row.measure) not in families
    ]


def test_every_rule_has_families_and_words() -> None:
    assert RULES.keys() == {field.name for field in fields(Rules)}
    assert {family for rule in RULES.values() for family in rule.families | rule.described} <= MEASURES.keys()


def test_a_preset_adds_rows_and_changes_no_others() -> None:
    events: list[Event] = [ticket(opened(0), message(60, by="bot"), reply(5), status(9, "solved"))]
    ours, both = (contributions(view(events), {}, terms) for terms in (Terms(), Terms(presets=tuple(PRESETS.values()))))
    assert [row for row in both if "@" not in row.measure] == ours
    assert {row.measure.partition("@")[2].partition(":")[0] for row in both if "@" in row.measure} == PRESETS.keys()


def test_a_kpi_under_a_preset_reads_its_measures_or_ours_where_it_changes_nothing() -> None:
    kpi = KPIS["first_reply_time"]
    assert kpi.presets == tuple(PRESETS)
    assert kpi.under(DBT_ZENDESK).selectors("created", MODEL) == ("first_reply@dbt_zendesk:created",)
    assert kpi.in_business_hours.under(ZENDESK).selectors("created", MODEL) == ("first_reply_business@zendesk:created",)
    assert kpi.under(ZENDESK).selectors("created", MODEL) == ("first_reply:created",)
    assert KPIS["resolution_rate"].under(own(reopen_grace_minutes=5)).selectors("solved", MODEL) == (
        "standing_solve@board",
        "opened",
    )
    assert (kpi.under(DBT_ZENDESK).version, kpi.under(DBT_ZENDESK).unit) == (kpi.version, "seconds")
    assert "whole seconds" in kpi.under(DBT_ZENDESK).formula


def test_only_kpis_of_tickets_are_defined_by_presets_and_ratings_by_chatwoot() -> None:
    assert KPIS["nps"].presets == ()
    assert KPIS["csat"].presets == ("chatwoot",)
    assert "by the time of the answer" in KPIS["csat"].difference(CHATWOOT)


def test_rows_of_a_preset_have_the_dimensions_of_their_time_also_of_a_dropped_ticket() -> None:
    facts = message(600), Assigned(at=at(0), team="a"), Assigned(at=at(5), team="b"), Deleted(at=at(20))
    rows = rows_of(DBT_ZENDESK, *facts)
    first_reply = [(row.measure, dim(row, "team")) for row in rows if family_of(row.measure) == "first_reply"]
    assert first_reply == [("first_reply@dbt_zendesk:replied", "b"), ("first_reply@dbt_zendesk:created", "a")]


# --- presets of a tenant's own --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "switches", "expected"),
    [
        ((status(5, "solved"), status(6, "open"), status(9, "solved")), {"reopen_grace_minutes": 3}, (1, 0, [300])),
        ((status(5, "solved"), status(6, "open"), status(9, "solved")), {"reopen_grace_minutes": 2}, (2, 1, [540])),
        ((status(5, "solved"), status(6, "open"), reply(7), status(9, "solved")), {"reopen_grace_minutes": 3}, (1, 0, [300])),
        (
            (status(5, "solved"), status(6, "open"), reply(7), status(9, "solved")),
            {"reopen_grace_minutes": 3, "reopen_grace_needs_agent": True},
            (2, 1, [540]),
        ),
        (
            (status(5, "solved"), status(6, "open"), status(9, "solved")),
            {"reopen_grace_minutes": 3, "reopen_grace_needs_agent": True},
            (1, 0, [300]),
        ),
        ((status(5, "solved"), status(6, "open")), {"reopen_grace_minutes": 3}, (1, 1, [])),
    ],
    ids=["within the grace", "longer", "with a reply", "a reply that counts", "without a reply", "not solved again"],
)
def test_a_reopening_within_the_grace_does_not_count(
    facts: tuple[Fact, ...], switches: dict[str, Any], expected: tuple[int, int, list[int]]
) -> None:
    rows = rows_of(own(**switches), *facts)
    counts = len(amounts(rows, "solved")), len(amounts(rows, "reopened")), amounts(rows, "full_resolution")
    assert counts == expected
    solves, reopenings, _ = expected
    assert amounts(rows, "backlog") == [1, -1, 1, -1][: 1 + solves + reopenings]


def test_switches_change_one_part_each() -> None:
    facts = message(60, by="bot"), message(300), status(10, "solved"), Spam(at=at(20))
    preset = own(dropped_keep=True, first_reply_counts_bots=True)
    assert amounts(rows_of(preset, *facts), "first_reply:replied") == [60]
    assert amounts(rows_of(preset, *facts), "agent_replies") == [1]
    assert rows_of(own(first_reply_counts_bots=True), *facts) == []
    assert amounts(
        rows_of(own(one_touch_counts_opening=True), status(5, "solved"), opening=opened(0, by="agent")), "touches"
    ) == [3]
    in_minutes = rows_of(own(resolution_clock="minutes"), status(5.2, "solved"), opening=Opened(at=at(0) + timedelta(seconds=30)))
    assert amounts(in_minutes, "first_resolution") == [300]


def test_in_minutes_of_the_clock_only_resolutions_count() -> None:
    """In business hours too: replies and times in statuses keep their seconds where the preset has rows of them."""
    facts = reply(5.2, id="m1"), reply(9.2, by="customer", id="m2"), reply(10.1, id="m3"), status(12.2, "solved")
    preset = own(dropped_keep=True, resolution_clock="minutes")
    rows = rows_of(preset, *facts, opening=Opened(at=at(0.5)), terms=Terms(hours=ALWAYS))
    in_seconds = {"first_reply": 282, "next_reply": 54, "handling": 702, "requester_wait": 702}
    for family, expected in {**in_seconds, "first_resolution": 720, "full_resolution": 720}.items():
        filed = ":replied" if family.endswith("reply") else ""
        assert amounts(rows, f"{family}{filed}") == amounts(rows, f"{family}_business{filed}") == [expected], family


def test_the_difference_of_a_kpi_names_the_rules_that_change_it() -> None:
    preset = own(reopen_grace_minutes=30, one_touch_max_replies=2)
    assert KPIS["reopen_rate"].difference(preset) == "a reopening that is solved again within 30 minutes doesn't count"
    assert (
        KPIS["one_touch_rate"]
        .difference(preset)
        .endswith("one touch: at most 2 replies, possibly none, whether it was reopened or not")
    )
    assert KPIS["first_resolution_time"].difference(preset) == ""


def test_the_difference_of_a_first_reply_from_a_reopening_says_which_reopenings_count() -> None:
    facts = status(2, "solved"), status(5, "open"), reply(7), status(9, "solved")
    plain, grace = own(first_reply_from="handoff"), own(first_reply_from="handoff", reopen_grace_minutes=30)
    assert [amounts(rows_of(preset, *facts), "first_reply:replied") for preset in (plain, grace)] == [[120], [420]]
    assert "within 30 minutes doesn't count" in KPIS["first_reply_time"].difference(grace)
    assert KPIS["first_reply_time"].difference(own(reopen_grace_minutes=30)) == ""


def test_the_name_of_an_own_preset_is_one_line_in_nfc() -> None:
    assert PresetBody(name="Cafe\u0301").name == "Caf\u00e9"
    for name in ("Our\nboard", "Our\x7fboard", "", "x" * 81):
        with pytest.raises(ValidationError, match="name"):
            PresetBody(name=name)

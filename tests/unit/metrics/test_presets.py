"""Presets: definitions of other systems, counted beside our own."""

from datetime import timedelta
from typing import Any

import pytest

from services.metrics.domain.contributions import contributions
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.presets import PRESETS
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Assigned, Deleted, Event, Fact, Message, Opened, Spam
from tests.unit.metrics.build import MODEL, at, dim, opened, reply, rows_in, status, ticket

SWITCHED_ON = Terms(presets=("dbt_zendesk",))


def seconds_of(*facts: Fact, opening: Opened | None = None) -> list[int]:
    """The first reply time under the preset, in seconds."""
    rows = contributions(view([ticket(opening or opened(0), *facts)]), {}, SWITCHED_ON)
    by_event = [
        [seconds for *_, seconds in rows_in(rows, f"first_reply_dbt_zendesk:{event}")] for event in ("replied", "created")
    ]
    assert by_event[0] == by_event[1]
    return by_event[0]


def message(seconds: float, **fields: Any) -> Message:
    return Message(at=at(0) + timedelta(seconds=seconds), **{"by": "agent", "id": f"m{seconds}", **fields})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], []),
        ([message(300)], [300]),
        ([message(60, by="bot"), message(300)], [60]),
        ([message(60, auto=True), message(300)], [60]),
        ([message(60, public=False), message(300)], [300]),
        ([message(60, by="customer"), message(300)], [300]),
        ([message(0.9), message(300)], [300]),
        ([message(1), message(300)], [1]),
        ([message(59.999)], [59]),
        ([message(300), Deleted(at=at(90))], [300]),
        ([message(300), Spam(at=at(1))], [300]),
        ([status(1, "solved"), message(300)], [300]),
    ],
    ids=[
        "none", "an agent", "a bot", "an automatic one", "a private note", "a customer", "in the second of the opening",
        "a second later", "whole seconds", "deleted", "spam", "after a solve",
    ],
)  # fmt: skip
def test_the_first_reply_under_dbt_zendesk_is_the_first_public_message_of_staff_after_the_second_of_the_opening(
    facts: list[Fact], expected: list[int]
) -> None:
    assert seconds_of(*facts) == expected


def test_the_second_of_the_opening_begins_at_its_whole_second() -> None:
    late = Opened(at=at(0) + timedelta(seconds=10, milliseconds=900))
    assert seconds_of(message(11.1), message(99), opening=late) == [1]
    assert seconds_of(message(10.95), message(99), opening=late) == [89]


def test_a_ticket_that_an_agent_opened_is_no_different() -> None:
    assert seconds_of(message(300), opening=opened(0, by="agent")) == [300]


def test_rows_of_a_preset_have_the_dimensions_of_their_time_also_of_a_dropped_ticket() -> None:
    facts = opened(0), message(600), Assigned(at=at(0), team="a"), Assigned(at=at(5), team="b"), Deleted(at=at(20))
    rows = contributions(view([ticket(*facts)]), {}, SWITCHED_ON)
    assert [(row.measure, dim(row, "team")) for row in rows] == [
        ("first_reply_dbt_zendesk:replied", "b"),
        ("first_reply_dbt_zendesk:created", "a"),
        ("dropped", "b"),
    ]


def test_a_preset_that_is_not_switched_on_adds_no_rows_and_one_that_is_changes_no_others() -> None:
    events: list[Event] = [ticket(opened(0), message(60, by="bot"), reply(5), status(9, "solved"))]
    ours, both = (contributions(view(events), {}, terms) for terms in (Terms(), SWITCHED_ON))
    assert [row for row in both if "dbt_zendesk" not in row.measure] == ours
    assert len(both) == len(ours) + 2


def test_a_kpi_under_a_preset_reads_its_measures_alone() -> None:
    kpi = KPIS["first_reply_time"]
    assert kpi.presets == ("dbt_zendesk",)
    under = kpi.under("dbt_zendesk")
    assert under.selectors("created", MODEL) == ("first_reply_dbt_zendesk:created",)
    assert (under.id, under.version, under.unit, under.filed_by, under.hours) == (
        kpi.id,
        kpi.version,
        "seconds",
        kpi.filed_by,
        (),
    )


def test_every_preset_says_how_each_of_its_kpis_differs() -> None:
    for preset in PRESETS.values():
        assert set(preset.differences) == {kpi.id for kpi in KPIS.values() if preset.id in kpi.presets}

"""Random tickets: what they contribute under every preset is what an independent model of the definitions says.

The model is that of `tests.e2e.model`, which is written from the definitions. There it answers queries of a running stack; here
its facts are compared one by one.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.ingest.domain.normalise import normalise
from services.ingest.domain.record import Ticket, read_record
from services.metrics.api.calendars import CalendarBody, calendar_of
from services.metrics.api.preset_bodies import PresetBody
from services.metrics.api.sla import PoliciesBody, version_from
from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.presets import PRESETS, OwnPreset, Preset
from services.metrics.domain.sla import Policies
from services.metrics.domain.sla_rows import DUE
from services.metrics.domain.terms import Terms
from services.metrics.domain.ticket_rows import NO_REPLY, NO_REPLY_ONE_TOUCH, ONE_TOUCH
from services.metrics.domain.view import view
from shared.events import DIMENSIONS, Event
from tests.e2e.model.business import CALENDARS
from tests.e2e.model.facts import Fact, Record, Scored
from tests.e2e.model.model import Model, Query
from tests.e2e.model.own_presets import OWN
from tests.e2e.model.presets import KPIS, OWN_FACTS
from tests.e2e.model.sla import POLICIES
from tests.e2e.model.streams import END, MICRO, Streams
from tests.unit.ingest.making import connection

TICKETS = 50
INSTANTS = 20
RECEIVED = datetime(2025, 12, 1, tzinfo=UTC)

MEASURES = {
    "replied": "first_reply:replied",
    "created": "first_reply:created",
    "next_replied": "next_reply:replied",
    "next_asked": "next_reply:asked",
    "touched": "touches",
    "target_first_reply": "sla_first_reply",
    "target_next_reply": "sla_next_reply",
    "target_resolution": "sla_resolution",
    "cohort": "opened_solved",
    **{name: name for name in ("opened", "solved", "reopened", "first_solve", "standing_solve")},
    **{name: name for name in ("first_resolution", "full_resolution", "handling")},
    **{name: name for name in ("requester_wait", "agent_wait")},
}
"""The measure of each kind of fact that is compared."""

WITHOUT_HOURS = (
    *("target_first_reply", "target_next_reply", "target_resolution", "touched"),
    *("cohort", "opened", "solved", "reopened", "first_solve", "standing_solve"),
)
"""The kinds of facts that aren't durations."""

LEVELS = {"backlog": "backlog", "sla_breached_open": "sla_overdue"}
"""The measure of the steps of each KPI that counts tickets at an instant."""

Row = tuple[str, datetime, Any, str | None, str | None, str | None]
"""The kind of a fact, its time, its value, its team, agent and priority."""


def terms() -> Terms:
    """The terms of the model: its calendars and SLA policies, and all presets."""
    calendars = [calendar_of(name, CalendarBody.model_validate(body)) for name, body in CALENDARS]
    policies = version_from(PoliciesBody.model_validate(POLICIES), ZoneInfo("Europe/Berlin"))
    return Terms(hours=BusinessHours(calendars), policies=Policies([policies]), presets=tuple(PRESETS.values()))


def kinds_of(preset: str) -> Iterator[tuple[str, str]]:
    """The kinds of facts under a preset (empty: ours) with the full names of their measures."""
    for kind, name in MEASURES.items():
        family, colon, filed_by = name.partition(":")
        for hours in ("", "_business"):
            if hours and kind in WITHOUT_HOURS:
                continue
            of_preset = f"@{preset}" if preset and f"{kind}{hours}" in OWN_FACTS.get(preset, (f"{kind}{hours}",)) else ""
            if not preset or of_preset:
                yield f"{kind}{hours}{of_preset}", f"{family}{hours}{of_preset}{colon}{filed_by}"


def expected(facts: list[Fact], kind: str) -> Counter[Row]:
    """The facts of a kind, of the model."""
    return Counter(
        (fact.kind, fact.at, comparable(fact.value), fact.dims.get("team"), fact.dims.get("agent"), fact.dims.get("priority"))
        for fact in facts
        if fact.kind == kind
    )


def comparable(value: Any) -> Any:
    """Seconds of a duration; of touches whether one was enough and whether there was no reply."""
    if isinstance(value, timedelta):
        return value // timedelta(seconds=1)
    return (value[1], not value[0]) if isinstance(value, tuple) else int(value)


def contributed(rows: list[Contribution], kind: str, measure: str) -> Counter[Row]:
    """The contributions to a measure."""
    places = [DIMENSIONS.index(name) for name in ("team", "agent", "priority")]
    is_touch = measure.startswith("touches")
    return Counter(
        (kind, row.at, touches(row.amount) if is_touch else row.amount, *(row.dims[place] for place in places))
        for row in rows
        if row.measure == measure
    )


def touches(amount: int) -> tuple[bool, bool]:
    return amount in (ONE_TOUCH, NO_REPLY_ONE_TOUCH), amount in (NO_REPLY, NO_REPLY_ONE_TOUCH)


def random_tickets(seed: int) -> list[Record]:
    """Records of tickets in pieces, in any order, some of them twice."""
    streams = Streams(seed)
    records = [record for number in range(TICKETS) for record in streams.ticket(str(number))]
    records += random.Random(seed).sample(records, len(records) // 8)
    random.Random(seed).shuffle(records)
    return records


@cache
def accepted(seed: int) -> tuple[Model, dict[str, list[Event]]]:
    """The model with random tickets, and their events by subject."""
    model, subjects = Model(lambda text: Scored(None, None)), dict[str, list[Event]]()
    tool = connection()
    for number, record in enumerate(random_tickets(seed), start=1):
        received = RECEIVED + timedelta(seconds=number)
        read = read_record(record, END + timedelta(days=30))
        assert isinstance(read, Ticket)
        event = normalise(read, tool, received).event
        stamped = {"statement": f"d{number}", "seq": number}
        subjects.setdefault(event.subject, []).append(Event(**{**fields(event), **stamped}))
        model.accept(tool.id, tool.provider, record, received)
    model.settle()
    return model, subjects


@pytest.mark.parametrize("seed", [15, 20])
def test_tickets_contribute_what_an_independent_model_says_under_every_preset(seed: int) -> None:
    model, subjects = accepted(seed)
    current, compared = terms(), Counter[str]()
    rows = {name: contributions(view(events), {}, current) for name, events in subjects.items()}
    by_subject: dict[str, list[Fact]] = {}
    for fact in model.facts:
        by_subject.setdefault(fact.subject, []).append(fact)
    for preset in ("", *KPIS):
        for kind, measure in kinds_of(preset):
            for name in subjects:
                facts = expected(by_subject.get(name, []), kind)
                assert contributed(rows[name], kind, measure) == facts, (name, measure)
                compared[kind] += facts.total()
    assert compared.keys() == {kind for preset in ("", *KPIS) for kind, _ in kinds_of(preset)}
    assert all(compared.values()), compared
    assert compared["full_resolution"] > compared["full_resolution_business"], "some tickets had no calendar"
    assert {"no_calendar"} < {state for ticket in model.tickets for state in ticket.own_targets.unfinished.values()}
    steps = [row for of_subject in rows.values() for row in of_subject]
    for kpi, measure in LEVELS.items():
        for preset in ("", *KPIS):
            own = f"@{preset}" if preset and measure in PRESETS[preset].families else ""
            levels = Query(kpi, ("team", "priority"), preset=preset)
            assert compare_levels(model, levels, [row for row in steps if row.measure == f"{measure}{own}"], seed)


@pytest.mark.parametrize("group_by", [(), ("team", "priority")])
def test_the_next_breach_is_that_of_an_independent_model(group_by: tuple[str, ...]) -> None:
    model, subjects = accepted(15)
    current, places = terms(), [DIMENSIONS.index(name) for name in group_by]
    due = [row for events in subjects.values() for row in contributions(view(events), {}, current) if row.measure in DUE.values()]
    compared = 0
    for t in (at + MICRO * side for at in sorted({row.at for row in due}) for side in (-1, 0, 1)):
        ahead: dict[tuple[str | None, ...], datetime] = {}
        for row in sorted(due, key=lambda row: row.at, reverse=True):
            if row.at >= t:
                ahead[tuple(row.dims[place] for place in places)] = row.at
        assert model.next_breaches(Query("sla_breached_open", group_by), t) == ahead
        compared += len(ahead)
    assert compared > 10


def own_presets() -> tuple[Preset, ...]:
    """The presets of a tenant's own, one for each switch."""
    bodies = {name: PresetBody.model_validate(body) for name, (body, _, _) in OWN.items()}
    return tuple(OwnPreset(name, name, body.switches).preset for name, body in bodies.items() if body.switches)


def test_tickets_contribute_what_an_independent_model_says_under_each_switch() -> None:
    model, subjects = accepted(20)
    current, compared, differing = replace(terms(), presets=own_presets()), Counter[str](), set[str]()
    for ticket in model.tickets:
        rows = contributions(view(subjects[ticket.subject.name]), {}, current)
        ours = set(ticket.counted()) if ticket.dropped is None else set()
        for preset, (_, kinds, facts_of) in OWN.items():
            facts = list(facts_of(ticket)) if ticket.dropped is None or preset == "dropped" else []
            if {fact for fact in facts if fact[0] in kinds} != {fact for fact in ours if fact[0] in kinds}:
                differing.add(preset)
            for kind in kinds:
                of_kind = [Fact(kind, at, value, ticket.dims_of(kind, at), None, "") for one, at, value in facts if one == kind]
                business = "_business" if kind.endswith("_business") else ""
                family, colon, filed_by = MEASURES[kind.removesuffix(business)].partition(":")
                measure = f"{family}{business}@{preset}{colon}{filed_by}"
                assert contributed(rows, kind, measure) == expected(of_kind, kind), (ticket.subject.name, measure)
                compared[f"{kind}@{preset}"] += len(of_kind)
    assert len(compared) == sum(len(kinds) for _, kinds, _ in OWN.values())
    assert all(compared.values()), compared
    assert differing == OWN.keys()


def compare_levels(model: Model, query: Query, steps: list[Contribution], seed: int) -> int:
    """Compare the sums of these steps just before random instants with the model's numbers; return how many they count."""
    r, tickets = random.Random(seed), 0
    places = [DIMENSIONS.index(name) for name in query.group_by]
    for _ in range(INSTANTS):
        t = r.choice(model.facts).at + timedelta(microseconds=r.choice((-1, 0, 1)))
        sums = Counter[tuple[str | None, ...]]()
        for row in steps:
            if row.at < t:
                sums[tuple(row.dims[place] for place in places)] += row.amount
        answer = model.answer(query, datetime.min.replace(tzinfo=UTC), t)
        counted = {group: value.value for group, value in answer.items() if value.value}
        assert {group: total for group, total in sums.items() if total} == counted, (query, t)
        tickets += sums.total()
    return tickets


def fields(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}

"""Tickets under presets: their rows, and terms under which every family has rows."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from services.metrics.domain.business_hours import BusinessHours
from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.measure import family_of
from services.metrics.domain.presets import (
    OwnPreset,
    Preset,
    Switches,
)
from services.metrics.domain.sla import Conditions, Policies, Policy, PolicyVersion, Target
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import view
from shared.events import Fact, Message, Opened
from tests.unit.metrics.build import at, dim, opened, ticket
from tests.unit.metrics.test_business_hours import FIRST, calendar

HOURS = BusinessHours([calendar(first_day=FIRST)])
SLA = Policies(
    [
        PolicyVersion(
            at(-100_000),
            (
                Policy("high", "High", Conditions(priority=("high",)), Target(120), Target(60), Target(300), ("pending",)),
                Policy("others", "Others", Conditions(), Target(240), Target(120, business=True), Target(600)),
            ),
        )
    ]
)
TERMS = Terms(hours=HOURS, policies=SLA)


ALWAYS = BusinessHours([calendar(weekly=(((0, 86400),),) * 7, first_day=date(2020, 1, 1))])
"""A calendar that is always open."""
DAY_OR_NEVER = BusinessHours(
    [
        calendar(name=name, weekly=weekly, teams=(name,))
        for name, weekly in {"day": (((0, 86400),),) * 7, "never": ((),) * 7}.items()
    ]
)
"""The calendars of the team `day`, which is always open, and of the team `never`."""


def rows_of(preset: Preset, *facts: Fact, opening: Opened | None = None, terms: Terms = Terms()) -> list[Contribution]:  # noqa: B008
    """The rows of a ticket under a preset."""
    counted = contributions(view([ticket(opening or opened(0), *facts)]), {}, replace(terms, presets=(preset,)))
    return [row for row in counted if f"@{preset.id}" in row.measure]


def amounts(rows: Iterable[Contribution], measure: str) -> list[int]:
    """The amounts of one of our measures, or of that of a preset in its place, in order of time."""
    family, colon, qualifier = measure.partition(":")
    of_measure = [row for row in rows if family_of(row.measure) == family and row.measure.endswith(f"{colon}{qualifier}")]
    return [row.amount for row in sorted(of_measure, key=lambda row: row.at)]


def times(rows: Iterable[Contribution], family: str) -> list[datetime]:
    return sorted(row.at for row in rows if family_of(row.measure) == family)


def message(seconds: float, **fields: Any) -> Message:
    return Message(at=at(0) + timedelta(seconds=seconds), **{"by": "agent", "id": f"m{seconds}", **fields})


def own(**switches: Any) -> Preset:
    return OwnPreset("board", "Our board", Switches(**switches)).preset


def targets(rows: Iterable[Contribution], metric: str) -> list[tuple[datetime, int, str | None]]:
    of_metric = [row for row in rows if family_of(row.measure) == f"sla_{metric}"]
    return sorted(((row.at, row.amount, dim(row, "priority")) for row in of_metric), key=str)

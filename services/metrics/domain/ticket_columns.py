"""The columns of the ticket export: one row for each ticket, with every duration, flag and state that KPIs count.

Columns of durations, numbers and SLA targets follow from the measures of tickets, so a new measure is a new column.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.metrics.domain.comments import effective_label
from services.metrics.domain.contributions import Contribution
from services.metrics.domain.measure import TICKET, Measure, family_of, name_under
from services.metrics.domain.measures import MEASURES
from services.metrics.domain.preset_tickets import DELETED
from services.metrics.domain.presets import OURS, Preset
from services.metrics.domain.sla_reasons import reason_without_outcome
from services.metrics.domain.sla_rows import TARGETS
from services.metrics.domain.sla_targets import Metric
from services.metrics.domain.terms import Terms
from services.metrics.domain.ticket import TicketView
from services.metrics.domain.ticket_measures import BUSINESS_MEASURES, FIRST_REPLY, NEXT_REPLY, SLA_NEXT_REPLY, TOUCHES
from services.metrics.domain.ticket_rows import NO_REPLY_ONE_TOUCH, ONE_TOUCH
from services.metrics.domain.view import SubjectView
from shared.events import DIMENSIONS, NAMED_DIMENSIONS, Score

ColumnType = Literal["string", "time", "integer", "number", "boolean"]

TICKET_MEASURES = tuple(measure for measure in MEASURES.values() if measure.changed_by == TICKET)

OWN_PREFIX = "dim."
"""Precedes the name of a dimension of the tenant's own where a column has the same name."""
EARLY_DIMENSIONS = ("team", "agent", "priority")
"""The dimensions that come among the first columns; the others come last."""

TARGET_STATES = (
    "`breached`, also while its time runs on past the deadline; `running`; `met`; of several targets the first of these."
    " Without any: `cancelled` by a solve in time, `paused` by the status, or `no_calendar` for a part of the time."
    " Empty without such a target"
)


@dataclass(frozen=True, slots=True)
class ExportedTicket:
    """A ticket whose opening is known, with its contributions, at `now`. `model` is the promoted one.

    Under a `preset`, `ticket` is the ticket under its rules, and `rows` include those of the preset.
    """

    subject: str
    view: SubjectView
    ticket: TicketView
    scores: Mapping[tuple[str, str], Score]
    rows: Sequence[Contribution]
    model: str
    now: datetime
    terms: Terms
    preset: Preset | None = None

    def contributions(self, measure: str) -> list[Contribution]:
        """Its contributions to a measure, or to the one that its preset has in place of it, in order of time."""
        if self.preset is not None and family_of(measure) in self.preset.families:
            measure = name_under(measure, self.preset.id)
        return sorted((row for row in self.rows if row.measure == measure), key=lambda row: row.at)

    def amounts(self, measure: str) -> list[int]:
        """The amounts of its contributions to a measure, in order of time."""
        return [row.amount for row in self.contributions(measure)]

    @property
    def status(self) -> str:
        """The status now. A preset may have `deleted` as one."""
        last = self.ticket.changes[-1][1] if self.ticket.changes else 0
        return "deleted" if last == DELETED else self.ticket.statuses[-1].status

    @property
    def reopens(self) -> int | None:
        """How often it was reopened. None if it was never solved and the preset counts solves except the first."""
        never_solved = self.preset is not None and self.preset.rules.solved_statuses and not self.ticket.solves
        return None if never_solved else len(self.ticket.reopenings)

    @property
    def total_reply(self) -> int | None:
        """The seconds to the first reply and those of all waits for a next one; None without any."""
        names = (FIRST_REPLY.named(FIRST_REPLY.filed_by[0]), NEXT_REPLY.named(NEXT_REPLY.filed_by[0]))
        amounts = [amount for name in names for amount in self.amounts(name)]
        return sum(amounts) if amounts else None

    def dimension(self, name: str) -> str | None:
        """The latest value of a dimension; team and agent are those that the ticket was last assigned to."""
        match name:
            case "team" | "agent":
                names = self.ticket.teams.names if name == "team" else self.ticket.agents.names
                return names[-1] if names else None
            case _:
                return self.view.dims[DIMENSIONS.index(name)]

    def sentiments(self) -> list[float]:
        """The scores of its comments that have a sentiment, in order of time."""
        comments = sorted(self.view.comments, key=lambda comment: (comment.at, comment.text_hash))
        judged = [
            (self.scores.get((self.model, comment.text_hash)), self.view.overrides.get(comment.text_hash)) for comment in comments
        ]
        values = [effective_label(score, override)[1] for score, override in judged if score is not None]
        return [value for value in values if value is not None]


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `value` is None where a ticket has none."""

    name: str
    type: ColumnType
    description: str
    value: Callable[[ExportedTicket], Any]


def first_columns() -> Iterator[Column]:
    """The columns that identify a ticket and say how it is now."""
    yield Column("subject", "string", "The ticket, as records name it", lambda exported: exported.subject)
    yield Column("source_id", "string", "The id of the ticket in its tool", lambda exported: exported.subject.split("/", 2)[2])
    yield Column("opened", "time", "When it was opened", lambda exported: exported.ticket.opened)
    yield Column(
        "solved",
        "time",
        "When it was last solved; empty unless it is solved or closed now",
        lambda exported: exported.ticket.current_solve and exported.ticket.current_solve.at,
    )
    yield Column("status", "string", "The status now", lambda exported: exported.status)
    for name in EARLY_DIMENSIONS:
        yield dimension_column(name, "The latest value")


def dimension_column(name: str, description: str) -> Column:
    """The column of a dimension that every tenant has."""
    return Column(name, "string", description, lambda exported: exported.dimension(name))


def durations() -> Iterator[Column]:
    """The durations in seconds, each followed by the same one in business hours."""
    for measure in TICKET_MEASURES:
        if measure.unit == "seconds" and not measure.all_seconds_family:
            yield amount_column(measure, "_seconds", "Seconds; the sum if a ticket has several")
            if (business := BUSINESS_MEASURES.get(measure.family)) is not None:
                yield amount_column(business, "_seconds", "The same in business hours; empty without a calendar")
    yield Column(
        "total_reply_seconds",
        "integer",
        "`first_reply_seconds` + `next_reply_seconds`; empty without any",
        lambda exported: exported.total_reply,
    )


def numbers() -> Iterator[Column]:
    """The numbers of a ticket."""
    yield Column("reopens", "integer", "How often it was reopened", lambda exported: exported.reopens)
    for measure in TICKET_MEASURES:
        if measure.unit not in ("count", "policy", "seconds"):
            yield amount_column(measure, "", f"The number of {measure.unit}; empty unless it is solved or closed now")


def amount_column(measure: Measure, ending: str, description: str) -> Column:
    """The column of a measure's amounts, each as it is filed by default."""
    name = measure.selector(measure.filed_by[0], "")

    def value(exported: ExportedTicket) -> int | None:
        amounts = exported.amounts(name)
        return sum(amounts) if amounts else None

    return Column(f"{measure.family}{ending}", "integer", description, value)


def targets() -> Iterator[Column]:
    """The states of SLA targets."""
    for metric, measure in TARGETS.items():
        yield Column(
            measure.family,
            "string",
            TARGET_STATES,
            lambda exported, metric=metric: target_state(exported, metric),  # type: ignore[misc]
        )


def one_touch(exported: ExportedTicket) -> bool | None:
    """Whether one reply was enough; None unless the ticket is solved or closed now."""
    touches = exported.amounts(TOUCHES.family)
    return touches[-1] in (ONE_TOUCH, NO_REPLY_ONE_TOUCH) if touches else None


def next_reply_breaches(exported: ExportedTicket) -> int | None:
    """How many targets for a next reply are breached; None if there is none."""
    rows = exported.contributions(SLA_NEXT_REPLY.family)
    return sum(not row.amount and row.at < exported.now for row in rows) if rows else None


def target_state(exported: ExportedTicket, metric: Metric) -> str | None:
    """The state of the targets of a metric; None without any."""
    rows = exported.contributions(TARGETS[metric].family)
    if not rows:
        rules = OURS if exported.preset is None else exported.preset.rules
        reason = reason_without_outcome(metric, exported.view, exported.ticket, exported.terms, rules)
        return None if reason in ("no_target", "no_value") else reason
    states = {"running" if row.at >= exported.now else "met" if row.amount else "breached" for row in rows}
    return next(state for state in ("breached", "running", "met") if state in states)


def feedback() -> Iterator[Column]:
    """The rating and the sentiment of a ticket."""
    yield Column(
        "csat",
        "integer",
        "The last rating, on its own scale",
        lambda exported: max(exported.ticket.ratings, key=lambda rating: rating.at).value if exported.ticket.ratings else None,
    )
    yield Column(
        "sentiment_first",
        "number",
        "The score of the first comment that has a sentiment, −1 to 1",
        lambda exported: next(iter(exported.sentiments()), None),
    )
    yield Column(
        "sentiment_last",
        "number",
        "The score of the last comment that has a sentiment",
        lambda exported: next(reversed(exported.sentiments()), None),
    )


COLUMNS: tuple[Column, ...] = (
    *first_columns(),
    *durations(),
    *numbers(),
    Column("one_touch", "boolean", "Exactly one reply and never reopened; empty unless it is solved or closed now", one_touch),
    *targets(),
    Column(
        "sla_next_reply_breaches",
        "integer",
        "How many waits for a further reply passed their deadline; empty if no target of such a wait is met, breached or running",
        next_reply_breaches,
    ),
    *feedback(),
    *(dimension_column(name, "The latest value") for name in DIMENSIONS if name not in EARLY_DIMENSIONS),
)
"""The columns that every tenant has, in their order. Names of teams and agents, and the tenant's own dimensions, follow."""

NAME_COLUMNS = {name: f"{name}_name" for name in NAMED_DIMENSIONS if name != "survey"}
"""The columns of names, by the dimension whose value they name."""


def own_columns(own: Iterable[str]) -> list[Column]:
    """The columns of the tenant's own dimensions."""
    reserved = {column.name for column in COLUMNS} | set(NAME_COLUMNS.values())
    return [
        Column(
            f"{OWN_PREFIX}{name}" if name in reserved else name,
            "string",
            "A dimension of the tenant's own",
            lambda exported, name=name: exported.view.own_dims.get(name),  # type: ignore[misc]
        )
        for name in own
    ]

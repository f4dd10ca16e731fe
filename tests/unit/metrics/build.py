"""Builders of statements. Times are minutes after T0; stamps follow `seq`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.estimator import Estimate
from services.metrics.domain.histogram import Histogram, count
from services.metrics.domain.kpis import KPIS
from services.metrics.domain.view import view
from shared.events import DIMENSIONS, Answer, Body, Event, Fact, Message, Opened, Response, Score, StatusSet, Ticket, text_hash

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)
MODEL = "vader-3.3.2"


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def statement(seq: int, body: Body, **fields: Any) -> Event:
    """A statement received `seq` minutes after T0, and made then unless `at` is stated, with an id of its own."""
    defaults: dict[str, Any] = {
        "tenant": "acme",
        "subject": "c1/ticket/T-9",
        "statement": f"d{seq}",
        "seq": seq,
        "at": at(seq),
        "received_at": at(seq),
        "connection": "c1",
        "source": "standard",
    }
    return Event(body=body, **{**defaults, **fields})


def ticket(*facts: Fact, seq: int = 1, **fields: Any) -> Event:
    return statement(seq, Ticket(facts=facts), **fields)


def response(*answers: Answer, seq: int = 1, when: float = 0, sent: float | None = None, **fields: Any) -> Event:
    return statement(seq, Response(at=at(when), sent_at=None if sent is None else at(sent), answers=answers), **fields)


def opened(minutes: float = 0, **fields: Any) -> Opened:
    return Opened(at=at(minutes), **fields)


def status(minutes: float, to: Any) -> StatusSet:
    return StatusSet(at=at(minutes), status=to)


def reply(minutes: float, **fields: Any) -> Message:
    return Message(at=at(minutes), **{"by": "agent", **fields})


def nps(value: int | None, question: str = "q1") -> Answer:
    return Answer(question=question, kind="nps", value=value)


def csat(value: int | None, scale: tuple[int, int] = (1, 5), question: str = "q2") -> Answer:
    return Answer(question=question, kind="csat", value=value, scale=scale)


def words(text: str | None, question: str = "q4") -> Answer:
    return Answer(question=question, kind="comment", text=text)


def scored(text: str, score: float | None, label: Any, model: str = MODEL, **fields: Any) -> dict[tuple[str, str], Score]:
    name = text_hash(text)
    return {(model, name): Score(label=label, score=score, confidence=0.9, text_hash=name, **fields)}


def rows(*events: Event, scores: Mapping[tuple[str, str], Score] | None = None) -> list[Contribution]:
    """The contributions of these statements, which may be of several subjects."""
    subjects: dict[str, list[Event]] = {}
    for event in events:
        subjects.setdefault(event.subject, []).append(event)
    return [row for statements in subjects.values() for row in contributions(view(statements), scores or {})]


def rows_in(contributions: Iterable[Contribution], measure: str) -> list[tuple[float, int, int]]:
    """The rows of one measure: (minutes after T0, bin, amount), in order of time."""
    return sorted(((c.at - T0).total_seconds() / 60, c.bin, c.amount) for c in contributions if c.measure == measure)


def histograms(contributions: Iterable[Contribution], where: Mapping[str, str | None] | None = None) -> dict[str, Histogram]:
    """The histogram of each measure, of the rows with these dimensions."""
    chosen = [c for c in contributions if all(dim(c, name) == value for name, value in (where or {}).items())]
    return {name: count((c.bin, c.amount) for c in chosen if c.measure == name) for name in {c.measure for c in chosen}}


def dim(contribution: Contribution, name: str) -> str | None:
    return contribution.dims[DIMENSIONS.index(name)]


def kpi(
    name: str,
    contributions: Iterable[Contribution],
    *,
    start: float = -1e6,
    end: float = 1e6,
    agg: str = "",
    filed_by: str = "",
    where: Mapping[str, str | None] | None = None,
) -> Estimate:
    """A KPI of the rows in [start, end), minutes after T0."""
    definition = KPIS[name]
    low = at(-1e6) if definition.instant else at(start)
    counted = histograms((c for c in contributions if low <= c.at < at(end)), where)
    selectors = definition.selectors(filed_by or definition.filed_by[0], MODEL)
    read = {m: h for m, h in counted.items() if m in selectors or f"{m.partition(':')[0]}:" in selectors}
    return definition.estimate(read, agg, at(end))

"""Summarises the records of a sample of a file, as they would be imported, without storing them."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.imports.erased import time_of
from services.ingest.domain.imports.job import Fault
from services.ingest.domain.imports.reading import Row
from services.ingest.domain.preview import redacted
from services.ingest.domain.receive import parse_records
from shared import events

MAX_FAULTS = 100
"""Faults that are listed."""
MAX_PREVIEWS = 5
"""Records that are returned."""


@dataclass(slots=True)
class SampleSummary:
    """The records of a sample: numbers by verdict, their subjects, customers (pseudonyms) and times, answers by question and
    kind, values by dimension, and the first faults and records."""

    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    subjects: list[str] = field(default_factory=list)
    customers: set[str] = field(default_factory=set)
    first_at: datetime | None = None
    last_at: datetime | None = None
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    dimensions: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)


def summarise(connection: Connection, rows: Iterable[Row]) -> SampleSummary:
    """The summary of these records."""
    summary = SampleSummary()
    for row in rows:
        summary.rows += 1
        if isinstance(row.outcome, Delivery):
            _add(summary, connection, row.line, row.outcome)
        else:
            summary.verdicts["rejected"] += 1
            summary.faults += row.outcome[: MAX_FAULTS - len(summary.faults)]
    return summary


def _add(summary: SampleSummary, connection: Connection, line: int, delivery: Delivery) -> None:
    summary.verdicts["erasure" if delivery.erases else delivery.verdict] += 1
    if delivery.verdict == "quarantined" and len(summary.faults) < MAX_FAULTS:
        summary.faults.append(Fault(line, "", delivery.reason or ""))
    for statement in delivery.statements:
        _add_event(summary, statement.event)
    if delivery.statements and len(summary.records) < MAX_PREVIEWS:
        summary.records += _previews(connection, delivery)[: MAX_PREVIEWS - len(summary.records)]


def _add_event(summary: SampleSummary, event: events.Event) -> None:
    summary.subjects.append(event.subject)
    if event.customer:
        summary.customers.add(event.customer)
    at = time_of(event)
    summary.first_at = min(at, summary.first_at or at)
    summary.last_at = max(at, summary.last_at or at)
    for name, value in event.dimensions.items():
        if value is not None:
            summary.dimensions.setdefault(name, Counter())[value] += 1
    if isinstance(event.body, events.Response):
        summary.answers.update((answer.question, answer.kind) for answer in event.body.answers)


def _previews(connection: Connection, delivery: Delivery) -> list[dict[str, Any]]:
    """The records of a delivery without identities."""
    imported = delivery.id is not None and delivery.id.startswith("import:")
    records = [json.loads(delivery.raw)] if imported else parse_records(connection, delivery)
    return [redacted(record, connection.key) for record in records if record.get("type") in ("response", "review", "ticket")]

"""The history of a subject: each statement about it, and the contributions that it added and removed."""

from asyncio import to_thread
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import asyncpg

from services.metrics.domain.contributions import Contribution, contributions
from services.metrics.domain.measure import family_of
from services.metrics.domain.measures import MEASURES
from services.metrics.domain.terms import Terms
from services.metrics.domain.view import SubjectView, in_order, view
from services.metrics.evaluation.source import Source
from services.metrics.store.derivation import decode_scores
from services.metrics.store.names import Directory, names_of
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.subjects import Subject, load
from services.metrics.store.terms import read_terms
from shared.events import DIMENSIONS, NAMED_DIMENSIONS, Event, Score
from shared.problems import NotFound, TooLarge

MOST_STATEMENTS = 1_000
"""Statements of one history. Each is folded together with all before it."""

OF_SUBJECT = """
    SELECT s.id, (SELECT count(*) FROM statements st WHERE st.subject_id = s.id)
        + coalesce((SELECT f.statements FROM frozen_subjects f WHERE f.subject_id = s.id), 0) AS statements
    FROM subjects s WHERE s.tenant = $1 AND s.subject = $2
"""


class UnknownSubject(NotFound):
    title = "Unknown subject"


class TooManyStatements(TooLarge):
    """More than MOST_STATEMENTS statements are stored about the subject."""

    title = "Too many statements"


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """A statement, and the contributions that it added to its subject and removed from it."""

    event: Event
    added: list[Contribution]
    removed: list[Contribution]


@dataclass(frozen=True, slots=True)
class History:
    """The statements about a subject in the order in which they count, under the tenant's present terms and scores.

    `rows` are the subject's contributions now. `names` are those of its teams, agents and surveys; `zone` is the tenant's.
    """

    subject: str
    current: SubjectView
    steps: list[HistoryStep]
    rows: list[Contribution]
    terms: Terms
    model: str
    names: Directory
    zone: ZoneInfo


async def read_history(source: Source, tenant: str, name: str) -> History:
    """The history of the subject of this name. Raises UnknownSubject and TooManyStatements."""
    async with snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model)
        subject = await find_subject(connection, current, name)
        await load(connection, [subject])
        terms = await read_terms(connection, subject.tenant)
        scores = decode_scores(subject.scores)
        steps = await to_thread(steps_of, subject.statements, scores, terms, current.model)
        folded = view(subject.statements.values())
        rows = rows_of(folded, scores, terms, current.model)
        names = await names_in(connection, current, [*rows, *(row for step in steps for row in (*step.added, *step.removed))])
    return History(name, folded, steps, rows, terms, current.model, names, ZoneInfo(current.zone))


async def find_subject(connection: asyncpg.Connection, current: CurrentTenant, name: str) -> Subject:
    """The subject of this name. Raises UnknownSubject and TooManyStatements."""
    row = None if current.number is None else await connection.fetchrow(OF_SUBJECT, current.number, name)
    if row is None or current.number is None:
        raise UnknownSubject("there is no response, review or ticket of this name")
    if row["statements"] > MOST_STATEMENTS:
        raise TooManyStatements(
            f"{row['statements']:,} statements are stored about it; a history has at most {MOST_STATEMENTS:,}"
        )
    return Subject(row["id"], current.number, name, fresh=False)


async def names_in(connection: asyncpg.Connection, current: CurrentTenant, rows: Sequence[Contribution]) -> Directory:
    """The names of the teams, agents and surveys of contributions."""
    if current.number is None or not current.names_revision:
        return {}
    places = [(name, DIMENSIONS.index(name)) for name in NAMED_DIMENSIONS]
    values = {(name, value) for row in rows for name, place in places if (value := row.dims[place]) is not None}
    return await names_of(connection, current.number, values)


def steps_of(
    statements: Mapping[str, Event], scores: Mapping[tuple[str, str], Score], terms: Terms, model: str
) -> list[HistoryStep]:
    """The steps of a history. It takes a while if there are many: run it off the event loop."""
    steps: list[HistoryStep] = []
    events = in_order(statements.values())
    before: Counter[Contribution] = Counter()
    for number, event in enumerate(events, start=1):
        after = Counter(rows_of(view(events[:number]), scores, terms, model))
        steps.append(HistoryStep(event, sorted_rows(after - before), sorted_rows(before - after)))
        before = after
    return steps


def rows_of(current: SubjectView, scores: Mapping[tuple[str, str], Score], terms: Terms, model: str) -> list[Contribution]:
    """The contributions of a subject, those of other models left out."""
    rows = contributions(current, scores, terms)
    other = [
        row for row in rows if MEASURES[family_of(row.measure)].by_model and row.measure != f"{family_of(row.measure)}:{model}"
    ]
    return sorted_rows(Counter(rows) - Counter(other))


def sorted_rows(rows: Counter[Contribution]) -> list[Contribution]:
    """Contributions by time, then by measure."""
    return sorted(rows.elements(), key=lambda row: (row.at, row.measure, row.amount))

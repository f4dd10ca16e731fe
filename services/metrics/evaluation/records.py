"""The records behind a KPI: a page of contributions, each with the customer's words, and their label, score and themes."""

from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

import asyncpg
from msgspec import Struct

from services.metrics.domain.changes import kinds_of
from services.metrics.domain.comments import LABELS, Comment, effective_label, effective_themes
from services.metrics.domain.measure import MULTI_VALUED, Measure
from services.metrics.domain.measures import measure_of
from services.metrics.domain.query import Filter, Query
from services.metrics.domain.view import SubjectView, view
from services.metrics.domain.windows import Window
from services.metrics.evaluation.periods import periods
from services.metrics.evaluation.presets import read_query_under
from services.metrics.evaluation.selections import selection_of
from services.metrics.evaluation.source import BEGINNING, Source
from services.metrics.evaluation.unknown_values import UnknownValues, find_unknown_values
from services.metrics.store.derivation import decode_scores
from services.metrics.store.names import Directory, names_of
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import CurrentTenant, current_tenant
from services.metrics.store.query import snapshot
from services.metrics.store.records import NamedContribution, RecordCursor, load_subjects, records
from services.metrics.store.selection import resolve
from shared.events import NAMED_DIMENSIONS, Label, Override, Score, ThemeScore
from shared.text import nfc

SLICE = 25
"""Records whose subjects are in memory at a time."""

Judge = Literal["human", "model"]


class JudgedComment(Struct, frozen=True):
    """A comment, and its label, score and themes that count; without a score of the promoted model it has none of them.

    `judged_by` and `themes_by` say whose the label and the themes are, `model_label` is the label that the model gives.
    """

    text: str
    text_hash: str
    label: Label | None = None
    score: float | None = None
    themes: tuple[ThemeScore, ...] = ()
    urgency: tuple[str, ...] = ()
    judged_by: Judge | None = None
    themes_by: Judge | None = None
    model: str | None = None
    model_label: Label | None = None


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """A record: the contribution, the customer's words of that time, and the comment if the record is of one."""

    subject: str
    at: datetime
    measure: str
    value: float
    dims: Mapping[str, str | None]
    text: str | None
    comment: JudgedComment | None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page of records. `names` are those of their values, `own_dimensions` those of the tenant.

    `next` is where the next page begins, None on the last page.
    """

    query: Query
    window: Window
    freshness: Freshness
    unknown: UnknownValues
    names: Directory
    own_dimensions: tuple[str, ...]
    entries: list[RecordEntry]
    next: RecordCursor | None


async def list_records(
    source: Source, tenant: str, query: Query, now: datetime, limit: int, after: RecordCursor | None = None
) -> RecordPage:
    """Up to `limit` records of the whole window before `now`, newest first, whatever the query's grain.

    For a KPI with a value at an instant: the subjects that it counts, each with its latest contribution.
    """
    instant = query.kpi.instant
    async with snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model, kinds_of(query.kpi))
        query = await read_query_under(connection, query, current)
        window = periods(query, ZoneInfo(current.zone), now)[0].window
        selection = selection_of(query, current)
        scope = await resolve(connection, tenant, selection)
        page: list[NamedContribution] = []
        following = None
        if scope is not None:
            start, end = BEGINNING if instant else window.start, min(window.end, now)
            page, following = await records(connection, scope, start, end, limit, after, open_only=instant)
        entries: list[RecordEntry] = []
        for part in slices(page):
            entries += await to_thread(entries_of, await load_subjects(connection, part), current.model, query.filters)
        unknown = await find_unknown_values(connection, selection, scope)
        names = await names_of_records(connection, current, page)
        fresh = await freshness(connection, current, query.kpi, source.partitions)
    return RecordPage(query, window, fresh, unknown, names, current.dimensions, entries, following)


async def names_of_records(
    connection: asyncpg.Connection, current: CurrentTenant, page: Sequence[NamedContribution]
) -> Directory:
    """The names of the teams and agents of records."""
    if current.number is None or not current.names_revision:
        return {}
    values = {(name, value) for record in page for name in NAMED_DIMENSIONS if (value := record.dims[name]) is not None}
    return await names_of(connection, current.number, values)


def slices(page: Iterable[NamedContribution]) -> Iterator[list[NamedContribution]]:
    """The page in parts of about SLICE records, so that long histories don't fill the memory.

    Records of one subject and instant stay together: `entries_of` assigns each of its comments to one of them.
    """
    part: list[NamedContribution] = []
    for _, together in groupby(page, key=lambda record: (record.at, record.subject.id)):
        part += together
        if len(part) >= SLICE:
            yield part
            part = []
    if part:
        yield part


def entries_of(page: Sequence[NamedContribution], model: str, filters: Sequence[Filter]) -> list[RecordEntry]:
    """The entries of records whose subjects are loaded; `filters` are those that selected the records.

    Slow for long histories: run it off the event loop.
    """
    views: dict[int, SubjectView] = {}
    unassigned: dict[tuple[int, datetime, str], list[JudgedComment]] = {}
    entries = []
    for record in page:
        subject, measure = record.subject, measure_of(record.measure)
        if subject.id not in views:
            views[subject.id] = view(subject.statements.values())
        judged = None
        if measure.record != "amount":
            key = (subject.id, record.at, record.measure)
            if key not in unassigned:
                comments = judged_comments(views[subject.id], record, model)
                unassigned[key] = [comment for comment in comments if all(passes(comment, f) for f in filters)]
            judged = take_comment(measure, record.amount, unassigned[key])
        entries.append(entry_of(record, measure, views[subject.id].text_at(record.at), judged))
    return entries


def entry_of(record: NamedContribution, measure: Measure, text: str | None, judged: JudgedComment | None) -> RecordEntry:
    """A record with its text, or with the text and score of the comment that it was judged by."""
    value: float = record.amount
    if judged is not None:
        text = judged.text
        if measure.record == "score" and judged.score is not None:
            value = judged.score
    return RecordEntry(record.subject.name, record.at, record.measure, value, record.dims, text, judged)


def judged_comments(subject: SubjectView, record: NamedContribution, model: str) -> list[JudgedComment]:
    """The comments of a subject at the time of a record, by the hash of their text."""
    scores = decode_scores(record.subject.scores)
    comments = sorted((c for c in subject.comments if c.at == record.at), key=lambda comment: comment.text_hash)
    return [judged_comment(c, model, scores.get((model, c.text_hash)), subject.overrides.get(c.text_hash)) for c in comments]


def judged_comment(comment: Comment, model: str, score: Score | None, override: Override | None) -> JudgedComment:
    """A comment with the label, score and themes that count: the human's before the model's."""
    if score is None:
        return JudgedComment(comment.text, comment.text_hash)
    label, value = effective_label(score, override)
    return JudgedComment(
        text=comment.text,
        text_hash=comment.text_hash,
        label=label,
        score=value,
        themes=effective_themes(score, override),
        urgency=score.urgency,
        judged_by="human" if override is not None and override.label else "model",
        themes_by="human" if override is not None and override.themes else "model",
        model=model,
        model_label=score.label,
    )


def passes(comment: JudgedComment, f: Filter) -> bool:
    """Whether a comment passes a filter on its themes or its urgency; other dimensions are those of its subject."""
    if f.dimension not in MULTI_VALUED:
        return True
    names = [nfc(theme.theme) for theme in comment.themes] if f.dimension == "theme" else comment.urgency
    values: set[str | None] = {*names} or {None}
    return (not f.include or not values.isdisjoint(f.include)) and values.isdisjoint(f.exclude)


def take_comment(measure: Measure, amount: int, comments: list[JudgedComment]) -> JudgedComment | None:
    """Remove and return the comment that makes a record of this amount. Two such comments are interchangeable."""
    for comment in comments:
        matches = {
            "comment": True,
            "label": comment.label is not None and LABELS[comment.label] == amount,
            "score": comment.score is not None and round(measure.per_unit * comment.score) == amount,
            "abstained": comment.model is not None and comment.label is None,
            "urgent": bool(comment.urgency),
        }[measure.record]
        if matches:
            comments.remove(comment)
            return comment
    return None

"""Events → subjects: metrics has of each subject the statements that ingest has; and every comment has its score."""

import asyncio
from collections.abc import AsyncIterable, Callable, Mapping
from dataclasses import dataclass, field

import asyncpg

from services.metrics.clients.ingest import Ingest
from services.metrics.domain.merge import union
from services.metrics.domain.view import view
from services.metrics.store.frozen import unpack
from services.metrics.store.promotions import LAST
from services.metrics.store.subjects import ScoreKey
from services.metrics.verify.report import VerifyStep
from services.metrics.verify.snapshots import long_snapshot
from shared.events import Event, Override, Tombstone, decode_event, encode

Name = tuple[str, str]
"""A tenant and one of its subjects."""

State = Mapping[str, Event]
PAUSE = 1.0
"""Seconds between two comparisons of subjects that aren't equal yet."""

STORED = """
    SELECT t.slug, s.subject, s.erased, s.judged, st.statement, st.revision, st.seq, st.position, st.body
    FROM tenants t JOIN subjects s ON s.tenant = t.id LEFT JOIN statements st ON st.subject_id = s.id
    WHERE $1::text IS NULL OR t.slug = $1
"""

FROZEN = """
    SELECT t.slug, s.subject, f.statements, f.dictionary, f.body
    FROM frozen_subjects f JOIN subjects s ON s.id = f.subject_id JOIN tenants t ON t.id = s.tenant
    WHERE $1::text IS NULL OR t.slug = $1
"""

MODELS = f"SELECT t.id, t.slug, coalesce(({LAST}), $1) AS model FROM tenants t"  # noqa: S608

SCORED = f"""
    SELECT t.slug, s.subject, array_agg(sc.text_hash) AS hashes FROM ({MODELS}) t
    JOIN subjects s ON s.tenant = t.id JOIN scores sc ON sc.subject_id = s.id AND sc.model = t.model
    GROUP BY 1, 2
"""  # noqa: S608


@dataclass(slots=True)
class Stored:
    """A subject as metrics has it; `forged` names rows whose columns contradict their body, or whose body can't
    be decoded.

    `frozen_scores`: of a frozen subject, the models and the hashes of the texts that they scored.
    """

    erased: bool
    judged: bool
    statements: dict[str, Event] = field(default_factory=dict)
    forged: set[str] = field(default_factory=set)
    frozen_scores: set[ScoreKey] = field(default_factory=set)


async def compare_subjects(
    ingest: Ingest, pool: asyncpg.Pool, tenant: str | None, patience: float, say: Callable[[str], None]
) -> VerifyStep:
    """Compare all events up to the present head of ingest. Waits for events that aren't applied yet while their number falls."""
    step = VerifyStep("events → subjects")
    suspects: dict[Name, str] | None = None
    waited = 0.0
    while True:
        head = (await ingest.head()).seq
        expected = await read_events(ingest, head, tenant)
        async with long_snapshot(pool) as connection:
            stored = await read_stored(connection, tenant)
        differing = dict(differences(expected, stored, head, await latest_head(ingest, stored, head)))
        if suspects is None:
            statements = sum(map(len, expected.values()))
            step.compared = f"{statements:,} statements of {len(expected):,} subjects, up to sequence {head:,}"
            suspects = differing
        else:
            remaining = {name: differing[name] for name in suspects if name in differing}
            waited = 0.0 if len(remaining) < len(suspects) else waited + PAUSE
            suspects = remaining
        if not suspects or waited >= patience:
            step.differences = [f"{name[0]} {name[1]}: {reason}" for name, reason in sorted(suspects.items())]
            return step
        say(f"  waiting for {len(suspects):,} subjects to be applied")
        await asyncio.sleep(PAUSE)


async def latest_head(ingest: Ingest, stored: Mapping[Name, Stored], head: int) -> int:
    """The head of ingest after `stored` was read: it is ahead of every statement there, unless ingest has lost events."""
    is_ahead = any(event.seq > head for subject in stored.values() for event in subject.statements.values())
    return (await ingest.head()).seq if is_ahead else head


async def read_events(ingest: Ingest, upto: int, tenant: str | None) -> dict[Name, State]:
    """The state of every subject, from the events of ingest."""
    by_name: dict[Name, list[Event]] = {}
    async for event in ingest.events(upto, tenant):
        by_name.setdefault((event.tenant, event.subject), []).append(event)
    return {name: union(events) for name, events in by_name.items()}


async def read_stored(connection: asyncpg.Connection, tenant: str | None) -> dict[Name, Stored]:
    """The state of every subject, as metrics has it. The connection has a snapshot."""
    by_name: dict[Name, Stored] = {}
    async for slug, subject, erased, judged, statement, revision, seq, position, body in rows(connection, STORED, tenant):
        stored = by_name.setdefault((slug, subject), Stored(erased, judged))
        if statement is None:
            continue
        try:
            event = decode_event(body)
        except ValueError:
            stored.forged.add(statement)
            continue
        stored.statements[statement] = event
        columns = event.tenant, event.subject, event.statement, event.revision, event.seq, event.position
        if columns != (slug, subject, statement, revision, seq, position):
            stored.forged.add(statement)
    async for slug, subject, statements, dictionary, body in rows(connection, FROZEN, tenant):
        stored = by_name[slug, subject]
        events, scores = unpack(dictionary, body)
        if stored.statements or stored.erased or len(events) != statements:
            stored.forged.add("frozen")
        stored.statements, stored.frozen_scores = events, set(scores)
    return by_name


def rows(connection: asyncpg.Connection, query: str, *values: object) -> AsyncIterable[asyncpg.Record]:
    """The rows of a query, read as they are needed."""
    cursor: AsyncIterable[asyncpg.Record] = connection.cursor(query, *values, prefetch=2000)
    return cursor


def differences(expected: Mapping[Name, State], stored: Mapping[Name, Stored], head: int, latest: int) -> list[tuple[Name, str]]:
    """Subjects that differ, and how. Events after `head` up to `latest` are no difference: they came while `stored` was read."""
    differing = []
    for name in expected.keys() | stored.keys():
        state, have = expected.get(name, {}), stored.get(name)
        if reason := "isn't there" if have is None else difference(state, have, head, latest):
            differing.append((name, reason))
    return differing


def difference(expected: State, have: Stored, head: int, latest: int) -> str:
    """How a subject differs, in words; nothing if it doesn't."""
    if have.forged:
        return f"{len(have.forged)} rows contradict what they hold, or can't be decoded"
    stored = normal_form(have.statements)
    known = {statement: event for statement, event in stored.items() if not head < event.seq <= latest or statement in expected}
    missing, surplus = len(expected.keys() - known.keys()), len(known.keys() - expected.keys())
    changed = sum(encode(event) != encode(known[statement]) for statement, event in expected.items() if statement in known)
    erased = any(type(event.body) is Tombstone for event in have.statements.values())
    counts = ((missing, "statements missing"), (surplus, "statements too many"), (changed, "statements differ"))
    flag = ["is marked as erased wrongly" if have.erased else "isn't marked as erased"] if have.erased != erased else []
    if not have.judged and any(type(event.body) is Override for event in have.statements.values()):
        flag.append("isn't marked as judged")
    return ", ".join([f"{count} {problem}" for count, problem in counts if count] + flag)


def normal_form(state: State) -> State:
    """The state as `union` would make it now: earlier versions stored every tombstone of an erased subject, not the latest alone.

    Only a state that holds nothing but tombstones is reduced: a statement beside a tombstone must show as a difference.
    """
    return union(state.values()) if all(type(event.body) is Tombstone for event in state.values()) else state


async def compare_coverage(
    pool: asyncpg.Pool, model: str, tenant: str | None, patience: float, say: Callable[[str], None]
) -> VerifyStep:
    """Every comment that counts has a score of its tenant's promoted model, `model` where none was promoted; those that lack one
    are waited for while they get fewer."""
    step = VerifyStep("comments → scores of the promoted model")
    suspects: set[tuple[Name, str]] | None = None
    waited = 0.0
    while True:
        comments, unscored = await look_for_scores(pool, model, tenant)
        if suspects is None:
            step.compared, suspects = f"{comments:,} comments", unscored
        else:
            remaining = suspects & unscored
            waited = 0.0 if len(remaining) < len(suspects) else waited + PAUSE
            suspects = remaining
        if not suspects or waited >= patience:
            step.differences = [f"{name[0]} {name[1]}: a comment has no score" for name, _ in sorted(suspects)]
            return step
        say(f"  waiting for the scores of {len(suspects):,} comments")
        await asyncio.sleep(PAUSE)


async def look_for_scores(pool: asyncpg.Pool, model: str, tenant: str | None) -> tuple[int, set[tuple[Name, str]]]:
    """How many comments there are, and which have no score."""
    async with long_snapshot(pool) as connection:
        stored = await read_stored(connection, tenant)
        scored = {(slug, subject): set(hashes) async for slug, subject, hashes in rows(connection, SCORED, model)}
        models = {slug: promoted async for _, slug, promoted in rows(connection, MODELS, model)}
    for (slug, subject), have in stored.items():
        if have.frozen_scores:
            scored[slug, subject] = {text for model, text in have.frozen_scores if model == models[slug]}
    comments = {(name, comment.text_hash) for name, have in stored.items() for comment in view(have.statements.values()).comments}
    return len(comments), {(name, text) for name, text in comments if text not in scored.get(name, ())}

"""Subjects under lock: their statements, and the scores of their comments.

Those of a frozen subject are compressed in one row (`services.metrics.store.frozen`). It is loaded like any other, and a change
thaws it: from then on it has rows in `statements` and `scores` again.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from services.metrics.domain.merge import effective_score, union
from services.metrics.store.frozen import unpack
from services.metrics.store.purges import note_erasures
from shared.events import Event, Override, ScoreEvent, Tombstone, decode_event, encode

Key = tuple[int, str]
"""A tenant's id and the subject's name."""

ScoreKey = tuple[str, str]
"""A model and the hash of the text that it scored."""

FROZEN = "SELECT subject_id, dictionary, body FROM frozen_subjects WHERE subject_id = ANY($1)"


@dataclass(slots=True)
class Subject:
    """A subject as loaded and, after `merge`, as it will be stored. `fresh`: this transaction inserted it.

    `frozen`: its statements and scores are stored as one compressed row. `unreadable`: `stored` lacks statements that can't be
    decoded.
    """

    id: int
    tenant: int
    name: str
    fresh: bool
    stored: Mapping[str, Event] = field(default_factory=dict)
    stored_scores: dict[ScoreKey, bytes] = field(default_factory=dict)
    statements: Mapping[str, Event] = field(default_factory=dict)
    scores: dict[ScoreKey, bytes] = field(default_factory=dict)
    frozen: bool = False
    unreadable: bool = False

    def merge(self, events: Iterable[Event], scores: Iterable[ScoreEvent]) -> None:
        """Merge in the events and scores of a batch, by `union` and `effective_score`. An erased subject has no scores."""
        self.statements = union(self.stored.values(), events)
        self.scores = dict(self.stored_scores)
        for event in scores:
            key, body = (event.model, event.score.text_hash), encode(event.score)
            self.scores[key] = effective_score(self.scores.get(key, body), body)
        if self.erased:
            self.scores = {}

    @property
    def erased(self) -> bool:
        """Whether it has a tombstone."""
        return any(type(event.body) is Tombstone for event in self.statements.values())

    @property
    def changed(self) -> bool:
        """Whether statements or scores differ from the stored ones."""
        same = len(self.statements) == len(self.stored) and all(self.statements.get(n) is e for n, e in self.stored.items())
        return not same or self.scores != self.stored_scores

    @property
    def judged(self) -> bool:
        """Whether a human judged one of its comments, even if the judgement was withdrawn."""
        return any(type(event.body) is Override for event in self.statements.values())


async def lock(connection: asyncpg.Connection, keys: Iterable[Key]) -> dict[Key, Subject]:
    """Lock the subjects `keys` until the transaction ends; new ones are inserted.

    All inserts come first, in order, then all locks, in order, so two batches with the same new subjects can't deadlock.
    """
    ordered = sorted(keys)
    arrays = [tenant for tenant, _ in ordered], [name for _, name in ordered]
    inserted = await connection.fetch(
        "INSERT INTO subjects (tenant, subject) SELECT * FROM unnest($1::int[], $2::text[]) AS wanted (tenant, subject)"
        " WHERE NOT EXISTS (SELECT FROM subjects s WHERE (s.tenant, s.subject) = (wanted.tenant, wanted.subject))"
        " ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING id, tenant, subject",
        *arrays,
    )
    locked = {(tenant, name): Subject(number, tenant, name, fresh=True) for number, tenant, name in inserted}
    if len(locked) < len(ordered):
        rows = await connection.fetch(
            "SELECT s.id, s.tenant, s.subject FROM subjects s"
            " JOIN unnest($1::int[], $2::text[]) AS wanted (tenant, subject) USING (tenant, subject)"
            " ORDER BY s.id FOR UPDATE OF s",
            *arrays,
        )
        for number, tenant, name in rows:
            locked.setdefault((tenant, name), Subject(number, tenant, name, fresh=False))
    return locked


async def lock_following(connection: asyncpg.Connection, tenant: int, after: str, limit: int) -> list[Subject]:
    """Lock the next `limit` subjects of a tenant by name after `after`, in the order in which batches lock them."""
    names = await connection.fetch(
        "SELECT id, subject FROM subjects WHERE tenant = $1 AND subject > $2 ORDER BY subject LIMIT $3", tenant, after, limit
    )
    await connection.execute("SELECT FROM subjects WHERE id = ANY($1) ORDER BY id FOR UPDATE", [row["id"] for row in names])
    return [Subject(row["id"], tenant, row["subject"], fresh=False) for row in names]


async def load(connection: asyncpg.Connection, subjects: Iterable[Subject], *, mark_unreadable: bool = False) -> None:
    """Load the statements and scores of `subjects`; fresh ones have none.

    Raises an error of msgspec for a stored statement that can't be decoded; with `mark_unreadable`, marks its subject instead.
    """
    known = {subject.id: subject for subject in subjects if not subject.fresh}
    if not known:
        return
    statements: dict[int, dict[str, Event]] = {number: {} for number in known}
    stored = await connection.fetch("SELECT subject_id, body FROM statements WHERE subject_id = ANY($1)", list(known))
    for number, event in await asyncio.to_thread(decode_all, stored):
        if isinstance(event, Event):
            statements[number][event.statement] = event
        elif mark_unreadable:
            known[number].unreadable = True
        else:
            raise event
    for number, subject in known.items():
        subject.stored = subject.statements = statements[number]
    rows = await connection.fetch("SELECT subject_id, model, text_hash, body FROM scores WHERE subject_id = ANY($1)", list(known))
    for number, model, text_hash, body in rows:
        known[number].stored_scores[model, text_hash] = body
    frozen = await connection.fetch(FROZEN, list(known))
    for number, (events, scores) in await asyncio.to_thread(unpack_all, frozen):
        subject = known[number]
        subject.frozen, subject.stored, subject.statements, subject.stored_scores = True, events, events, scores
    for subject in known.values():
        subject.scores = dict(subject.stored_scores)


def decode_all(rows: Sequence[tuple[int, bytes]]) -> list[tuple[int, Event | ValueError]]:
    """The events of rows (subject's id, body), or the error of one that can't be decoded. Pure; run it in a thread."""
    decoded: list[tuple[int, Event | ValueError]] = []
    for number, body in rows:
        try:
            decoded.append((number, decode_event(body)))
        except ValueError as error:  # msgspec's errors and those of UTF-8 are such
            decoded.append((number, error))
    return decoded


def unpack_all(rows: Sequence[tuple[int, int, bytes]]) -> list[tuple[int, tuple[dict[str, Event], dict[ScoreKey, bytes]]]]:
    """The statements and scores of rows (subject's id, dictionary, body). Pure; run it in a thread."""
    return [(number, unpack(dictionary, body)) for number, dictionary, body in rows]


async def thaw(connection: asyncpg.Connection, subjects: Sequence[Subject]) -> None:
    """Delete the compressed rows of frozen subjects, so that `store` inserts all their statements and scores."""
    if not subjects:
        return
    await connection.execute("DELETE FROM frozen_subjects WHERE subject_id = ANY($1)", [subject.id for subject in subjects])
    for subject in subjects:
        subject.frozen, subject.stored, subject.stored_scores = False, {}, {}


async def store(connection: asyncpg.Connection, subjects: Iterable[Subject]) -> None:
    """Write the changes that `merge` made. A frozen subject that changed is thawed."""
    subjects = list(subjects)
    await thaw(connection, [subject for subject in subjects if subject.frozen and subject.changed])
    await _store_statements(connection, subjects)
    await _store_scores(connection, subjects)
    erased = [s for s in subjects if s.erased and not any(type(e.body) is Tombstone for e in s.stored.values())]
    if erased:
        await connection.execute("UPDATE subjects SET erased = true WHERE id = ANY($1)", [s.id for s in erased])
        await note_erasures(connection, [s.tenant for s in erased])
    await mark_judged(connection, subjects)


async def mark_judged(connection: asyncpg.Connection, subjects: Iterable[Subject]) -> None:
    """Set `judged` where it is missing: an earlier version that lacks the column may have stored the judgement."""
    if judged := [s.id for s in subjects if s.judged]:
        await connection.execute("UPDATE subjects SET judged = true WHERE id = ANY($1) AND NOT judged", judged)


async def _store_statements(connection: asyncpg.Connection, subjects: list[Subject]) -> None:
    deleted = [(s.id, name) for s in subjects for name, event in s.stored.items() if s.statements.get(name) is not event]
    if deleted:
        await connection.execute(
            "DELETE FROM statements USING unnest($1::bigint[], $2::text[]) AS deleted (subject_id, statement)"
            " WHERE (statements.subject_id, statements.statement) = (deleted.subject_id, deleted.statement)",
            [number for number, _ in deleted],
            [name for _, name in deleted],
        )
    rows = [
        (s.id, name, event.revision, event.seq, event.position, encode(event))
        for s in subjects
        for name, event in s.statements.items()
        if s.stored.get(name) is not event
    ]
    if rows:
        names = ("subject_id", "statement", "revision", "seq", "position", "body")
        await connection.copy_records_to_table("statements", records=rows, columns=names)


async def _store_scores(connection: asyncpg.Connection, subjects: list[Subject]) -> None:
    deleted = [(s.id, *key) for s in subjects for key, body in s.stored_scores.items() if s.scores.get(key) != body]
    if deleted:
        await connection.execute(
            "DELETE FROM scores USING unnest($1::bigint[], $2::text[], $3::text[]) AS deleted (subject_id, model, text_hash)"
            " WHERE (scores.subject_id, scores.model, scores.text_hash) = (deleted.subject_id, deleted.model, deleted.text_hash)",
            *(list(column) for column in zip(*deleted, strict=True)),
        )
    rows = [
        (s.id, model, text_hash, body)
        for s in subjects
        for (model, text_hash), body in s.scores.items()
        if s.stored_scores.get((model, text_hash)) != body
    ]
    if rows:
        await connection.copy_records_to_table("scores", records=rows, columns=("subject_id", "model", "text_hash", "body"))

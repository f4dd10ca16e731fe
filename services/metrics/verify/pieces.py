"""Pieces of a verification beside running services: each compares a bounded number of things, in a snapshot of its own.

Sealed histograms are compared with stored contributions, contributions with statements and scores, and statements with the events
of ingest: an event is applied exactly if merging it once more changes nothing.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from zlib import crc32

import asyncpg

from services.metrics.clients.ingest import Ingest
from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.domain.merge import union
from services.metrics.store.query import snapshot
from services.metrics.store.subjects import Subject, load
from services.metrics.store.terms import read_terms
from services.metrics.store.verifications import ComparedPiece, VerificationRun
from services.metrics.store.writer_versions import newer_version
from services.metrics.verify.recount import compare_page, orphans
from services.metrics.verify.snapshots import long_snapshot
from services.metrics.verify.subjects import normal_form
from shared.events import Event, encode

SUBJECTS, EVENTS = 200, 500
"""Subjects, and events, of a piece."""

NEXT_SUBJECTS = "SELECT id, subject FROM subjects WHERE tenant = $1 AND subject > $2 ORDER BY subject LIMIT $3"


class OtherDefinitions(Exception):
    """Another version of this service made contributions of the tenant, so they can't be compared until a build is finished."""


@asynccontextmanager
async def snapshot_of(pool: asyncpg.Pool, tenant: int) -> AsyncIterator[asyncpg.Connection]:
    """A snapshot in which this version made all contributions of the tenant. Raises OtherDefinitions if another made some."""
    async with long_snapshot(pool) as connection:
        version = await connection.fetchval("SELECT contributions_version FROM tenants WHERE id = $1", tenant)
        if version != CONTRIBUTIONS_VERSION or await newer_version(connection, CONTRIBUTIONS_VERSION):
            raise OtherDefinitions
        yield connection


async def compare_next_subjects(pool: asyncpg.Pool, run: VerificationRun) -> ComparedPiece:
    """Compare the contributions of the next subjects; after the last one look for contributions of no subject."""
    async with snapshot_of(pool, run.tenant) as connection:
        rows = await connection.fetch(NEXT_SUBJECTS, run.tenant, run.place, SUBJECTS)
        if not rows:
            return ComparedPiece(differences=await orphans(connection, run.tenant) if run.share >= 1 else [])
        names = [row["subject"] for row in rows]
        chosen = [Subject(row["id"], run.tenant, row["subject"], fresh=False) for row in rows if is_sampled(run, row["subject"])]
        expected, differences = await compare_page(connection, chosen, await read_terms(connection, run.tenant))
        return ComparedPiece(names[-1], subjects=len(chosen), contributions=len(expected), differences=differences)


async def compare_next_events(pool: asyncpg.Pool, ingest: Ingest, run: VerificationRun) -> ComparedPiece:
    """Compare the next events of ingest, up to the head at the first of these pieces, with the statements of their subjects."""
    head = run.head or (await ingest.head()).seq
    events = await ingest.page(run.slug, int(run.place or 0), head, EVENTS)
    if not events:
        return ComparedPiece(head=head)
    by_subject: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        if is_sampled(run, event.subject):
            by_subject[event.subject].append(event)
    async with snapshot(pool) as connection:
        rows = await connection.fetch(
            "SELECT id, subject FROM subjects WHERE tenant = $1 AND subject = ANY($2::text[])", run.tenant, list(by_subject)
        )
        stored = {row["subject"]: Subject(row["id"], run.tenant, row["subject"], fresh=False) for row in rows}
        await load(connection, stored.values(), mark_unreadable=True)
    compared = sum(map(len, by_subject.values()))
    differences = [
        f"{name}: {problem}" for name, of_subject in by_subject.items() if (problem := unapplied(of_subject, stored.get(name)))
    ]
    return ComparedPiece(str(events[-1].seq), head, events=compared, differences=differences)


def unapplied(events: Sequence[Event], subject: Subject | None) -> str | None:
    """Why the state of a subject can't come from all of these events; None if it can."""
    if subject is None:
        return "isn't there"
    if subject.unreadable:
        return "a stored statement can't be decoded"
    state = normal_form(subject.statements)
    merged = union(state.values(), events)
    missing = merged.keys() - state.keys()
    changed = sum(encode(merged[name]) != encode(event) for name, event in state.items() if name in merged)
    surplus = len(state.keys() - merged.keys())
    counts = ((len(missing), "statements missing"), (changed, "statements differ"), (surplus, "statements of an erased subject"))
    return ", ".join(f"{count} {problem}" for count, problem in counts if count) or None


def is_sampled(run: VerificationRun, name: str) -> bool:
    """Whether a subject or a span is in the run's sample: another one in each run."""
    return run.share >= 1 or crc32(f"{run.id} {name}".encode()) < run.share * 2**32

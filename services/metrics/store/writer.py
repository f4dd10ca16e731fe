"""Apply batches: merge events and scores into their subjects, and write the contributions that change, in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

import asyncpg
import structlog

from services.metrics.domain.contributions import CONTRIBUTIONS_VERSION
from services.metrics.store import subjects as store
from services.metrics.store.builds import Build, served_measures
from services.metrics.store.builds import advance as advance_build
from services.metrics.store.contributions import RowEncoder, Touch, replace
from services.metrics.store.derivation import InvalidSubject, derive_all
from services.metrics.store.progress import Change, Partition, Reached, advance, note_rebuilt
from services.metrics.store.rebuilds import note_invalid
from services.metrics.store.seals import invalidate
from services.metrics.store.subjects import Key, Subject
from services.metrics.store.tenants import Tenants
from services.metrics.store.terms import TermsInUse, TermsReader
from services.metrics.store.writer_versions import STATE_SECONDS, refuse_outdated, state_version
from shared.database import retry_transaction
from shared.events import Event, ScoreEvent

log = structlog.get_logger()

Done = TypeVar("Done")
Item = TypeVar("Item", Event, ScoreEvent)


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """A decoded batch: events, scores, the positions of their partitions after it, and the results that it may change."""

    events: Sequence[Event] = ()
    scores: Sequence[ScoreEvent] = ()
    reached: Mapping[Partition, Reached] = field(default_factory=dict)
    changes: Collection[Change] = ()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The number of rebuilt subjects, and the name of the last; None if there are no more.

    `corrected`: of each measure, at how many times contributions were wrong. `invalid`: the subjects that can't be folded; their
    contributions are as before.
    """

    subjects: int
    last: str | None
    corrected: Mapping[str, int]
    invalid: Sequence[InvalidSubject] = ()


Invalidate = Callable[[asyncpg.Connection, Iterable[Touch]], Awaitable[None]]


class Writer:
    """Applies batches, in READ COMMITTED transactions, as the sealing protocol and the locks require.

    Each batch takes two connections of the pool: one for its transaction and, meanwhile, one to insert values that are new.
    `version` is that of the contributions' definition. Every method raises OutdatedVersion while a newer one is written.
    """

    def __init__(self, pool: asyncpg.Pool, invalidate: Invalidate = invalidate, version: int = CONTRIBUTIONS_VERSION) -> None:
        self._pool = pool
        self._version = version
        self._state_at = 0.0
        """When to state the version again, in time.monotonic()."""
        self._tenants = Tenants(pool)
        self._terms = TermsReader()
        self._rows = RowEncoder(pool)
        self._generations: dict[int, int] = {}
        self._invalidate = invalidate

    async def apply(self, batch: DecodedBatch) -> list[Event]:
        """Make `batch` durable. Returns the events whose statements were not stored before.

        Raises InvalidSubject, OutdatedVersion or an error of asyncpg; then nothing was written.
        """
        tenants = await self._tenants.ids({event.tenant for event in batch.events} | {score.tenant for score in batch.scores})
        events = by_subject(batch.events, tenants)
        scores = by_subject(batch.scores, tenants)

        async def work(connection: asyncpg.Connection) -> list[Event]:
            terms = await self._terms.lock(connection, {tenant for tenant, _ in events.keys() | scores.keys()})
            locked = await store.lock(connection, events.keys() | scores.keys())
            await store.load(connection, locked.values(), mark_unreadable=True)
            new = [event for key, items in events.items() for event in items if event.statement not in locked[key].stored]
            for key, subject in locked.items():
                subject.merge(events.get(key, ()), scores.get(key, ()))
            await store.store(connection, locked.values())
            await self._follow(connection, list(locked.values()), terms)
            await advance(connection, batch.reached, batch.changes, tenants)
            return new

        return await self._transact(work)

    async def rebuild(self, tenant: int, after: str, limit: int) -> Rebuilt:
        """Compute the contributions and the marks of the tenant's next `limit` subjects after the one named `after` again."""

        async def work(connection: asyncpg.Connection) -> Rebuilt:
            terms = await self._terms.lock(connection, [tenant])
            subjects = await store.lock_following(connection, tenant, after, limit)
            invalid: list[InvalidSubject] = []
            corrected = Counter(measure for _, measure, _ in set(await self._derive(connection, subjects, terms, invalid)))
            names = await connection.fetch("SELECT id, name FROM measures WHERE id = ANY($1::int[])", list(corrected))
            by_name = {row["name"]: corrected[row["id"]] for row in names}
            return Rebuilt(len(subjects), subjects[-1].name if subjects else None, by_name, invalid)

        return await self._transact(work)

    async def build(self, build: Build, limit: int) -> Build | None:
        """Derive the next `limit` subjects of a build, and record how far it is. Subjects that can't be folded are logged.

        What is served stays as it is until the exchange.

        Returns the build as it is now; None if it was replaced, or another builder has advanced it.
        """

        async def work(connection: asyncpg.Connection) -> Build | None:
            terms = (await self._terms.lock(connection, [build.tenant]))[build.tenant]
            if terms.building is None or terms.building.revision != build.revision:
                return None
            subjects = await store.lock_following(connection, build.tenant, build.place, limit)
            invalid: list[InvalidSubject] = []
            await self._derive(connection, subjects, {build.tenant: terms}, invalid, keep_served=True)
            for error in invalid:
                log.warning("builder.subject_invalid", tenant=error.tenant, subject=error.subject, reason=error.reason)
            if invalid:
                await note_invalid(connection, build.tenant, [f"{error.subject}: {error.reason}" for error in invalid])
            place = subjects[-1].name if subjects else build.place
            return await advance_build(connection, build, place, len(subjects), walked=len(subjects) < limit)

        return await self._transact(work)

    async def _derive(
        self,
        connection: asyncpg.Connection,
        subjects: list[Subject],
        terms: Mapping[int, TermsInUse],
        invalid: list[InvalidSubject],
        *,
        keep_served: bool = False,
    ) -> list[Touch]:
        """Compute the contributions and the marks of locked subjects again. Returns where contributions changed.

        Those that can't be folded are left as they are, and their errors are added to `invalid`. `keep_served`: write only
        contributions of the generation that is built.
        """
        await store.load(connection, subjects, mark_unreadable=True)
        await store.mark_judged(connection, subjects)
        touches = await self._follow(connection, subjects, terms, invalid, keep_served=keep_served)
        await note_rebuilt(connection, {tenant for tenant, _, _ in touches})
        return touches

    async def _follow(
        self,
        connection: asyncpg.Connection,
        subjects: list[Subject],
        terms: Mapping[int, TermsInUse],
        invalid: list[InvalidSubject] | None = None,
        *,
        keep_served: bool = False,
    ) -> list[Touch]:
        """Write the contributions of `subjects`, and then invalidate the seals over them; the order matters.

        Returns where contributions changed. Raises InvalidSubject, or adds it to `invalid` and goes on.
        """
        await refuse_outdated(connection, self._version)
        derived = await asyncio.to_thread(derive_all, subjects, terms, invalid, keep_served=keep_served)
        if invalid:
            valid = {subject.id for subject, _, _ in derived}
            subjects = [subject for subject in subjects if subject.id in valid]
        exchanged = {tenant for tenant, one in terms.items() if self._generations.get(tenant, 0) != one.generation}
        if exchanged:
            self._rows.forget_measures(exchanged)
            self._generations |= {tenant: terms[tenant].generation for tenant in exchanged}
        others = await served_measures(connection, terms) if keep_served else ()
        touches = await replace(connection, subjects, await self._rows.rows(derived), others)
        await self._invalidate(connection, touches)
        return touches

    @retry_transaction
    async def _transact(self, work: Callable[[asyncpg.Connection], Awaitable[Done]]) -> Done:
        if monotonic() >= self._state_at:
            await state_version(self._pool, self._version)
            self._state_at = monotonic() + STATE_SECONDS
        async with self._pool.acquire() as connection, connection.transaction(isolation="read_committed"):
            return await work(connection)


def by_subject(items: Iterable[Item], tenants: Mapping[str, int]) -> dict[Key, list[Item]]:
    """Events or scores by the key of their subject."""
    grouped: dict[Key, list[Item]] = {}
    for item in items:
        grouped.setdefault((tenants[item.tenant], item.subject), []).append(item)
    return grouped

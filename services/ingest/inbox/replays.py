"""Replays: stored events that are published again. Each is a row with its progress, and is worked through in small steps.

A step hands the next deliveries to the outbox, in the order of sequence numbers, in the transaction that stores the progress. So
any process continues after a crash. An advisory lock lets one process work at a time. A replay puts no more than MOST_WAITING
deliveries into the outbox ahead of the sweeper, whatever its size, and live events go before them.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from services.ingest.inbox import locks
from services.ingest.inbox.jobs import columns_of_context
from services.ingest.inbox.selection import Selection
from services.ingest.inbox.transactions import Connection, run_transaction
from shared.problems import Conflict
from shared.request_context import current_context

ALL_TENANTS = ""
"""The tenant of a replay of all tenants."""

BATCH = 2_000
"""Deliveries that one step hands to the outbox."""
SPAN = 20_000
"""Sequence numbers that one step looks through."""
MOST_WAITING = 10_000
"""Replays wait while the outbox holds this many deliveries of replays whose events are not published."""
MOST_REPLAYS = 10
"""Replays of one tenant, or of all tenants, that are not done."""
MOST_ENDED = 1_000
"""Ended replays of one tenant that are stored."""
FAILED_SECONDS = 30.0
"""How long a replay whose step failed lets others go before it."""
CLOCK_SKEW = timedelta(hours=1)
"""How far the clocks of ingest's processes may differ: times of receipt follow the sequence numbers only roughly."""

COLUMNS = "tenant, id, connection, subject, since, until, first, upto, reached, queued, requested_by, added, finished"

ADD = f"""
INSERT INTO replays (tenant, id, connection, subject, since, until, first, reached, upto, reached_at, requested_by, request_id,
    traceparent)
SELECT $1, $2, $3, $4, $5::timestamptz, $6::timestamptz, $7, $7, $8, $9::timestamptz, $10, $11, $12
WHERE (SELECT count(*) FROM replays WHERE tenant = $1 AND finished IS NULL) < $13
ON CONFLICT (tenant, id) DO NOTHING RETURNING {COLUMNS}
"""  # noqa: S608
ONE = f"SELECT {COLUMNS} FROM replays WHERE tenant = $1 AND id = $2"  # noqa: S608
NOT_BEGUN = f"""
SELECT {COLUMNS} FROM replays WHERE tenant = $1 AND finished IS NULL AND worked IS NULL
AND (connection, subject, since, until) IS NOT DISTINCT FROM ($2::text, $3::text, $4::timestamptz, $5::timestamptz)
ORDER BY added LIMIT 1
"""  # noqa: S608
EXTEND = f"""
UPDATE replays SET upto = greatest(upto, $3) WHERE tenant = $1 AND id = $2 AND finished IS NULL AND worked IS NULL
RETURNING {COLUMNS}
"""  # noqa: S608
"""No row if a step was done meanwhile. A step that is running sees the new end before it can finish the replay."""
FORGET = """
DELETE FROM replays WHERE tenant = $1 AND finished IS NOT NULL AND added <= (
    SELECT added FROM replays WHERE tenant = $1 AND finished IS NOT NULL ORDER BY added DESC OFFSET $2 LIMIT 1
)
"""
NEXT = f"""
SELECT {COLUMNS}, request_id, traceparent FROM replays AS one WHERE finished IS NULL
AND (tenant, id) NOT IN (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY (
    SELECT max(worked) FROM replays AS other WHERE other.tenant = one.tenant
) NULLS FIRST, reached, id LIMIT 1
"""  # noqa: S608
"""The tenant that has waited longest has its turn. Of its replays the one that is furthest behind, so that two over the same
deliveries go together, and the outbox, which has each delivery once, makes one of them."""
WAITING = "SELECT count(*) FROM (SELECT FROM unpublished WHERE replayed AND comments = 0 LIMIT $1) AS waiting"

RANGE = "seq > $1 AND seq <= $2 AND ($3::text = '' OR tenant = $3)"
OF_SUBJECT = "seq > $1 AND seq <= $2 AND tenant = $3 AND subject = $7"
"""Uses the index of subjects, so one step looks through all deliveries."""
HAND_OVER = """
WITH matched AS MATERIALIZED (
    SELECT DISTINCT ON (seq) seq, tenant FROM events WHERE {place}
        AND ($4::timestamptz IS NULL OR received_at >= $4) AND ($5::timestamptz IS NULL OR received_at < $5)
        AND ($6::text IS NULL OR event::json ->> 'connection' = $6) AND ($7::text IS NULL OR subject = $7)
    ORDER BY seq LIMIT $8
), queued AS (
    INSERT INTO unpublished (seq, due, tenant, request_id, traceparent, replayed)
    SELECT seq, now(), tenant, $9::text, $10::text, true FROM matched
    ON CONFLICT (seq) DO UPDATE SET comments = 0, due = now(), replayed = true WHERE unpublished.comments > 0
    RETURNING 1
)
SELECT (SELECT count(*) FROM queued), (SELECT count(*) FROM matched), (SELECT max(seq) FROM matched)
"""
"""A delivery of which only the comments were left to publish is published whole."""
ADVANCE = """
UPDATE replays SET reached = $3, queued = queued + $4, worked = clock_timestamp(),
    reached_at = coalesce((SELECT received_at FROM events WHERE seq <= $3 ORDER BY seq DESC, position DESC LIMIT 1), reached_at),
    finished = CASE WHEN $3 >= upto THEN now() END
WHERE tenant = $1 AND id = $2
"""

ENDS = """
SELECT coalesce((SELECT min(seq) FROM events), 0) - 1, coalesce((SELECT max(seq) FROM events), -1)
"""
RECEIVED_AFTER = "SELECT received_at FROM events WHERE seq > $1 ORDER BY seq, position LIMIT 1"


@dataclass(frozen=True, slots=True)
class Replay:
    """`selection` has the tenant, or ALL_TENANTS. Its deliveries have sequence numbers above `first`, up to `upto`; those up to
    `reached` are done. `queued`: deliveries that it handed to the outbox, without those that waited there."""

    id: str
    selection: Selection
    first: int
    upto: int
    reached: int
    queued: int
    requested_by: str | None
    added: datetime
    finished: datetime | None

    @property
    def state(self) -> Literal["running", "done"]:
        """`done`: all of its deliveries are in the outbox, or published."""
        return "running" if self.finished is None else "done"

    @property
    def progress(self) -> float:
        """The share of the stored deliveries that it has passed, from 0 to 1."""
        if self.finished is not None or self.upto <= self.first:
            return 1.0
        return (self.reached - self.first) / (self.upto - self.first)


async def add_replay(
    pool: asyncpg.Pool, selection: Selection, id_: str | None, new_id: str, requested_by: str | None, *, renews: bool = False
) -> Replay:
    """Add a replay with the id `id_`, or return the one that has it already. `selection` has no provider and no reason.

    `id_` None: one of the same selection that has not begun is returned, or one added with the id `new_id`; the returned one ends
    with the present end of the inbox. `renews`: the same if the replay with the id `id_` has begun. Raises Conflict if another
    selection has the id, or if MOST_REPLAYS are in progress.
    """
    s = selection
    extent = (s.connection, s.subject, s.since, s.until)
    async with pool.acquire(timeout=5) as db:
        first, upto = await find_ends(db, s.since, s.until)
        same = await db.fetchrow(ONE, s.tenant, id_) if id_ else None
        if id_ is None or (renews and same is not None and replay_of(same).selection == selection):
            not_begun = await db.fetchrow(NOT_BEGUN, s.tenant, *extent)
            id_, same = None, await db.fetchrow(EXTEND, s.tenant, not_begun["id"], upto) if not_begun else None
        if same is None:
            oldest = await db.fetchval(RECEIVED_AFTER, first)
            begins_at = max(oldest, s.since) if oldest and s.since else oldest
            context = columns_of_context(current_context())
            async with db.transaction():
                same = await db.fetchrow(
                    ADD, s.tenant, id_ or new_id, *extent, first, upto, begins_at, requested_by, *context, MOST_REPLAYS
                )
                await db.execute(FORGET, s.tenant, MOST_ENDED)
            same = same or await db.fetchrow(ONE, s.tenant, id_ or new_id)
    if same is None:
        raise Conflict(f"{MOST_REPLAYS} replays are in progress, which is the limit; retry when one is done")
    replay = replay_of(same)
    if replay.selection != selection:
        raise Conflict("another replay has this id")
    return replay


async def find_replay(pool: asyncpg.Pool, tenant: str, id_: str) -> Replay | None:
    """One replay of a tenant, or of ALL_TENANTS. None if there is none with this id."""
    row = await pool.fetchrow(ONE, tenant, id_)
    return replay_of(row) if row else None


async def find_ends(db: Connection, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The sequence numbers between which all deliveries received in [since, until) lie: behind the first, up to the second."""
    first, upto = await db.fetchrow(ENDS)
    begin = first if since is None else await find_place(db, since - CLOCK_SKEW, first, upto)
    end = upto if until is None else await find_place(db, until + CLOCK_SKEW, begin, upto)
    return begin, end


async def find_place(db: Connection, at: datetime, low: int, high: int) -> int:
    """A sequence number from `low` to `high` up to which all deliveries were received before `at`, and the next one was not.

    By bisection, since no index has all receipt times in the order of sequence numbers: some 30 rows are read.
    """
    while low < high:
        middle = (low + high) // 2
        received_at = await db.fetchval(RECEIVED_AFTER, middle)
        if received_at is not None and received_at < at:
            low = middle + 1
        else:
            high = middle
    return low


class ReplaySteps:
    """Works on replays, a step at a time. It passes over a replay whose step failed for FAILED_SECONDS: without that, a step that
    always fails would hold up the replays of all tenants."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._passed_over: dict[tuple[str, str], float] = {}
        """By tenant and id, until when: in time.monotonic()."""

    async def do_next(self) -> Replay | Literal["none", "full"]:
        """Do the next step of the next replay, and return it as it was before. "none": there is no replay, or another process
        works on one. "full": MOST_WAITING deliveries wait in the outbox."""
        now = time.monotonic()
        self._passed_over = {key: until for key, until in self._passed_over.items() if until > now}
        async with self._pool.acquire(timeout=5) as db:
            return await run_transaction(lambda work: work(db), self._do_next)

    async def _do_next(self, db: Connection) -> Replay | Literal["none", "full"]:
        async with db.transaction():
            if not await db.fetchval("SELECT pg_try_advisory_xact_lock($1)", locks.REPLAYS):
                return "none"
            row = await db.fetchrow(NEXT, [tenant for tenant, _ in self._passed_over], [id_ for _, id_ in self._passed_over])
            if row is None:
                return "none"
            if await db.fetchval(WAITING, MOST_WAITING) >= MOST_WAITING:
                return "full"
            try:
                await hand_over(db, row)
            except Exception:
                self._passed_over[row["tenant"], row["id"]] = time.monotonic() + FAILED_SECONDS
                raise
            return replay_of(row)


async def hand_over(db: Connection, row: asyncpg.Record) -> None:
    """Hand the next deliveries of a replay, a row of NEXT, to the outbox. Must run inside a transaction."""
    subject, reached, upto = row["subject"], row["reached"], row["upto"]
    end = upto if subject else min(upto, reached + SPAN)
    narrowed: tuple[Any, ...] = (row["tenant"], row["since"], row["until"], row["connection"], subject)
    statement = HAND_OVER.format(place=OF_SUBJECT if subject else RANGE)
    queued, matched, last = await db.fetchrow(statement, reached, end, *narrowed, BATCH, row["request_id"], row["traceparent"])
    await db.execute(ADVANCE, row["tenant"], row["id"], last if matched == BATCH else max(end, reached), queued)


def replay_of(row: asyncpg.Record) -> Replay:
    """The replay in a row of COLUMNS."""
    selection = Selection(row["tenant"], row["connection"], subject=row["subject"], since=row["since"], until=row["until"])
    numbers = {name: row[name] for name in ("first", "upto", "reached", "queued")}
    return Replay(
        id=row["id"],
        selection=selection,
        **numbers,
        requested_by=row["requested_by"],
        added=row["added"],
        finished=row["finished"],
    )

"""Replaces the verdict on stored deliveries: on quarantined ones that are retried, on held ones that are released."""

from collections.abc import Mapping
from typing import Literal

from services.ingest.domain.delivery import Delivery
from services.ingest.inbox import locks
from services.ingest.inbox.stated import Stated, drafts
from services.ingest.inbox.writer import HOLD, Connection, columns_of, customer_locks, statement_key

Pending = Literal["quarantined", "held"]
"""The verdicts that may be replaced."""

RESTATE = """
WITH restated AS (
    UPDATE inbox SET verdict = new.verdict, reason = new.reason, revision = new.revision,
        raw = CASE WHEN new.keeps_raw THEN inbox.raw ELSE ''::bytea END
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[], $6::bool[]) AS new (seq, verdict, reason, revision, keeps_raw)
    WHERE inbox.seq = new.seq AND inbox.verdict = $1 RETURNING inbox.seq
), stated AS (
    INSERT INTO events (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    SELECT s.* FROM unnest(
        $7::bigint[], $8::int[], $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::bytea[], $15::text[]
    ) AS s (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    JOIN restated USING (seq)
    RETURNING seq
), queued AS (
    INSERT INTO unpublished (seq, due) SELECT DISTINCT seq, now() + interval '5 seconds' FROM stated
)
SELECT seq FROM restated
"""


async def restate(db: Connection, before: Pending, deliveries: Mapping[int, Delivery]) -> dict[int, list[Stated]]:
    """Replace the verdict `before` on the deliveries, which are given by their sequence numbers.

    Returns the statements to publish of each delivery whose verdict was replaced. One whose verdict is no longer `before` stays
    as it is, so doing this twice, or in two processes at once, stores no statement twice. One with an empty `raw` loses its
    stored body. Must run inside a transaction.
    """
    drafted = {seq: drafts(delivery) for seq, delivery in deliveries.items()}
    statements = {seq: [draft.numbered(seq) for draft in its] for seq, its in drafted.items()}
    verdicts = [(seq, d.verdict, d.reason, d.revision, bool(d.raw)) for seq, d in deliveries.items()]
    rows = [
        (seq, *statement_key(draft), stated.encoded.decode())
        for seq, its in drafted.items()
        for draft, stated in zip(its, statements[seq], strict=True)
    ]
    await db.execute(HOLD, [locks.ARRIVALS, *customer_locks(list(deliveries.values()))])
    done = await db.fetch(RESTATE, before, *columns_of(verdicts, 5), *columns_of(rows, 9))
    return {row[0]: statements[row[0]] for row in done}

"""Stores records of an import: one transaction stores the deliveries, the rejected records and the progress of their range.

So after a crash any process continues behind the last record that is stored, and no record is counted twice. The events are left
to the sweeper (`relay.py`), which publishes them in fair shares behind all live events.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.ingest.domain.delivery import Delivery, Outcome, StorableBody
from services.ingest.domain.imports.job import Fault, FileRange
from services.ingest.domain.imports.reading import Row
from services.ingest.inbox.erasure import erase
from services.ingest.inbox.leases import LeaseLost
from services.ingest.inbox.older_feedback import write_older
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.writer import columns_of

LEASE_SECONDS = 20.0
MAX_LISTED = 10_000
"""Rejected records of an import whose faults are stored. Further ones are only counted."""
MAX_FAULTS = 5
"""Faults of one record that are stored."""

COUNT_LISTED = """
SELECT count(*) FROM (SELECT FROM import_errors WHERE import_id = $1 AND place = 0 LIMIT $2) AS listed
"""
ADD_FAULTS = """
INSERT INTO import_errors (import_id, line, place, field, reason)
SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::text[])
ON CONFLICT DO NOTHING  -- a line with several records is read again if only some of them were stored
"""
ADVANCE = """
UPDATE import_ranges SET part = $4, part_offset = $5, line = $6, bytes_read = $7, results = $8, attempts = 0,
    due = now() + make_interval(secs => $9)
WHERE import_id = $1 AND number = $2 AND line = $3 AND finished IS NULL
    AND EXISTS (SELECT FROM imports WHERE id = $1 AND state = 'running')
"""
DROP_PARTS = """
UPDATE import_parts SET content = NULL WHERE import_id = $1 AND number BETWEEN $2 AND $3 AND content IS NOT NULL AND NOT EXISTS (
    SELECT FROM import_ranges WHERE import_id = $1 AND finished IS NULL AND import_parts.number BETWEEN part
        AND coalesce(end_part, import_parts.number)
)
"""
"""A part is needed as long as a range is to be read from it. The end of the import deletes those that two ranges share."""


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The range after its next records, and the outcome of each delivery among them."""

    range: FileRange
    outcomes: Sequence[tuple[Delivery, Outcome]]


async def store_rows(
    db: Connection, part: FileRange, rows: Sequence[Row], bytes_read: int, bodies: Sequence[StorableBody] | None = None
) -> StoredRows:
    """Store the next records of a claimed range, at least one. `bytes_read` are those of the range up to the last one's end.
    `bodies`: the stored form of each delivery's body, in order; None: bodies are stored unencrypted.

    An erasure must be the only record, since it waits for transactions that write statements of the customer. Raises LeaseLost.
    """
    deliveries = [row.outcome for row in rows if isinstance(row.outcome, Delivery)]
    async with db.transaction():
        if any(delivery.erases for delivery in deliveries):
            outcomes: list[Outcome] = ["duplicate" if await erase(db, deliveries[0]) is None else "accepted"]
        else:
            outcomes = await write_older(db, deliveries, bodies)
        rejected = [row for row in rows if not isinstance(row.outcome, Delivery)]
        await _add_faults(db, part.job.id, rejected)
        results = Counter(part.results) + Counter(outcomes) + Counter(rejected=len(rejected))
        advanced = replace(part, position=rows[-1].end, bytes_read=bytes_read, results=dict(results), attempts=0)
        await _advance(db, part, advanced)
    return StoredRows(advanced, list(zip(deliveries, outcomes, strict=True)))


async def _add_faults(db: Connection, job: int, rejected: Sequence[Row]) -> None:
    if not rejected:
        return
    listed = rejected[: MAX_LISTED - await db.fetchval(COUNT_LISTED, job, MAX_LISTED)]
    faults = [
        (fault.line, place, fault.field, fault.reason)
        for row in listed
        for place, fault in enumerate(faults_of(row)[:MAX_FAULTS], row.place * MAX_FAULTS)
    ]
    if faults:
        await db.execute(ADD_FAULTS, job, *columns_of(faults, 4))


def faults_of(row: Row) -> Sequence[Fault]:
    """Why a record was rejected. Empty if it was not."""
    return [] if isinstance(row.outcome, Delivery) else row.outcome


async def _advance(db: Connection, former: FileRange, part: FileRange) -> None:
    job, at = part.job.id, part.position
    progress = (at.part, at.offset, at.line, part.bytes_read, json.dumps(part.results))
    status = await db.execute(ADVANCE, job, part.number, former.position.line, *progress, LEASE_SECONDS)
    if not status.endswith(" 1"):
        raise LeaseLost
    if at.part > former.position.part:
        await db.execute(DROP_PARTS, job, former.position.part, at.part - 1)

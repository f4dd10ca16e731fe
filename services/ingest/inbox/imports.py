"""Stores records of an import: one transaction stores the deliveries, the rejected records and the progress of the import.

So after a crash any process continues behind the last record that is stored, and no record is counted twice. The events are left
to the sweeper (`relay.py`), which publishes them in fair shares behind all live events.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.ingest.domain.delivery import Delivery, Outcome, SealedBody
from services.ingest.domain.imports.job import Fault, Import
from services.ingest.domain.imports.lines import Position
from services.ingest.domain.imports.reading import Row
from services.ingest.inbox.erasure import erase
from services.ingest.inbox.older_feedback import write_older
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.writer import columns_of

LEASE_SECONDS = 20.0
MAX_LISTED = 10_000
"""Rejected records of an import whose faults are stored. Further ones are only counted."""
MAX_FAULTS = 5
"""Faults of one record that are stored."""

ADD_FAULTS = """
INSERT INTO import_errors (import_id, line, place, field, reason)
SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::text[], $5::text[])
"""
ADVANCE = """
UPDATE imports SET part = $3, part_offset = $4, line = $5, bytes_read = $6, results = $7, due = now() + make_interval(secs => $8)
WHERE id = $1 AND line = $2 AND state = 'running'
"""
DROP_PARTS = "UPDATE import_parts SET content = NULL WHERE import_id = $1 AND number < $2 AND content IS NOT NULL"


class LeaseLost(Exception):
    """Another process has gone on with the import, or it was canceled. Nothing was stored."""


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The import after its next records, and the outcome of each delivery among them."""

    job: Import
    outcomes: Sequence[tuple[Delivery, Outcome]]


async def store_rows(
    db: Connection, job: Import, rows: Sequence[Row], bytes_read: int, bodies: Sequence[SealedBody] | None = None
) -> StoredRows:
    """Store the next records of a claimed import, at least one. `bytes_read` are those of the file up to the last one's end.
    `bodies` are those of the deliveries among the records as they are to be stored; None: as they are.

    An erasure must be the only record, since it waits for transactions that write statements of the customer. Raises LeaseLost.
    """
    deliveries = [row.outcome for row in rows if isinstance(row.outcome, Delivery)]
    async with db.transaction():
        if any(delivery.erases for delivery in deliveries):
            outcomes: list[Outcome] = ["duplicate" if await erase(db, deliveries[0]) is None else "accepted"]
        else:
            outcomes = await write_older(db, deliveries, bodies)
        rejected = [row for row in rows if not isinstance(row.outcome, Delivery)]
        await _add_faults(db, job, rejected)
        results = Counter(job.results) + Counter(outcomes) + Counter(rejected=len(rejected))
        advanced = replace(job, position=rows[-1].end, bytes_read=bytes_read, results=dict(results))
        await _advance(db, job, advanced)
    return StoredRows(advanced, list(zip(deliveries, outcomes, strict=True)))


async def _add_faults(db: Connection, job: Import, rejected: Sequence[Row]) -> None:
    listed = rejected[: max(0, MAX_LISTED - job.results.get("rejected", 0))]
    faults = [
        (fault.line, place, fault.field, fault.reason)
        for row in listed
        for place, fault in enumerate(faults_of(row)[:MAX_FAULTS])
    ]
    if faults:
        await db.execute(ADD_FAULTS, job.id, *columns_of(faults, 4))


def faults_of(row: Row) -> Sequence[Fault]:
    """Why a record was rejected. Empty if it was not."""
    return [] if isinstance(row.outcome, Delivery) else row.outcome


async def _advance(db: Connection, job: Import, to: Import) -> None:
    at: Position = to.position
    progress = (at.part, at.offset, at.line, to.bytes_read, json.dumps(to.results))
    status = await db.execute(ADVANCE, job.id, job.position.line, *progress, LEASE_SECONDS)
    if not status.endswith(" 1"):
        raise LeaseLost
    if at.part > job.position.part:
        await db.execute(DROP_PARTS, job.id, at.part)

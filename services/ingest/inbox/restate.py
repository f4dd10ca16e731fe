"""Replaces the verdict on stored deliveries: on quarantined ones that are retried, on held ones that are released."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from services.ingest.domain.delivery import Delivery
from services.ingest.domain.tombstone import CUSTOMER_ERASED, SQL_FINGERPRINT
from services.ingest.inbox import locks
from services.ingest.inbox.stated import Stated, drafts
from services.ingest.inbox.writer import HOLD, Connection, columns_of, customer_locks, statement_key

Pending = Literal["quarantined", "held"]
"""The verdicts that may be replaced."""

RESTATE = """
WITH restated AS (
    UPDATE inbox SET verdict = new.verdict, reason = new.reason, revision = new.revision,
        raw = CASE WHEN new.keeps_raw THEN inbox.raw ELSE ''::bytea END,
        headers = CASE WHEN new.keeps_raw THEN inbox.headers ELSE '{}' END
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[], $6::bool[]) AS new (seq, verdict, reason, revision, keeps_raw)
    WHERE inbox.seq = new.seq AND inbox.verdict = $1 RETURNING inbox.seq
), stated AS (
    INSERT INTO events (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    SELECT s.* FROM unnest(
        $7::bigint[], $8::int[], $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::bytea[], $15::text[]
    ) AS s (seq, position, tenant, subject, customer, email, received_at, fingerprint, event)
    JOIN restated USING (seq)
    RETURNING seq, tenant
), queued AS (
    INSERT INTO unpublished (seq, due, tenant) SELECT DISTINCT seq, now() + interval '5 seconds', tenant FROM stated
)
SELECT seq FROM restated
"""


ERASED = f"""
SELECT said.seq, said.subject
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) AS said (seq, tenant, subject, customer, email)
WHERE EXISTS (
    SELECT FROM events grave
    WHERE grave.tenant = said.tenant AND grave.subject = said.subject AND grave.fingerprint = {SQL_FINGERPRINT}
) OR EXISTS (
    SELECT FROM erasures
    WHERE erasures.tenant = said.tenant AND erasures.seq > said.seq
    AND (said.customer = ANY(erasures.names) OR said.email = ANY(erasures.requested))
)
"""  # noqa: S608
"""What may not be stated: of a subject that is erased, or by a customer whose erasure came after the delivery. Once the search
for that customer has ended, no delivery that could state such a thing is left."""


@dataclass(frozen=True, slots=True)
class Restated:
    """A stored delivery with its new verdict, and its statements, which are to be published."""

    delivery: Delivery
    statements: list[Stated]


async def restate(db: Connection, before: Pending, deliveries: Mapping[int, Delivery]) -> dict[int, Restated]:
    """Replace the verdict `before` on the deliveries, which are given by their sequence numbers.

    Returns each delivery whose verdict was replaced: as given, or `erased` where all that it states was erased. One whose verdict
    is no longer `before` stays as it is, so doing this twice, or in two processes at once, stores no statement twice. One with an
    empty `raw` loses its stored body. Must run inside a transaction.
    """
    await db.execute(HOLD, [locks.ARRIVALS, *customer_locks(list(deliveries.values()))])
    permitted = await _without_erased(db, deliveries)
    drafted = {seq: drafts(delivery) for seq, delivery in permitted.items()}
    statements = {seq: [draft.numbered(seq) for draft in its] for seq, its in drafted.items()}
    verdicts = [(seq, d.verdict, d.reason, d.revision, bool(d.raw)) for seq, d in permitted.items()]
    rows = [
        (seq, *statement_key(draft), stated.encoded.decode())
        for seq, its in drafted.items()
        for draft, stated in zip(its, statements[seq], strict=True)
    ]
    done = await db.fetch(RESTATE, before, *columns_of(verdicts, 5), *columns_of(rows, 9))
    return {row[0]: Restated(permitted[row[0]], statements[row[0]]) for row in done}


async def _without_erased(db: Connection, deliveries: Mapping[int, Delivery]) -> dict[int, Delivery]:
    said = [
        (seq, delivery.tenant, statement.event.subject, statement.event.customer, statement.email)
        for seq, delivery in deliveries.items()
        for statement in delivery.statements
    ]
    erased: dict[int, set[str]] = {}
    for seq, subject in await db.fetch(ERASED, *columns_of(said, 5)):
        erased.setdefault(seq, set()).add(subject)
    return {seq: without(delivery, erased.get(seq, ())) for seq, delivery in deliveries.items()}


def without(delivery: Delivery, subjects: Collection[str]) -> Delivery:
    """The delivery less what it says of `subjects`, and less its body, which says it too; `erased` where nothing is left."""
    if not subjects:
        return delivery
    left = tuple(statement for statement in delivery.statements if statement.event.subject not in subjects)
    if left:
        return replace(delivery, statements=left, raw=b"")
    return replace(delivery, verdict="erased", reason=CUSTOMER_ERASED, statements=(), raw=b"")

"""Find and export everything that is held about a customer, and store and read the receipts of erasures."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from services.ingest.domain.delivery import StoredBody
from services.ingest.domain.left_out import LeftOut
from services.ingest.domain.receipt import Erased
from services.ingest.domain.tombstone import SQL_FINGERPRINT
from services.ingest.inbox.body_cipher import PLAIN, BodyCipher
from services.ingest.inbox.people import IS_OWN, MATCHING, Person, Target, find_person
from services.ingest.inbox.transactions import Connection
from services.ingest.inbox.unread import UnreadDelivery, load_unread

HOLDINGS = f"""
SELECT connections.id, connections.provider, connections.name, count(DISTINCT subject), count(DISTINCT (seq, position)),
    min(received_at), max(received_at)
FROM ({MATCHING}) AS matching JOIN connections ON connections.id = split_part(subject, '/', 1)
GROUP BY connections.id ORDER BY connections.created_at, connections.id
"""  # noqa: S608
PAGE = f"""
SELECT subject, sum(bytes) OVER (ORDER BY subject) - bytes FROM (
    SELECT subject, (
        SELECT coalesce(sum(octet_length(event) + coalesce(octet_length(raw), 0)), 0)::bigint
        FROM events JOIN inbox USING (seq) WHERE events.tenant = $1 AND events.subject = page.subject
    ) AS bytes FROM (
        SELECT DISTINCT subject FROM ({MATCHING}) AS matching WHERE subject > $8 ORDER BY subject LIMIT $9
    ) AS page
) AS measured ORDER BY subject
"""  # noqa: S608
"""The next subjects, and how many bytes the ones before them in the page have."""
STATEMENTS = f"""
SELECT subject, seq, event FROM events WHERE tenant = $1 AND subject = ANY($2::text[]) AND fingerprint <> {SQL_FINGERPRINT}
ORDER BY subject, seq, position
"""  # noqa: S608
BODIES = f"""
SELECT seq, connection, delivery, received_at, headers, raw, verdict, EXISTS (
    SELECT FROM events WHERE events.tenant = $1 AND events.seq = inbox.seq AND events.customer IS NOT NULL
    AND {IS_OWN} IS NOT TRUE
) AS names_others, body_key FROM inbox WHERE seq = ANY($8::bigint[]) ORDER BY seq
"""  # noqa: S608
RECEIPT = f"""
SELECT seq, headers, received_at, (SELECT count(*) FROM events WHERE events.seq = inbox.seq AND fingerprint = {SQL_FINGERPRINT}),
    EXISTS (SELECT FROM erasures WHERE erasures.seq = inbox.seq)
FROM inbox WHERE connection = $1 AND delivery = $2
"""  # noqa: S608
SET_RECEIPT = "UPDATE inbox SET headers = $2 WHERE seq = $1"

EXPORT_BYTES = 8 * 1024 * 1024
"""Of events and bodies in a page of an export."""

RECEIPT_HEADER = "receipt"
"""The name in `inbox.headers` under which an erasure stores what it did. It holds numbers and times only."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The data of a customer over one connection."""

    connection: str
    provider: str
    name: str
    subjects: int
    statements: int
    first_received: datetime
    last_received: datetime


@dataclass(frozen=True, slots=True)
class ExportedDelivery:
    """A delivery that stated something about the customer. `raw` is None if the body is deleted, or names other customers."""

    seq: int
    connection: str
    delivery: str | None
    received_at: datetime
    headers: dict[str, str]
    raw: bytes | None
    names_others: bool


@dataclass(slots=True)
class ExportedSubject:
    """A subject with its stored events, as JSON values, and their deliveries."""

    subject: str
    statements: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[ExportedDelivery] = field(default_factory=list)


class Customers:
    """Reads what is held about a customer. `pool` is that of the inbox."""

    def __init__(self, pool: asyncpg.Pool, cipher: BodyCipher = PLAIN) -> None:
        self._pool = pool
        self._cipher = cipher

    async def find(self, target: Target) -> tuple[Person, list[Holding]]:
        """The customer with everything that links reach, and what is held, by connection."""
        async with self._pool.acquire(timeout=5) as db, db.transaction(isolation="repeatable_read", readonly=True):
            person = await find_person(db, target)
            return person, [Holding(*row) for row in await db.fetch(HOLDINGS, *person.columns)]

    async def export(self, target: Target, after: str, limit: int) -> tuple[list[ExportedSubject], bool, Person]:
        """A page of an export: subjects, whether it is the last page, and the customer.

        The subjects come after the name `after`, in the order of their names, with all that is stored about them: at most
        `limit`, and none that begins after EXPORT_BYTES.
        """
        async with self._pool.acquire(timeout=5) as db, db.transaction(isolation="repeatable_read", readonly=True):
            person = await find_person(db, target)
            sizes = await db.fetch(PAGE, *person.columns, after, limit + 1)
            names = [row[0] for row in sizes if row[1] < EXPORT_BYTES][:limit]
            rows = await db.fetch(STATEMENTS, target.tenant, names)
            deliveries = await self._deliveries(db, {row[1] for row in rows}, person)
        subjects = {name: ExportedSubject(name) for name in names}
        seqs: dict[str, dict[int, None]] = {name: {} for name in names}
        for name, seq, event in rows:
            subjects[name].statements.append(msgspec.json.decode(event))
            seqs[name][seq] = None
        for name, subject in subjects.items():
            subject.deliveries = [deliveries[seq] for seq in seqs[name] if seq in deliveries]
        return list(subjects.values()), len(names) == len(sizes), person

    async def unread(self, target: Target) -> tuple[frozenset[str], list[UnreadDelivery], bool]:
        """The customer's pseudonyms; the newest unread deliveries, which may name the customer; whether these are all."""
        async with self._pool.acquire(timeout=5) as db, db.transaction(isolation="repeatable_read", readonly=True):
            person = await find_person(db, target)
        return person.searched_names, *await load_unread(self._pool, target.tenant, self._cipher)

    async def _deliveries(self, db: Connection, seqs: Collection[int], person: Person) -> dict[int, ExportedDelivery]:
        rows = await db.fetch(BODIES, *person.columns, sorted(seqs))
        decrypted = await self._cipher.decrypt([StoredBody(row[1], row[2], row[5] or b"", row[8], row[4]) for row in rows])
        return {
            r[0]: ExportedDelivery(r[0], r[1], r[2], r[3], body.headers, None if r[7] or r[5] is None else body.raw, r[7])
            for r, body in zip(rows, decrypted, strict=True)
        }

    async def receipt(self, connection: str, delivery: str) -> tuple[int, Erased] | None:
        """The sequence number of the erasure that was requested under this delivery id, and what it did. None if there is none.

        A version without receipts stored no numbers of statements and bodies.
        """
        row = await self._pool.fetchrow(RECEIPT, connection, delivery)
        if row is None:
            return None
        seq, headers, received_at, tombstones, is_searching = row
        if stored := json.loads(headers).get(RECEIPT_HEADER):
            return seq, msgspec.json.decode(stored, type=Erased)
        return seq, Erased(
            at=received_at,
            subjects=tombstones,
            statements=None,
            bodies=None,
            bodies_to_search=None if is_searching else 0,
            pending=False,
            complete=False,
            left_out=(LeftOut("not_recorded"),),
        )


async def store_receipt(db: Connection, seq: int, headers: dict[str, str], erased: Erased) -> None:
    """Store what an erasure did, beside the headers of its delivery."""
    receipt = msgspec.json.encode(erased).decode()
    await db.execute(SET_RECEIPT, seq, json.dumps({**headers, RECEIPT_HEADER: receipt}))

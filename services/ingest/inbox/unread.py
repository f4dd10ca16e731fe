"""Deliveries of a tenant that are not read yet: quarantined, held, or waiting for a tool's API."""

from dataclasses import dataclass

import asyncpg

from services.ingest.domain.delivery import StoredDelivery
from services.ingest.inbox.body_cipher import COLUMNS, BodyCipher, load_deliveries

MOST_BODIES = 1_000
MOST_BYTES = 4 * 1024 * 1024
"""Bounds of one search. The newest deliveries come first."""

SIZES = """
SELECT seq, sum(octet_length(raw)) OVER (ORDER BY seq DESC) - octet_length(raw) FROM inbox WHERE raw IS NOT NULL AND seq IN (
    (SELECT seq FROM inbox WHERE tenant = $1 AND verdict = 'quarantined' ORDER BY seq DESC LIMIT $2)
    UNION ALL (SELECT seq FROM inbox WHERE verdict = 'held' AND connection = ANY(
        ARRAY(SELECT id FROM connections WHERE connections.tenant = $1)
    ) ORDER BY seq DESC LIMIT $2)
    UNION ALL (SELECT seq FROM fetches WHERE tenant = $1 ORDER BY seq DESC LIMIT $2)
) ORDER BY seq DESC LIMIT $2
"""
"""The sequence numbers, and how many bytes the newer ones have."""
LOAD = f"SELECT {COLUMNS} FROM inbox WHERE seq = ANY($1::bigint[]) ORDER BY seq DESC"  # noqa: S608
DETAILS = """
SELECT inbox.seq, inbox.verdict, connections.provider FROM inbox JOIN connections ON connections.id = inbox.connection
WHERE inbox.seq = ANY($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class UnreadDelivery:
    """A delivery that is not read yet, with its verdict and the provider of its connection."""

    stored: StoredDelivery
    verdict: str
    provider: str


async def load_unread(pool: asyncpg.Pool, tenant: str, cipher: BodyCipher) -> tuple[list[UnreadDelivery], bool]:
    """The tenant's newest unread deliveries, and whether these are all."""
    sizes = await pool.fetch(SIZES, tenant, MOST_BODIES + 1)
    seqs = [row[0] for row in sizes if row[1] < MOST_BYTES][:MOST_BODIES]
    stored = await load_deliveries(cipher, await pool.fetch(LOAD, seqs))
    details = {row[0]: (row[1], row[2]) for row in await pool.fetch(DETAILS, seqs)}
    return [UnreadDelivery(delivery, *details[delivery.seq]) for delivery in stored if delivery.seq in details], len(seqs) == len(
        sizes
    )

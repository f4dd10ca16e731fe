"""Which comments were made, by the name of their text."""

import asyncpg

from shared.events import comments, decode_event, text_hash

SAID = "SELECT event FROM events WHERE tenant = $1 AND subject = $2 ORDER BY seq DESC, position DESC"
AT_ONCE = 20


class Comments:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def made(self, tenant: str, subject: str, comment: str) -> bool:
        """Whether the tenant's `subject` ever made the comment whose text's hash is `comment`; an erased one made none.

        A subject of any length is read a few statements at a time.
        """
        async with self._pool.acquire(timeout=5) as db, db.transaction(readonly=True):
            async for row in db.cursor(SAID, tenant, subject, prefetch=AT_ONCE):
                if any(text_hash(text) == comment for text, _ in comments(decode_event(row[0]).body)):
                    return True
        return False

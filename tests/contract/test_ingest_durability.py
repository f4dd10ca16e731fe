"""A 2xx means that it is on disk: when `take` returns, PostgreSQL has flushed all that the delivery wrote.

Killing the server seldom shows a commit that didn't wait for the disk, since another comes by within milliseconds and flushes
for both. The server's own log positions show it each time: what was written into the log, and how far it is flushed.
"""

import pytest

from tests.conftest import NewDatabase
from tests.contract.ingest_world import Inbox, emptied, erasure, opened, said

FLUSHED = "SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()"
TIMES = 20
OFTEN = 12
"""Now and then the server writes something of its own between an answer and our look."""


async def flushed(inbox: Inbox) -> bool:
    return bool(await inbox.pool.fetchval(FLUSHED))


@pytest.fixture(scope="module")
async def url(database: NewDatabase) -> str:
    return await database("ingest")


async def test_what_is_taken_is_flushed_before_it_is_told(url: str) -> None:
    async with emptied(url), opened(url) as inbox:
        found = []
        for number in range(TIMES):
            assert await inbox.take(said(9, id=str(number), subject=f"r-{number}")) == ["accepted"]
            found.append(await flushed(inbox))
    assert sum(found) >= OFTEN


async def test_so_is_an_erasure(url: str) -> None:
    async with emptied(url), opened(url) as inbox:
        found = []
        for number in range(TIMES):
            customer = {"id": f"anna-{number}"}
            await inbox.take(said(9, id=str(number), subject=f"r-{number}", customer=customer))
            assert await inbox.take(erasure(customer)) == ["accepted"]
            found.append(await flushed(inbox))
    assert sum(found) >= OFTEN

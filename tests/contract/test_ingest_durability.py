"""A 2xx means that the delivery is on disk: when `commit` returns, PostgreSQL has flushed everything it wrote.

Killing the server seldom shows a commit that didn't wait for the disk, since another comes by within milliseconds and flushes
for both. The server's own log positions show it each time: how far the log is written, and how far it is flushed.
"""

from tests.contract.inbox import Inbox, empty_tables, erasure_delivery, nps_delivery, open_inbox

FLUSHED = "SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()"
TIMES = 20
OFTEN = 12
"""Not every time: between the commit and our query PostgreSQL may write something of its own."""


async def flushed(inbox: Inbox) -> bool:
    return bool(await inbox.pool.fetchval(FLUSHED))


async def test_a_delivery_is_flushed_to_disk_before_it_is_acknowledged(ingest_url: str) -> None:
    async with empty_tables(ingest_url), open_inbox(ingest_url) as inbox:
        outcomes = []
        for number in range(TIMES):
            assert await inbox.deliver(nps_delivery(9, id=str(number), subject=f"r-{number}")) == ["accepted"]
            outcomes.append(await flushed(inbox))
    assert sum(outcomes) >= OFTEN


async def test_an_erasure_is_flushed_to_disk_before_it_is_acknowledged(ingest_url: str) -> None:
    async with empty_tables(ingest_url), open_inbox(ingest_url) as inbox:
        outcomes = []
        for number in range(TIMES):
            customer = {"id": f"anna-{number}"}
            await inbox.deliver(nps_delivery(9, id=str(number), subject=f"r-{number}", customer=customer))
            assert await inbox.deliver(erasure_delivery(customer)) == ["accepted"]
            outcomes.append(await flushed(inbox))
    assert sum(outcomes) >= OFTEN

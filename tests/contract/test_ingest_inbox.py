"""The inbox on a real PostgreSQL: each delivery is stored once, also under concurrent retries."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from deploy.local.servers import Postgres, free_port
from services.ingest.inbox import locks
from services.ingest.inbox.committer import Committer
from services.ingest.store.event_log import EventLog
from shared.migrations import upgrade
from shared.problems import Unavailable
from tests.conftest import SERVICES
from tests.contract.inbox import Inbox, nps_delivery, open_inbox


@asynccontextmanager
async def second_committer(inbox: Inbox) -> AsyncIterator[Inbox]:
    """A second, single committer on the same database: deliveries that it gets together share a transaction."""
    one = Inbox(inbox.pool, Committer(inbox.pool, lambda events: None, 10_000))
    running = asyncio.create_task(one.committer.run())
    yield one
    running.cancel()


async def test_an_accepted_delivery_is_stored_with_its_statement_and_published(inbox: Inbox) -> None:
    assert await inbox.deliver(nps_delivery(9, id="msg_1")) == ["accepted"]
    [event] = await inbox.events()
    assert (event.statement, event.subject) == ("msg_1#0", "con_1/response/r-1")
    assert [published.event for published in inbox.published] == [event]
    row = await inbox.pool.fetchrow("SELECT seq, delivery, raw, verdict FROM inbox")
    assert tuple(row) == (event.seq, "msg_1", b"raw", "accepted")
    assert await inbox.pool.fetchval("SELECT seq FROM unpublished") == event.seq


async def test_a_quarantined_delivery_that_is_accepted_on_retry_is_queued(inbox: Inbox) -> None:
    quarantined = replace(
        nps_delivery(9, id="msg_1"), verdict="quarantined", reason="a question without a mapping", statements=()
    )
    assert await inbox.deliver(quarantined) == ["quarantined"]
    assert await inbox.pool.fetchval("SELECT count(*) FROM unpublished") == 0
    seq = await inbox.pool.fetchval("SELECT seq FROM inbox")
    assert await inbox.committer.commit_again(seq, nps_delivery(9, id="msg_1")) == "accepted"
    assert await inbox.pool.fetchval("SELECT seq FROM unpublished") == seq
    assert [published.event for published in inbox.published] == await inbox.events()


async def test_of_many_concurrent_retries_one_is_accepted(inbox: Inbox) -> None:
    outcomes = await inbox.deliver(*[nps_delivery(9, id="msg_1") for _ in range(200)])
    assert sorted(set(outcomes)) == ["accepted", "duplicate"]
    assert outcomes.count("accepted") == 1
    assert await inbox.deliver(nps_delivery(9, id="msg_1")) == ["duplicate"]
    assert len(await inbox.events()) == 1


async def test_two_replicas_accept_a_delivery_once(inbox: Inbox) -> None:
    async with second_committer(inbox) as other:
        both = await asyncio.gather(
            *[one.deliver(*[nps_delivery(9, id=f"msg_{n}") for n in range(100)]) for one in (inbox, other)]
        )
    for mine, theirs in zip(*both, strict=True):
        assert sorted((mine, theirs)) == ["accepted", "duplicate"]


async def test_the_same_id_over_two_connections_is_two_deliveries(inbox: Inbox) -> None:
    assert (
        await inbox.deliver(nps_delivery(9, id="msg_1"), replace(nps_delivery(9, id="msg_1"), connection="con_2"))
        == ["accepted"] * 2
    )


async def test_without_an_id_only_a_repeat_of_the_newest_is_a_duplicate(inbox: Inbox) -> None:
    outcomes = [(await inbox.deliver(nps_delivery(value)))[0] for value in (9, 9, 3, 9, 9)]
    assert outcomes == ["accepted", "duplicate", "accepted", "accepted", "duplicate"]
    assert len({event.statement for event in await inbox.events()}) == 3


async def test_the_same_holds_inside_one_transaction(inbox: Inbox) -> None:
    async with second_committer(inbox) as alone:
        outcomes = await alone.committer.commit_all([nps_delivery(value) for value in (9, 9, 3, 9, 9)])
    assert outcomes == ["accepted", "duplicate", "accepted", "accepted", "duplicate"]


async def test_without_an_id_equal_concurrent_deliveries_are_accepted_once(inbox: Inbox) -> None:
    async with second_committer(inbox) as other:
        outcomes = await asyncio.gather(*[one.deliver(nps_delivery(9)) for _ in range(50) for one in (inbox, other)])
    assert sum(outcome == ["accepted"] for outcome in outcomes) == 1


async def test_a_delivery_with_an_id_counts_as_the_newest(inbox: Inbox) -> None:
    assert await inbox.deliver(nps_delivery(9)) == ["accepted"]
    assert await inbox.deliver(nps_delivery(3, id="msg_1")) == ["accepted"]
    assert await inbox.deliver(nps_delivery(9)) == ["accepted"]
    assert await inbox.deliver(nps_delivery(9, id="msg_2")) == ["accepted"]
    assert await inbox.deliver(nps_delivery(9)) == ["duplicate"]


async def test_equal_subjects_of_two_tenants_are_separate(inbox: Inbox) -> None:
    assert await inbox.deliver(nps_delivery(9)) == ["accepted"]
    assert await inbox.deliver(nps_delivery(9, tenant="other")) == ["accepted"]
    assert await inbox.deliver(nps_delivery(9)) == ["duplicate"], "the newest of its own tenant's subject"


async def test_one_delivery_that_the_database_refuses_does_not_affect_the_others(inbox: Inbox) -> None:
    poison = replace(nps_delivery(9, id="bad"), tenant="a\0b")
    async with second_committer(inbox) as alone:
        outcomes = await alone.committer.commit_all(
            [nps_delivery(1, id="a", subject="a"), poison, nps_delivery(2, id="b", subject="b")]
        )
    assert outcomes[::2] == ["accepted", "accepted"]
    assert isinstance(outcomes[1], Unavailable)
    assert len(await inbox.events()) == 2


async def test_a_full_queue_raises_at_once(inbox: Inbox) -> None:
    nobody_commits = Committer(inbox.pool, lambda events: None, limit=3)
    answers = [asyncio.create_task(nobody_commits.commit(nps_delivery(9, id=str(n)))) for n in range(4)]
    with pytest.raises(Unavailable) as refusal:
        await answers[3]
    assert refusal.value.headers == {"Retry-After": "1"}
    assert not any(answer.done() for answer in answers[:3])
    for answer in answers:
        answer.cancel()


async def test_a_delivery_whose_request_has_ended_is_not_stored(inbox: Inbox) -> None:
    """Its sender was answered 503 and sends it again."""
    committer = Committer(inbox.pool, lambda events: None, 10_000)
    ended = asyncio.create_task(committer.commit(nps_delivery(9, id="ended")))
    waiting = asyncio.create_task(committer.commit(nps_delivery(9, id="waiting", subject="r-2")))
    await asyncio.sleep(0)
    ended.cancel()
    await asyncio.sleep(0)
    running = asyncio.create_task(committer.run())
    assert await waiting == "accepted"
    running.cancel()
    assert [event.statement for event in await inbox.events()] == ["waiting#0"]


async def test_overlapping_concurrent_batches_neither_deadlock_nor_lose_anything(inbox: Inbox) -> None:
    rng = random.Random(1)

    async def post(committer: Committer) -> list[str]:
        deliveries = [nps_delivery(n % 10, id=f"m{n}" if n % 2 else None, subject=f"r{n % 7}") for n in rng.sample(range(60), 30)]
        return [str(outcome) for outcome in await committer.commit_all(deliveries)]

    async with second_committer(inbox) as second, second_committer(inbox) as third:
        outcomes = await asyncio.gather(*[post(one.committer) for _ in range(10) for one in (inbox, second, third)])
    assert {outcome for batch in outcomes for outcome in batch} == {"accepted", "duplicate"}
    named = await inbox.pool.fetch("SELECT delivery, count(*) FROM inbox WHERE delivery IS NOT NULL GROUP BY delivery")
    assert {row[1] for row in named} == {1}
    assert sum(batch.count("accepted") for batch in outcomes) == len(await inbox.events())


async def test_head_waits_for_the_numbers_below_it(inbox: Inbox) -> None:
    await inbox.deliver(nps_delivery(9, id="msg_1"))
    event_log = EventLog(inbox.pool, locks.ARRIVALS)
    first = await event_log.head()
    async with inbox.pool.acquire() as db:
        async with db.transaction():
            await db.execute(locks.LOCK_SHARED, [locks.ARRIVALS])
            held = await db.fetchval("SELECT nextval('inbox_seq')")
            head = asyncio.create_task(event_log.head())
            await asyncio.sleep(0.2)
            assert not head.done()
            assert await event_log.latest_seq() == first.seq, "it waits for nothing"
            await db.execute(
                "INSERT INTO inbox (seq, tenant, connection, received_at, headers, verdict, revision) "
                "VALUES ($1, 'acme', 'c', now(), '{}', 'ignored', 1)",
                held,
            )
        assert (await head).seq == held > first.seq


async def test_in_an_outage_all_waiting_deliveries_fail_promptly_and_later_ones_succeed() -> None:
    with tempfile.TemporaryDirectory(prefix="earshot-ingest-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "postgres", free_port())
        await server.start()
        url = await server.create_database("ingest")
        await asyncio.to_thread(upgrade, url, SERVICES / "ingest" / "migrations")
        async with open_inbox(url) as inbox:
            assert await inbox.deliver(nps_delivery(9, id="before")) == ["accepted"]
            await server.stop()
            begin = time.monotonic()
            outcomes = await inbox.committer.commit_all([nps_delivery(9, id=str(n)) for n in range(600)])
            assert {type(one) for one in outcomes} == {Unavailable}
            assert time.monotonic() - begin < 4
            await server.start()
            assert await inbox.deliver(nps_delivery(9, id="after")) == ["accepted"]
            assert [event.statement for event in await inbox.events()] == ["before#0", "after#0"]
        await server.stop()

"""Replays on a real PostgreSQL: their steps, their resumption, their turns, and what they leave to live events."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.ingest.domain.receive import receive_record
from services.ingest.gauges import replay_gauges
from services.ingest.inbox import locks, replays
from services.ingest.inbox.outbox import claim_comments, mark_published, oldest_receipt
from services.ingest.inbox.replays import ALL_TENANTS, ReplaySteps, find_ends
from services.ingest.inbox.selection import Selection
from services.ingest.inbox.transactions import Connection
from services.ingest.instruments import REPLAYS_RUNNING, REPLAYS_SECONDS
from services.ingest.relay import Relay
from services.ingest.replayer import Replayer
from services.ingest.store.event_log import EventLog
from shared.instruments import registry_of
from tests.contract.inbox import Broker, Inbox, nps_delivery, until
from tests.contract.replays import all_handed_over, current, deliver, publish, waiting
from tests.unit.ingest.making import connection, nps, response

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"BATCH": 4, "SPAN": 6, "MOST_WAITING": 8}.items():
        monkeypatch.setattr(replays, name, value)


async def test_a_replay_larger_than_a_step_goes_on_in_another_process(inbox: Inbox) -> None:
    seqs = await deliver(inbox, 11)
    replay = await Replayer(inbox.pool).add(Selection("acme"))
    assert await Replayer(inbox.pool).step()
    assert await waiting(inbox) == seqs[:4]
    half = await current(inbox.pool, replay)
    assert (half.state, half.queued, half.finished) == ("running", 4, None)
    assert 0 < half.progress < 1
    other = Replayer(inbox.pool)
    assert await other.step()
    assert await waiting(inbox) == seqs[:8]
    await publish(inbox)
    while await other.step():
        pass
    assert await waiting(inbox) == seqs[8:]
    done = await current(inbox.pool, replay)
    assert (done.state, done.queued, done.progress) == ("done", 11, 1.0)


async def test_the_head_counts_what_a_replay_has_yet_to_publish(inbox: Inbox) -> None:
    seqs = await deliver(inbox, 11)
    event_log = EventLog(inbox.pool, locks.ARRIVALS)
    await Replayer(inbox.pool).add(Selection("acme"))
    for _ in range(2):
        assert (await event_log.head()).unpublished >= 11
        await ReplaySteps(inbox.pool).do_next()
    await publish(inbox)
    assert 3 <= (await event_log.head()).unpublished <= seqs[-1] - seqs[7]
    assert await all_handed_over(inbox) == seqs[8:]
    assert (await event_log.head()).unpublished == 0


async def test_a_step_whose_process_dies_is_done_again_as_a_whole(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    seqs = await deliver(inbox, 6)
    replay = await Replayer(inbox.pool).add(Selection("acme"))
    hand_over = replays.hand_over

    async def die(db: Connection, row: asyncpg.Record) -> None:
        await hand_over(db, row)
        await inbox.pool.execute("SELECT pg_terminate_backend($1)", db.get_server_pid())
        await db.execute("SELECT 1")

    with monkeypatch.context() as patch:
        patch.setattr(replays, "hand_over", die)
        with pytest.raises(Exception, match=r"terminat|clos"):
            await ReplaySteps(inbox.pool).do_next()
    assert await waiting(inbox) == []
    assert (await current(inbox.pool, replay)).queued == 0
    while await Replayer(inbox.pool).step():
        pass
    assert await waiting(inbox) == seqs


async def test_a_delivery_whose_comments_are_on_their_way_is_published_whole(inbox: Inbox) -> None:
    seqs = await deliver(inbox, 3)
    await inbox.pool.execute(
        "INSERT INTO unpublished (seq, due, tenant, comments) SELECT seq, now(), 'acme', 75 FROM unnest($1::bigint[]) AS seq",
        seqs,
    )
    claim = await claim_comments(inbox.pool, 1_000)
    await Replayer(inbox.pool).add(Selection("acme"))
    await ReplaySteps(inbox.pool).do_next()
    await mark_published(inbox.pool, claim.seqs, comments=True)
    assert (claim.seqs, await waiting(inbox)) == (seqs, seqs)


async def test_one_process_works_on_replays_at_a_time(inbox: Inbox) -> None:
    await deliver(inbox, 1)
    await Replayer(inbox.pool).add(Selection("acme"))
    async with inbox.pool.acquire() as db, db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock($1)", locks.REPLAYS)
        assert await ReplaySteps(inbox.pool).do_next() == "none"
    assert await ReplaySteps(inbox.pool).do_next() != "none"


async def test_a_replay_waits_for_room_in_the_outbox_whatever_else_waits_there(inbox: Inbox) -> None:
    await deliver(inbox, 12)
    await inbox.deliver(*[nps_delivery(9, id=f"flood-{n}", subject=f"f-{n}", tenant="flood") for n in range(20)])
    await Replayer(inbox.pool).add(Selection("acme"))
    steps = [await ReplaySteps(inbox.pool).do_next() for _ in range(3)]
    assert [step == "full" for step in steps] == [False, False, True]
    assert len(await waiting(inbox)) == 20 + 8
    await inbox.pool.execute("UPDATE unpublished SET comments = 75 WHERE tenant = 'acme'")
    assert await ReplaySteps(inbox.pool).do_next() != "full", "published events, of which comments wait for sentiment, leave room"


async def test_tenants_take_turns_and_replays_over_the_same_deliveries_become_one(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "MOST_WAITING", 100)
    await deliver(inbox, 8, "acme")
    await deliver(inbox, 8, "other")
    replayer = Replayer(inbox.pool)
    for selection in (Selection("acme"), Selection("acme", since=NOON - timedelta(days=365)), Selection("other")):
        await replayer.add(selection)
    turns: list[str] = []
    while isinstance(worked := await ReplaySteps(inbox.pool).do_next(), replays.Replay):
        turns.append(worked.selection.tenant)
        apart = await inbox.pool.fetchval("SELECT max(reached) - min(reached) FROM replays WHERE tenant = 'acme'")
        assert apart <= replays.SPAN
    assert turns[:4] in (["acme", "other", "acme", "other"], ["other", "acme", "other", "acme"])
    assert await inbox.pool.fetchval("SELECT sum(queued) FROM replays WHERE tenant = 'acme'") == 8


async def test_deliveries_are_looked_up_by_their_receipt_although_clocks_differ(inbox: Inbox) -> None:
    """Two processes whose clocks are 40 minutes apart take turns."""
    for hour in range(24):
        for minutes in (0, -40):
            at = NOON + timedelta(hours=hour, minutes=minutes)
            record = response(nps(9), id=f"{hour}-{minutes}")
            await inbox.deliver(receive_record(connection(tenant="acme"), record, f"{hour}{minutes}", b"raw", at))
    await publish(inbox)
    for first, last in ((0, 23), (4, 8), (5, 9), (6, 10), (7, 11), (23, 23), (30, 40)):
        since, until = NOON + timedelta(hours=first, minutes=-10), NOON + timedelta(hours=last, minutes=-10)
        await Replayer(inbox.pool).add(Selection("acme", since=since, until=until))
        expected = [row[0] for row in await inbox.pool.fetch(
            "SELECT seq FROM events WHERE received_at >= $1 AND received_at < $2 ORDER BY seq", since, until
        )]  # fmt: skip
        assert await all_handed_over(inbox) == expected
        begin, end = await find_ends(inbox.pool, since, until)
        assert end - begin <= len(expected) + 6, "only about as many are looked through"


async def test_a_subject_and_a_connection_narrow_a_replay(inbox: Inbox) -> None:
    seqs = await deliver(inbox, 9)
    [name] = {event.connection for event in await inbox.events()}
    subject = f"{name}/response/r-7"
    replayer = Replayer(inbox.pool)
    await replayer.add(Selection("acme", subject=subject))
    assert await all_handed_over(inbox) == [seqs[7]]
    await replayer.add(Selection("acme", name))
    assert await all_handed_over(inbox) == seqs
    await replayer.add(Selection("acme", "con_other"))
    await replayer.add(Selection("stranger"))
    assert await all_handed_over(inbox) == []


async def test_a_replay_whose_steps_fail_holds_up_no_other(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    await deliver(inbox, 2)
    seqs = await deliver(inbox, 2, "other")
    replayer, hand_over = Replayer(inbox.pool), replays.hand_over
    await replayer.add(Selection("acme"), "a")
    await replayer.add(Selection("other"), "b")

    async def refuse(db: Connection, row: asyncpg.Record) -> None:
        if row["tenant"] == "acme":
            await db.execute("SELECT 1 / 0")
        await hand_over(db, row)

    monkeypatch.setattr(replays, "hand_over", refuse)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await replayer.step()
    assert await replayer.step()
    assert await waiting(inbox) == seqs
    assert not await replayer.step()
    monkeypatch.setattr(replays, "FAILED_SECONDS", 0.0)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await Replayer(inbox.pool).step()


async def test_the_gauges_say_since_when_a_replay_has_made_no_step(inbox: Inbox) -> None:
    await deliver(inbox, 9)
    registry = registry_of([REPLAYS_RUNNING, REPLAYS_SECONDS])

    async def values() -> tuple[float, float]:
        await replay_gauges(inbox.pool)()
        running, seconds = (registry.get_sample_value(f"earshot_ingest_replays_{name}") for name in ("running", "seconds"))
        assert running is not None
        assert seconds is not None
        return running, seconds

    assert await values() == (0, 0)
    await Replayer(inbox.pool).add(Selection("acme"))
    await inbox.pool.execute("UPDATE replays SET added = now() - interval '1 hour'")
    assert await values() == (1, pytest.approx(3600, abs=60))
    await ReplaySteps(inbox.pool).do_next()
    assert await values() == (1, pytest.approx(0, abs=60))
    ahead = await Replayer(inbox.pool).add(Selection("acme", subject="r-1"))
    await inbox.pool.execute(
        "UPDATE replays SET added = now() - interval '1 hour', reached = reached + 6 WHERE id = $1", ahead.id
    )
    assert await values() == (2, pytest.approx(0, abs=60)), "the tenant's other replay makes steps"
    await all_handed_over(inbox)
    assert await values() == (0, 0)


async def test_live_records_name_the_receipt_of_what_a_replay_has_yet_to_publish(inbox: Inbox) -> None:
    """A consumer that loses them requests a replay that begins early enough for the rest of the first one."""
    await deliver(inbox, 9)
    received = [row[0] for row in await inbox.pool.fetch("SELECT received_at FROM events ORDER BY seq")]
    await Replayer(inbox.pool).add(Selection(ALL_TENANTS))
    assert await oldest_receipt(inbox.pool) == received[0]
    await ReplaySteps(inbox.pool).do_next()
    await publish(inbox)
    assert await oldest_receipt(inbox.pool) == received[3]
    assert await all_handed_over(inbox)
    assert await oldest_receipt(inbox.pool) is None


async def test_a_replay_is_published_by_the_running_workers(inbox: Inbox) -> None:
    seqs = await deliver(inbox, 30)
    broker = Broker()
    relay, replayer = Relay(inbox.pool, broker), Replayer(inbox.pool)
    workers = [asyncio.create_task(work()) for work in (relay.sweep, replayer.run)]
    try:
        replay = await replayer.wait(await replayer.add(Selection(ALL_TENANTS), "all"), 20)
        assert (replay.state, replay.queued) == ("done", 30)

        async def is_published() -> bool:
            return len(broker.sent) >= 30

        await until(is_published, 10)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    assert [event.seq for event in broker.events] == seqs

"""Requests for a replay on a real PostgreSQL: repeated ones, those after another loss, and too many of them."""

from datetime import UTC, datetime

import asyncpg
import pytest

from services.ingest.inbox import replays
from services.ingest.inbox.replays import ALL_TENANTS
from services.ingest.inbox.selection import Selection
from services.ingest.inbox.transactions import Connection
from services.ingest.replayer import Replayer
from shared.problems import Conflict
from tests.contract.inbox import Inbox
from tests.contract.replays import all_handed_over, current, deliver, publish, waiting

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "BATCH", 4)


async def test_a_repeated_request_adds_no_replay(inbox: Inbox) -> None:
    await deliver(inbox, 6)
    replayer = Replayer(inbox.pool)
    selection = Selection(ALL_TENANTS, since=NOON)
    first = await replayer.add(selection, "loss-1")
    assert await replayer.add(selection, "loss-1") == first
    with pytest.raises(Conflict, match="another replay has this id"):
        await replayer.add(Selection(ALL_TENANTS), "loss-1")
    assert (await replayer.add(selection)).id == "loss-1", "a request of a former version has no id"
    await replayer.step()
    assert (await replayer.add(selection)).id != "loss-1", "what it has come past may be lost again"
    while await replayer.step():
        pass
    assert (await replayer.add(selection, "loss-1")).state == "done"
    assert (await replayer.add(selection)).id != "loss-1", "a later loss is another one"
    assert (await replayer.add(Selection("acme", since=NOON), "loss-1")).selection.tenant == "acme", "ids are a tenant's own"


async def test_a_repeated_request_after_a_second_loss_covers_what_was_published_since_the_first(inbox: Inbox) -> None:
    seqs = await deliver(inbox, 6)
    replayer, selection = Replayer(inbox.pool), Selection(ALL_TENANTS)
    first = await replayer.add(selection, "loss-1", renews=True)
    seqs += await deliver(inbox, 3, "other")
    extended = await replayer.add(selection, "loss-1", renews=True)
    assert (extended.id, extended.upto) == (first.id, seqs[-1]), "it has not begun, so it is extended"
    await replayer.step()
    await publish(inbox)
    seqs += await deliver(inbox, 2, "third")
    renewed = await replayer.add(selection, "loss-1", renews=True)
    assert renewed.id != first.id
    assert (await replayer.add(selection, "loss-1", renews=True)).id == renewed.id, "the new one has not begun"
    assert sorted({*await all_handed_over(inbox)}) == seqs, "also what the first one has published"
    assert (await current(inbox.pool, first)).state == (await current(inbox.pool, renewed)).state == "done"
    after = await replayer.add(selection, "loss-1", renews=True)
    assert (after.state, after.id in (first.id, renewed.id)) == ("running", False)
    with pytest.raises(Conflict, match="another replay has this id"):
        await replayer.add(Selection(ALL_TENANTS, since=NOON), "loss-1", renews=True)


async def test_a_replay_is_extended_while_its_first_step_runs(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    seqs = await deliver(inbox, 3)
    replayer, selection = Replayer(inbox.pool), Selection(ALL_TENANTS)
    replay = await replayer.add(selection)
    hand_over = replays.hand_over

    async def extend(db: Connection, row: asyncpg.Record) -> None:
        seqs.extend(await deliver(inbox, 1, "other"))
        assert (await replayer.add(selection)).id == replay.id
        await hand_over(db, row)

    with monkeypatch.context() as patch:
        patch.setattr(replays, "hand_over", extend)
        await replayer.step()
    assert (await current(inbox.pool, replay)).state == "running"
    assert [*await waiting(inbox), *await all_handed_over(inbox)][-1] == seqs[-1]


async def test_a_replay_that_begins_while_it_is_looked_up_is_not_extended(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first step ends between the look-up and the change: here the look-up finds a replay that has begun."""
    await deliver(inbox, 6)
    replayer, selection = Replayer(inbox.pool), Selection(ALL_TENANTS)
    begun = await replayer.add(selection)
    await replayer.step()
    assert " AND worked IS NULL" in replays.NOT_BEGUN
    monkeypatch.setattr(replays, "NOT_BEGUN", replays.NOT_BEGUN.replace(" AND worked IS NULL", ""))
    assert (await replayer.add(selection)).id != begun.id


async def test_the_number_of_replays_in_progress_is_limited(inbox: Inbox) -> None:
    replayer = Replayer(inbox.pool)
    for number in range(replays.MOST_REPLAYS):
        await replayer.add(Selection("acme"), f"r-{number}")
    with pytest.raises(Conflict, match="10 replays are in progress"):
        await replayer.add(Selection("acme"), "r-10")
    await replayer.add(Selection("other"), "r-10")

"""Values that nothing uses after an erasure are deleted; those that are used, or looked up meanwhile, never."""

from datetime import timedelta

from services.metrics.purger import GRACE, Purger
from services.metrics.store import purges
from services.metrics.store.interning import REMEMBERED_SECONDS, Interner
from services.metrics.store.writer import Writer
from shared.events import Theme
from tests.service.metrics.test_verify import Inbox, ago, failed, verified
from tests.service.metrics.world import World, answered, erasure, score_of
from tests.unit.metrics.build import nps, words

AT_ONCE = timedelta(0)


async def values(world: World) -> set[str]:
    rows = await world.pool.fetch("SELECT pseudonym FROM customers UNION ALL SELECT term FROM terms")
    return {row[0] for row in rows}


async def purge(world: World, times: int = 1, grace: timedelta = AT_ONCE) -> None:
    for _ in range(times):
        await world.pool.execute("UPDATE purges SET due = now()")
        await Purger(world.pool, grace).step()


async def two_customers(world: World) -> Inbox:
    told = {"p1": "anna's own segment", "p2": "everybody's"}
    events = [
        answered(n, nps(9), at=ago(30 + n), customer=name, dimensions={"segment": segment})
        for n, (name, segment) in enumerate(told.items(), 1)
    ]
    await world.take(*events)
    await world.seal()
    events.append(erasure("c1/response/1", ago(1)))
    await world.take(events[-1])
    return Inbox(events)


async def test_after_an_erasure_the_pseudonym_and_values_that_only_this_customer_had_are_deleted(world: World) -> None:
    inbox = await two_customers(world)
    assert {"p1", "anna's own segment"} <= await values(world)
    await world.seal()
    await purge(world, times=3)
    assert await values(world) == {"p2", "everybody's", "c1", "standard"}
    assert failed(await verified(world, inbox)) == []
    assert await world.pool.fetchval("SELECT count(*) FROM purges") == 0


async def test_nothing_is_deleted_before_every_process_has_forgotten_its_number(world: World) -> None:
    await two_customers(world)
    await world.seal()
    await purge(world, times=3, grace=GRACE)
    assert "p1" in await values(world)
    assert await world.pool.fetchval("SELECT count(*) FROM purges WHERE due > now() + interval '23 hours'") == 1
    assert timedelta(seconds=100 * REMEMBERED_SECONDS) < GRACE


async def test_a_customer_who_comes_back_before_the_deletion_keeps_the_number(world: World) -> None:
    """Once by a process that remembers it, and once by one that looks it up."""
    for writer in (world.writer, Writer(world.pool)):
        world.writer = writer
        inbox = await two_customers(world)
        await purge(world)
        again = answered(7, nps(3), at=ago(2), customer="p1", dimensions={"segment": "anna's own segment"})
        await world.take(again)
        await purge(world, times=2)
        assert {"p1", "anna's own segment"} <= await values(world)
        inbox.events.append(again)
        assert failed(await verified(world, inbox)) == []


async def test_a_customer_who_comes_back_after_the_deletion_gets_a_new_number(world: World) -> None:
    inbox = await two_customers(world)
    await world.seal()
    await purge(world, times=3)
    world.writer = Writer(world.pool)
    inbox.events.append(answered(7, nps(3), at=ago(2), customer="p1"))
    await world.take(inbox.events[-1])
    assert failed(await verified(world, inbox)) == []


async def test_a_process_forgets_numbers_in_time(world: World) -> None:
    now = [0.0]
    interner = Interner(world.pool, "customers", lambda: now[0])
    [first] = (await interner.ids([(1, "p1")])).values()
    await world.pool.execute("DELETE FROM customers")
    now[0] = REMEMBERED_SECONDS - 1
    assert (await interner.ids([(1, "p1")]))[1, "p1"] == first
    now[0] = REMEMBERED_SECONDS + 1
    assert (await interner.ids([(1, "p1")]))[1, "p1"] != first


async def test_a_tenants_purge_leaves_others_alone(world: World) -> None:
    await two_customers(world)
    await world.take(answered(1, nps(9), at=ago(3), customer="p1", tenant="other"))
    await world.seal()
    await purge(world, times=3)
    rows = await world.pool.fetch("SELECT t.slug FROM customers c JOIN tenants t ON t.id = c.tenant WHERE pseudonym = 'p1'")
    assert [row[0] for row in rows] == ["other"]


async def test_a_look_up_removes_the_mark_so_that_no_purge_deletes_the_value_before_it_is_used(world: World) -> None:
    await two_customers(world)
    await purge(world)
    number = await world.pool.fetchval("SELECT id FROM customers WHERE pseudonym = 'p1' AND unused_since IS NOT NULL")
    tenant = await world.pool.fetchval("SELECT id FROM tenants")
    assert (await Interner(world.pool, "customers").ids([(tenant, "p1")]))[tenant, "p1"] == number
    await purge(world)
    assert "p1" in await values(world)


async def test_a_value_that_only_an_open_seal_names_is_deleted_and_the_seal_is_right_again_afterwards(world: World) -> None:
    inbox = await two_customers(world)
    named = "SELECT count(*) FROM histograms h JOIN terms t ON t.id = h.value WHERE t.term = $1"
    assert await world.pool.fetchval(named, "anna's own segment")
    await purge(world, times=2)
    assert "anna's own segment" not in await values(world)
    await world.seal()
    assert failed(await verified(world, inbox)) == []


async def test_an_erasure_during_a_purge_is_not_forgotten(world: World) -> None:
    await two_customers(world)
    async with world.pool.acquire() as connection:
        claimed = await purges.claim(connection)
        assert claimed is not None
        await world.take(erasure("c1/response/2", ago(0)))
        for _ in range(2):
            await purges.purge(connection, claimed, AT_ONCE)
        assert await connection.fetchval("SELECT count(*) FROM purges") == 1


async def test_themes_and_urgency_are_deleted_with_the_last_comment_that_has_them(world: World) -> None:
    own, shared = (Theme("own", 0.0), Theme("shared", 0.0)), (Theme("shared", 0.0),)
    events = [answered(n, words(f"comment {n}"), at=ago(30 + n)) for n in (1, 2)]
    scores = [score_of("c1/response/1", "comment 1", 0.1, themes=own, urgency=("safety",))]
    scores.append(score_of("c1/response/2", "comment 2", 0.1, themes=shared))
    await world.take(*events, *scores)
    await world.seal()
    await world.take(erasure("c1/response/2", ago(1)))
    await purge(world, times=3)
    assert {"own", "shared", "safety"} <= await values(world)
    await world.take(erasure("c1/response/1", ago(1)))
    await purge(world, times=3)
    assert not {"own", "shared", "safety"} & await values(world)

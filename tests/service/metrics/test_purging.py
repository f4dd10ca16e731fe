"""Values that nothing uses after an erasure are deleted; those that are used, or looked up meanwhile, never."""

from datetime import timedelta

from services.metrics.purger import GRACE, Purger
from services.metrics.store import purges
from services.metrics.store.interning import REMEMBERED_SECONDS, Interner
from services.metrics.store.writer import Writer
from shared.events import ThemeScore
from tests.service.metrics.database import MetricsDatabase, erasure, score_of, survey_response
from tests.service.metrics.verification import Inbox, ago, failed, verified
from tests.unit.metrics.build import nps, words

AT_ONCE = timedelta(0)


async def values(metrics_db: MetricsDatabase) -> set[str]:
    rows = await metrics_db.pool.fetch("SELECT pseudonym FROM customers UNION ALL SELECT term FROM terms")
    return {row[0] for row in rows}


async def purge(metrics_db: MetricsDatabase, times: int = 1, grace: timedelta = AT_ONCE) -> None:
    for _ in range(times):
        await metrics_db.pool.execute("UPDATE purges SET due = now()")
        await Purger(metrics_db.pool, grace).step()


async def two_customers(metrics_db: MetricsDatabase) -> Inbox:
    segments = {"p1": "anna's own segment", "p2": "everybody's"}
    events = [
        survey_response(n, nps(9), at=ago(30 + n), customer=name, dimensions={"segment": segment})
        for n, (name, segment) in enumerate(segments.items(), 1)
    ]
    await metrics_db.apply(*events)
    await metrics_db.seal()
    events.append(erasure("c1/response/1", ago(1)))
    await metrics_db.apply(events[-1])
    return Inbox(events)


async def test_after_an_erasure_the_pseudonym_and_values_that_only_this_customer_had_are_deleted(
    metrics_db: MetricsDatabase,
) -> None:
    inbox = await two_customers(metrics_db)
    assert {"p1", "anna's own segment"} <= await values(metrics_db)
    await metrics_db.seal()
    await purge(metrics_db, times=3)
    assert await values(metrics_db) == {"p2", "everybody's", "c1", "standard"}
    assert failed(await verified(metrics_db, inbox)) == []
    assert await metrics_db.pool.fetchval("SELECT count(*) FROM purges") == 0


async def test_nothing_is_deleted_before_every_process_has_forgotten_its_number(metrics_db: MetricsDatabase) -> None:
    await two_customers(metrics_db)
    await metrics_db.seal()
    await purge(metrics_db, times=3, grace=GRACE)
    assert "p1" in await values(metrics_db)
    assert await metrics_db.pool.fetchval("SELECT count(*) FROM purges WHERE due > now() + interval '23 hours'") == 1
    assert timedelta(seconds=100 * REMEMBERED_SECONDS) < GRACE


async def test_a_customer_who_comes_back_before_the_deletion_keeps_the_number(metrics_db: MetricsDatabase) -> None:
    """Once by a process that remembers it, and once by one that looks it up."""
    for writer in (metrics_db.writer, Writer(metrics_db.pool)):
        metrics_db.writer = writer
        inbox = await two_customers(metrics_db)
        await purge(metrics_db)
        again = survey_response(7, nps(3), at=ago(2), customer="p1", dimensions={"segment": "anna's own segment"})
        await metrics_db.apply(again)
        await purge(metrics_db, times=2)
        assert {"p1", "anna's own segment"} <= await values(metrics_db)
        inbox.events.append(again)
        assert failed(await verified(metrics_db, inbox)) == []


async def test_a_customer_who_comes_back_after_the_deletion_gets_a_new_number(metrics_db: MetricsDatabase) -> None:
    inbox = await two_customers(metrics_db)
    await metrics_db.seal()
    await purge(metrics_db, times=3)
    metrics_db.writer = Writer(metrics_db.pool)
    inbox.events.append(survey_response(7, nps(3), at=ago(2), customer="p1"))
    await metrics_db.apply(inbox.events[-1])
    assert failed(await verified(metrics_db, inbox)) == []


async def test_a_process_forgets_numbers_in_time(metrics_db: MetricsDatabase) -> None:
    now = [0.0]
    interner = Interner(metrics_db.pool, "customers", lambda: now[0])
    [first] = (await interner.ids([(1, "p1")])).values()
    await metrics_db.pool.execute("DELETE FROM customers")
    now[0] = REMEMBERED_SECONDS - 1
    assert (await interner.ids([(1, "p1")]))[1, "p1"] == first
    now[0] = REMEMBERED_SECONDS + 1
    assert (await interner.ids([(1, "p1")]))[1, "p1"] != first


async def test_a_tenants_purge_leaves_others_alone(metrics_db: MetricsDatabase) -> None:
    await two_customers(metrics_db)
    await metrics_db.apply(survey_response(1, nps(9), at=ago(3), customer="p1", tenant="other"))
    await metrics_db.seal()
    await purge(metrics_db, times=3)
    rows = await metrics_db.pool.fetch("SELECT t.slug FROM customers c JOIN tenants t ON t.id = c.tenant WHERE pseudonym = 'p1'")
    assert [row[0] for row in rows] == ["other"]


async def test_a_look_up_removes_the_mark_so_that_no_purge_deletes_the_value_before_it_is_used(
    metrics_db: MetricsDatabase,
) -> None:
    await two_customers(metrics_db)
    await purge(metrics_db)
    number = await metrics_db.pool.fetchval("SELECT id FROM customers WHERE pseudonym = 'p1' AND unused_since IS NOT NULL")
    tenant = await metrics_db.pool.fetchval("SELECT id FROM tenants")
    assert (await Interner(metrics_db.pool, "customers").ids([(tenant, "p1")]))[tenant, "p1"] == number
    await purge(metrics_db)
    assert "p1" in await values(metrics_db)


async def test_a_value_that_only_an_open_seal_names_is_deleted_and_the_seal_is_right_again_afterwards(
    metrics_db: MetricsDatabase,
) -> None:
    inbox = await two_customers(metrics_db)
    named = "SELECT count(*) FROM histograms h JOIN terms t ON t.id = h.value WHERE t.term = $1"
    assert await metrics_db.pool.fetchval(named, "anna's own segment")
    await purge(metrics_db, times=2)
    assert "anna's own segment" not in await values(metrics_db)
    await metrics_db.seal()
    assert failed(await verified(metrics_db, inbox)) == []


async def test_an_erasure_during_a_purge_is_not_forgotten(metrics_db: MetricsDatabase) -> None:
    await two_customers(metrics_db)
    async with metrics_db.pool.acquire() as connection:
        claimed = await purges.claim(connection)
        assert claimed is not None
        await metrics_db.apply(erasure("c1/response/2", ago(0)))
        for _ in range(2):
            await purges.purge(connection, claimed, AT_ONCE)
        assert await connection.fetchval("SELECT count(*) FROM purges") == 1


async def test_themes_and_urgency_are_deleted_with_the_last_comment_that_has_them(metrics_db: MetricsDatabase) -> None:
    own, shared = (ThemeScore("own", 0.0), ThemeScore("shared", 0.0)), (ThemeScore("shared", 0.0),)
    events = [survey_response(n, words(f"comment {n}"), at=ago(30 + n)) for n in (1, 2)]
    scores = [score_of("c1/response/1", "comment 1", 0.1, themes=own, urgency=("safety",))]
    scores.append(score_of("c1/response/2", "comment 2", 0.1, themes=shared))
    await metrics_db.apply(*events, *scores)
    await metrics_db.seal()
    await metrics_db.apply(erasure("c1/response/2", ago(1)))
    await purge(metrics_db, times=3)
    assert {"own", "shared", "safety"} <= await values(metrics_db)
    await metrics_db.apply(erasure("c1/response/1", ago(1)))
    await purge(metrics_db, times=3)
    assert not {"own", "shared", "safety"} & await values(metrics_db)

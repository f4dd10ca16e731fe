"""The writer on a real PostgreSQL: whatever the order and however often, the contributions are those of the domain."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.metrics.rebuild import rebuild
from services.metrics.store.progress import Reached
from services.metrics.store.writer import Batch, Incomprehensible, Writer, decode_score
from shared.events import Assigned, Event, Message, Opened, ScoreEvent, StatusSet, Ticket
from tests.conftest import NewDatabase
from tests.service.metrics.world import World, answered, erasure, expected, opened, score_of, statement
from tests.unit.metrics.build import csat, nps, words

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

Said = Event | ScoreEvent


@pytest.fixture
async def world(database: NewDatabase) -> AsyncIterator[World]:
    async with opened(await database("metrics")) as world:
        yield world


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def story() -> list[Said]:
    """Responses that are edited, tickets in pieces, comments with their scores."""
    said: list[Said] = []
    for number in range(12):
        subject = f"c1/response/{number}"
        said += [
            answered(number, nps(number % 11), words(f"comment {number}"), at=hours(number), customer=f"p{number % 4}"),
            answered(number, nps(9), csat(4), at=hours(number), revision=2, customer=f"p{number % 4}"),
            statement(subject, answered(number, nps(3), at=hours(number)).body, at=hours(number + 1), seq=100 + number),
            score_of(subject, f"comment {number}", number / 20 - 0.3),
        ]
    for number in range(8):
        subject = f"c2/ticket/{number}"
        facts = [
            Opened(at=hours(number), text=f"it is broken {number}"),
            Assigned(at=hours(number), team="billing", agent=f"a{number % 3}"),
            Message(at=hours(number + 1), by="agent"),
            StatusSet(at=hours(number + 2), status="solved"),
            StatusSet(at=hours(number + 3), status="open"),
            Assigned(at=hours(number + 4), team="tech"),
        ]
        said += [statement(subject, Ticket(facts=(f,)), at=f.at, seq=200 + 10 * number + i) for i, f in enumerate(facts)]
        said.append(score_of(subject, f"it is broken {number}", -0.5))
    return said


def batch_of(said: list[Said]) -> Batch:
    return Batch([one for one in said if isinstance(one, Event)], [one for one in said if isinstance(one, ScoreEvent)])


def known(said: list[Said]) -> Counter[tuple[Any, ...]]:
    batch = batch_of(said)
    return expected(batch.events, batch.scores)


async def test_a_stream_in_one_batch_gives_what_the_domain_gives(world: World) -> None:
    await world.take(*story())
    assert await world.contributions() == known(story())


@pytest.mark.parametrize("seed", range(3))
async def test_the_stream_twice_and_shuffled_gives_equal_contributions(world: World, seed: int) -> None:
    chance = random.Random(seed)
    said = story() * 2
    chance.shuffle(said)
    while said:
        size = chance.randint(1, 25)
        batch, said = said[:size], said[size:]
        await world.take(*batch)
    assert await world.contributions() == known(story())


async def test_many_writers_at_once_give_equal_contributions(world: World) -> None:
    said = story() * 3
    random.Random(7).shuffle(said)
    batches = [said[place::6] for place in range(6)]
    writers = [Writer(world.pool) for _ in range(3)]
    await asyncio.gather(*(writer.apply(batch_of(said)) for writer, said in zip(writers * 2, batches, strict=True)))
    assert await world.contributions() == known(story())


async def test_two_writers_that_meet_one_new_subject_both_count(world: World) -> None:
    for number in range(20):
        one, other = answered(number, nps(9), at=NOON), answered(number, csat(5), at=NOON, statement="other")
        writers = Writer(world.pool), Writer(world.pool)
        await asyncio.gather(writers[0].apply(Batch([one])), writers[1].apply(Batch([other])))
    found = Counter(row[0] for row in (await world.contributions()).elements())
    assert (found["nps"], found["csat:1..5+4"]) == (20, 20)
    assert len(await world.subjects()) == 20


async def test_a_rating_taken_back_leaves_no_contribution(world: World) -> None:
    await world.take(answered(1, nps(9), at=NOON))
    await world.take(answered(1, nps(None), at=NOON, statement="edit", seq=2))
    assert "nps" not in {row[0] for row in await world.contributions()}


async def test_a_score_that_comes_before_its_comment_counts_once_it_is_there(world: World) -> None:
    await world.take(score_of("c1/response/1", "fine", 0.5))
    assert not await world.contributions()
    await world.take(answered(1, words("fine"), at=NOON))
    assert ("sentiment:vader-3.3.2", 500) in {(row[0], row[3]) for row in await world.contributions()}


@pytest.mark.parametrize("order", [(0.1, 0.2), (0.2, 0.1)])
async def test_of_two_scores_of_one_comment_the_bytewise_smaller_stands(world: World, order: tuple[float, float]) -> None:
    await world.take(answered(1, words("fine"), at=NOON))
    for confidence in order:
        await world.take(score_of("c1/response/1", "fine", 0.5, confidence=confidence))
    assert b"0.1" in await world.pool.fetchval("SELECT body FROM scores")


@pytest.mark.parametrize("revisions", [(1, 2), (2, 1)])
async def test_of_two_scores_of_one_comment_that_of_the_newer_taxonomy_stands(world: World, revisions: tuple[int, int]) -> None:
    await world.take(answered(1, words("fine"), at=NOON))
    for revision in revisions:
        await world.take(score_of("c1/response/1", "fine", 0.5, taxonomy=revision))
    assert [decode_score(row["body"]).taxonomy for row in await world.pool.fetch("SELECT body FROM scores")] == [2]


@pytest.mark.parametrize("late", [False, True])
async def test_an_erased_subject_holds_nothing_whatever_still_arrives(world: World, late: bool) -> None:
    told = [answered(1, nps(9), words("my name"), at=NOON), score_of("c1/response/1", "my name", 0.5)]
    for one in [erasure("c1/response/1", hours(1)), *told] if late else [*told, erasure("c1/response/1", hours(1))]:
        await world.take(one)
    assert not await world.contributions()
    assert await world.subjects() == [("c1/response/1", True)]
    assert await world.pool.fetchval("SELECT count(*) FROM scores") == 0
    assert [row["statement"] for row in await world.pool.fetch("SELECT statement FROM statements")] == ["erasure"]


async def test_a_batch_that_cannot_be_folded_leaves_nothing_behind_no_progress_either(world: World) -> None:
    naive = statement(
        "c2/ticket/1", Ticket(facts=(Opened(at=datetime(2026, 11, 2)), StatusSet(at=NOON, status="solved"))), at=NOON
    )
    reached = {("feedback.events", 0): Reached(7, NOON)}
    with pytest.raises(Incomprehensible) as caught:
        await world.writer.apply(Batch([answered(1, nps(9), at=NOON), naive], reached=reached))
    assert (caught.value.tenant, caught.value.subject) == ("acme", "c2/ticket/1")
    assert await world.subjects() == []
    assert await world.pool.fetchval("SELECT count(*) FROM progress") == 0


async def test_a_duration_of_two_thousand_years_is_refused_before_it_spoils_every_mean(world: World) -> None:
    ancient = datetime(1, 1, 1, tzinfo=UTC)
    facts = (Opened(at=ancient), StatusSet(at=NOON, status="solved"))
    with pytest.raises(Incomprehensible):
        await world.take(statement("c2/ticket/1", Ticket(facts=facts), at=NOON))
    assert not await world.contributions()


@pytest.mark.parametrize("value", [2**31, 2**63])
async def test_a_rating_that_its_column_cannot_hold_is_refused(world: World, value: int) -> None:
    with pytest.raises(Incomprehensible):
        await world.take(answered(1, nps(value), at=NOON))
    assert not await world.contributions()


async def test_a_zombies_old_batch_sets_no_watermark_back(world: World) -> None:
    place = ("feedback.events", 0)
    for reached in (Reached(7, NOON), Reached(3, hours(-1))):
        await world.writer.apply(Batch([answered(1, nps(9), at=NOON)], reached={place: reached}))
    assert await world.pool.fetchval("SELECT received_at FROM progress") == NOON


async def test_events_of_a_tenant_that_nobody_told_of_are_kept(world: World) -> None:
    await world.take(answered(1, nps(9), at=NOON, tenant="newcomer"))
    await world.tenant("newcomer", "Asia/Tokyo")
    assert await world.contributions() == expected([answered(1, nps(9), at=NOON)])
    assert await world.pool.fetchval("SELECT zone FROM tenants WHERE slug = 'newcomer'") == "Asia/Tokyo"


async def test_a_rebuild_mends_what_was_tampered_with_and_touches_nothing_else(world: World) -> None:
    await world.take(*story())
    await world.pool.execute("DELETE FROM contributions WHERE ctid IN (SELECT ctid FROM contributions LIMIT 7)")
    await world.pool.execute("INSERT INTO contributions SELECT * FROM contributions LIMIT 5")
    assert await rebuild(world.writer) == len(await world.subjects())
    assert await world.contributions() == known(story())

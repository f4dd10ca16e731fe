"""The writer on a real PostgreSQL: in any order and with repeats, it stores the contributions that the domain computes."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.metrics.rebuild_in_place import rebuild_in_place
from services.metrics.store.derivation import InvalidSubject, decode_score
from services.metrics.store.progress import Reached, restart, stored_positions
from services.metrics.store.writer import DecodedBatch, Writer
from shared.events import Assigned, Event, Fact, Message, Opened, ScoreEvent, StatusSet, Ticket
from tests.service.metrics.database import (
    MetricsDatabase,
    erasure,
    expected,
    score_of,
    statement,
    survey_response,
)
from tests.unit.metrics.build import csat, nps, words

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

Item = Event | ScoreEvent


@pytest.fixture
def metrics(empty_metrics_db: MetricsDatabase) -> MetricsDatabase:
    return empty_metrics_db


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def story() -> list[Item]:
    """Edited responses, tickets in several events, comments with their scores."""
    items: list[Item] = []
    for number in range(12):
        subject = f"c1/response/{number}"
        items += [
            survey_response(number, nps(number % 11), words(f"comment {number}"), at=hours(number), customer=f"p{number % 4}"),
            survey_response(number, nps(9), csat(4), at=hours(number), revision=2, customer=f"p{number % 4}"),
            statement(subject, survey_response(number, nps(3), at=hours(number)).body, at=hours(number + 1), seq=100 + number),
            score_of(subject, f"comment {number}", number / 20 - 0.3),
        ]
    for number in range(8):
        subject = f"c2/ticket/{number}"
        facts: list[Fact] = [
            Opened(at=hours(number), text=f"it is broken {number}"),
            Assigned(at=hours(number), team="billing", agent=f"a{number % 3}"),
            Message(at=hours(number + 1), by="agent"),
            StatusSet(at=hours(number + 2), status="solved"),
            StatusSet(at=hours(number + 3), status="open"),
            Assigned(at=hours(number + 4), team="tech"),
        ]
        items += [statement(subject, Ticket(facts=(f,)), at=f.at, seq=200 + 10 * number + i) for i, f in enumerate(facts)]
        items.append(score_of(subject, f"it is broken {number}", -0.5))
    return items


def batch_of(items: list[Item]) -> DecodedBatch:
    return DecodedBatch([one for one in items if isinstance(one, Event)], [one for one in items if isinstance(one, ScoreEvent)])


def contributions_of(items: list[Item]) -> Counter[tuple[Any, ...]]:
    batch = batch_of(items)
    return expected(batch.events, batch.scores)


async def test_a_stream_in_one_batch_gives_the_contributions_of_the_domain(metrics: MetricsDatabase) -> None:
    await metrics.apply(*story())
    assert await metrics.contributions() == contributions_of(story())


@pytest.mark.parametrize("seed", range(3))
async def test_the_stream_twice_and_shuffled_gives_equal_contributions(metrics: MetricsDatabase, seed: int) -> None:
    chance = random.Random(seed)
    items = story() * 2
    chance.shuffle(items)
    while items:
        size = chance.randint(1, 25)
        batch, items = items[:size], items[size:]
        await metrics.apply(*batch)
    assert await metrics.contributions() == contributions_of(story())


async def test_many_writers_at_once_give_equal_contributions(metrics: MetricsDatabase) -> None:
    items = story() * 3
    random.Random(7).shuffle(items)
    batches = [items[place::6] for place in range(6)]
    writers = [Writer(metrics.pool) for _ in range(3)]
    await asyncio.gather(*(writer.apply(batch_of(items)) for writer, items in zip(writers * 2, batches, strict=True)))
    assert await metrics.contributions() == contributions_of(story())


async def test_two_writers_that_insert_one_new_subject_both_count(metrics: MetricsDatabase) -> None:
    for number in range(20):
        one, other = survey_response(number, nps(9), at=NOON), survey_response(number, csat(5), at=NOON, statement="other")
        writers = Writer(metrics.pool), Writer(metrics.pool)
        await asyncio.gather(writers[0].apply(DecodedBatch([one])), writers[1].apply(DecodedBatch([other])))
    counts = Counter(row[0] for row in (await metrics.contributions()).elements())
    assert (counts["nps"], counts["csat:1..5+4"]) == (20, 20)
    assert len(await metrics.subjects()) == 20


async def test_a_withdrawn_rating_leaves_no_contribution(metrics: MetricsDatabase) -> None:
    await metrics.apply(survey_response(1, nps(9), at=NOON))
    await metrics.apply(survey_response(1, nps(None), at=NOON, statement="edit", seq=2))
    assert "nps" not in {row[0] for row in await metrics.contributions()}


async def test_a_score_that_arrives_before_its_comment_counts_once_the_comment_arrives(metrics: MetricsDatabase) -> None:
    await metrics.apply(score_of("c1/response/1", "fine", 0.5))
    assert not await metrics.contributions()
    await metrics.apply(survey_response(1, words("fine"), at=NOON))
    assert ("sentiment:vader-3.3.2", 500) in {(row[0], row[3]) for row in await metrics.contributions()}


@pytest.mark.parametrize("order", [(0.1, 0.2), (0.2, 0.1)])
async def test_of_two_scores_of_one_comment_the_bytewise_smaller_is_kept(
    metrics: MetricsDatabase, order: tuple[float, float]
) -> None:
    await metrics.apply(survey_response(1, words("fine"), at=NOON))
    for confidence in order:
        await metrics.apply(score_of("c1/response/1", "fine", 0.5, confidence=confidence))
    assert b"0.1" in await metrics.pool.fetchval("SELECT body FROM scores")


@pytest.mark.parametrize("revisions", [(1, 2), (2, 1)])
async def test_of_two_scores_of_one_comment_that_of_the_newer_taxonomy_is_kept(
    metrics: MetricsDatabase, revisions: tuple[int, int]
) -> None:
    await metrics.apply(survey_response(1, words("fine"), at=NOON))
    for revision in revisions:
        await metrics.apply(score_of("c1/response/1", "fine", 0.5, taxonomy=revision))
    assert [decode_score(row["body"]).taxonomy for row in await metrics.pool.fetch("SELECT body FROM scores")] == [2]


@pytest.mark.parametrize("late", [False, True])
async def test_an_erased_subject_keeps_no_content_whatever_arrives_later(metrics: MetricsDatabase, late: bool) -> None:
    items: list[Item] = [survey_response(1, nps(9), words("my name"), at=NOON), score_of("c1/response/1", "my name", 0.5)]
    for one in [erasure("c1/response/1", hours(1)), *items] if late else [*items, erasure("c1/response/1", hours(1))]:
        await metrics.apply(one)
    assert not await metrics.contributions()
    assert await metrics.subjects() == [("c1/response/1", True)]
    assert await metrics.pool.fetchval("SELECT count(*) FROM scores") == 0
    assert [row["statement"] for row in await metrics.pool.fetch("SELECT statement FROM statements")] == ["erasure"]


async def test_a_batch_that_cannot_be_folded_stores_nothing_not_even_progress(metrics: MetricsDatabase) -> None:
    naive = statement(
        "c2/ticket/1", Ticket(facts=(Opened(at=datetime(2026, 11, 2)), StatusSet(at=NOON, status="solved"))), at=NOON
    )
    reached = {("feedback.events", 0): Reached(7, NOON)}
    with pytest.raises(InvalidSubject) as caught:
        await metrics.writer.apply(DecodedBatch([survey_response(1, nps(9), at=NOON), naive], reached=reached))
    assert (caught.value.tenant, caught.value.subject) == ("acme", "c2/ticket/1")
    assert await metrics.subjects() == []
    assert await metrics.pool.fetchval("SELECT count(*) FROM progress") == 0


async def test_a_duration_of_two_thousand_years_is_refused(metrics: MetricsDatabase) -> None:
    ancient = datetime(1, 1, 1, tzinfo=UTC)
    facts = (Opened(at=ancient), StatusSet(at=NOON, status="solved"))
    with pytest.raises(InvalidSubject):
        await metrics.apply(statement("c2/ticket/1", Ticket(facts=facts), at=NOON))
    assert not await metrics.contributions()


@pytest.mark.parametrize("value", [2**31, 2**63])
async def test_a_rating_that_its_column_cannot_hold_is_refused(metrics: MetricsDatabase, value: int) -> None:
    with pytest.raises(InvalidSubject):
        await metrics.apply(survey_response(1, nps(value), at=NOON))
    assert not await metrics.contributions()


async def test_an_old_batch_of_a_zombie_does_not_set_the_watermark_back(metrics: MetricsDatabase) -> None:
    place = ("feedback.events", 0)
    for reached in (Reached(7, NOON), Reached(3, hours(-1))):
        await metrics.writer.apply(DecodedBatch([survey_response(1, nps(9), at=NOON)], reached={place: reached}))
    assert await metrics.pool.fetchval("SELECT received_at FROM progress") == NOON


async def test_the_position_of_a_partition_is_stored_with_the_time_from_which_a_replay_repeats_the_rest(
    metrics: MetricsDatabase,
) -> None:
    place, batch = ("feedback.events", 0), [survey_response(1, nps(9), at=NOON)]
    await metrics.writer.apply(DecodedBatch(batch, reached={place: Reached(7, NOON, hours(-2))}))
    assert await stored_positions(metrics.pool) == {place: (7, hours(-2))}
    await metrics.writer.apply(DecodedBatch(batch, reached={place: Reached(9, NOON)}))
    await restart(metrics.pool, {place: 3, ("feedback.scores", 0): 1})
    assert await stored_positions(metrics.pool) == {place: (3, hours(-2))}


async def test_events_of_a_tenant_that_is_not_yet_known_are_kept(metrics: MetricsDatabase) -> None:
    await metrics.apply(survey_response(1, nps(9), at=NOON, tenant="newcomer"))
    await metrics.tenant("newcomer", "Asia/Tokyo")
    assert await metrics.contributions() == expected([survey_response(1, nps(9), at=NOON)])
    assert await metrics.pool.fetchval("SELECT zone FROM tenants WHERE slug = 'newcomer'") == "Asia/Tokyo"


async def test_a_rebuild_in_place_corrects_changed_rows_and_touches_nothing_else(metrics: MetricsDatabase) -> None:
    await metrics.apply(*story())
    await metrics.pool.execute("DELETE FROM contributions WHERE ctid IN (SELECT ctid FROM contributions LIMIT 7)")
    await metrics.pool.execute("INSERT INTO contributions SELECT * FROM contributions LIMIT 5")
    assert await rebuild_in_place(metrics.pool, metrics.writer, "nobody") == []
    [report] = await rebuild_in_place(metrics.pool, metrics.writer, "acme")
    assert report.subjects == len(await metrics.subjects())
    assert 2 <= report.corrected.total() <= 12
    [again] = await rebuild_in_place(metrics.pool, metrics.writer)
    assert str(again) == f"acme: rebuilt {report.subjects:,} subjects; corrected: nothing"
    assert await metrics.contributions() == contributions_of(story())


async def test_a_rebuild_in_place_reports_a_subject_that_cannot_be_folded_and_goes_on(metrics: MetricsDatabase) -> None:
    await metrics.apply(*(survey_response(number, nps(number), at=NOON) for number in range(3)))
    correct = await metrics.contributions()
    huge = "replace(encode(body, 'escape'), '\"value\":', '\"value\":9999999999')::bytea"
    of_subject = "(SELECT id FROM subjects WHERE subject = 'c1/response/1')"
    await metrics.pool.execute(f"UPDATE statements SET body = {huge} WHERE subject_id = {of_subject}")
    await metrics.pool.execute(f"UPDATE contributions SET bin = 7 WHERE bin = 2 AND subject_id <> {of_subject}")
    [report] = await rebuild_in_place(metrics.pool, metrics.writer, "acme")
    assert report.invalid == ["c1/response/1: an amount or a bin is too large for its column"]
    assert str(report).startswith("acme: rebuilt 2 subjects; corrected: nps 1")
    assert await metrics.contributions() == correct, "the others are corrected; its own are as before"

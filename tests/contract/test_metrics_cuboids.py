"""Cuboids: what they hold answers as contributions do, also beside seals of the previous release, and beyond their limit."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.metrics.domain.cuboids import PAIRS
from services.metrics.domain.query import Filter
from services.metrics.store import counting_statements, due
from services.metrics.store.due import request_full_look
from services.metrics.store.query import Histograms, histograms, snapshot
from services.metrics.store.seals import ALL_DIMENSIONS, REVISIONS, Level
from services.metrics.store.selection import Selection, resolve
from services.metrics.store.spans import read_spans
from tests.conftest import NewDatabase
from tests.service.metrics.database import MetricsDatabase, lists_of, open_metrics_db, score_of, survey_response
from tests.unit.metrics.build import MODEL, csat, nps, words

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
DAYS = 70
VALUES: dict[str, list[str | None]] = {
    "team": ["billing", "sales", None],
    "channel": ["email", "chat", None],
    "priority": ["low", "high", None],
    "survey": ["s1", "s2", None],
    "segment": ["free", "pro", None],
    "product": ["one", "two", None],
    "region": ["DE", None],
}


@pytest.fixture(scope="module")
async def sealed_url(database: NewDatabase) -> str:
    """A database to be copied: a tenant in Berlin with scored answers of ten weeks, sealed. Spans with contributions hold all
    cuboids."""
    url = await database("metrics")
    async with open_metrics_db(url) as metrics:
        await metrics.tenant()
        await metrics.apply(*(answer(number, random.Random(number)) for number in range(400)))
        await metrics.apply(*(score_of(f"c1/response/{n}", text_of(n), (n % 21 - 10) / 10, **lists_of(n)) for n in range(400)))
        assert await metrics.seal(NOW)
    return url


@pytest.fixture
async def metrics(sealed_url: str, copy_database: NewDatabase) -> AsyncIterator[MetricsDatabase]:
    """A copy of that database."""
    async with open_metrics_db(await copy_database(sealed_url)) as metrics:
        yield metrics


def text_of(number: int) -> str:
    return f"Comment {number}"


def answer(number: int, chance: random.Random, **fields: Any) -> Any:
    return survey_response(
        number,
        nps(chance.randint(0, 10)),
        csat(chance.randint(1, 5)),
        words(text_of(number)),
        at=NOW - timedelta(days=chance.random() * DAYS),
        dimensions={name: chance.choice(values) for name, values in VALUES.items()},
        **fields,
    )


OF_RATINGS = [pair for pair in PAIRS if "theme" not in pair]
SELECTIONS = [
    *(Selection(("nps", "csat:"), pair) for pair in OF_RATINGS),
    *(Selection(("nps",), pair[::-1]) for pair in OF_RATINGS),
    *(Selection(("nps",), (one,), (Filter(other, ("high", "chat", "pro", None)),)) for one, other in OF_RATINGS),
    Selection(("nps",), (), (Filter("team", ("billing",)), Filter("channel", (), ("email",)))),
    Selection(("nps",), ("team",)),
    Selection(("nps",), ("team", "region")),
    *(
        Selection((f"label:{MODEL}",), group_by, filters)
        for group_by, filters in [
            (("theme", "product"), ()),
            (("product",), (Filter("theme", ("delivery",)),)),
            (("theme",), (Filter("product", ("one", None)),)),
            (("urgency",), ()),
            ((), (Filter("theme", (None,)),)),
        ]
    ),
]


async def answers(metrics: MetricsDatabase, selection: Selection, edges: list[datetime], *, use_seals: bool = True) -> Histograms:
    async with snapshot(metrics.pool) as connection:
        scope = await resolve(connection, "acme", selection)
        assert scope
        return await histograms(connection, scope, edges, use_seals=use_seals)


async def is_too_wide(metrics: MetricsDatabase, selection: Selection, edges: list[datetime]) -> bool:
    """Whether a span between these times has too many groups of the selection."""
    async with snapshot(metrics.pool) as connection:
        scope = await resolve(connection, "acme", selection)
        assert scope
        assert selection.cuboid
        return (await read_spans(connection, scope, selection.cuboid, edges)).too_wide


def random_edges(chance: random.Random) -> list[datetime]:
    """Some windows to the microsecond, cut into one or several buckets."""
    start = NOW - timedelta(days=chance.random() * DAYS)
    steps = chance.choice([1, 1, 3, 10])
    return [start + (NOW - start) * step / steps for step in range(steps + 1)]


async def assert_alike(metrics: MetricsDatabase, rounds: int = 3) -> None:
    chance = random.Random(7)
    for selection in SELECTIONS:
        for _ in range(rounds):
            edges = random_edges(chance)
            expected = await answers(metrics, selection, edges, use_seals=False)
            assert await answers(metrics, selection, edges) == expected, selection
            assert expected


async def wrong_pairs(metrics: MetricsDatabase) -> None:
    """Change the stored counts of all pairs, so that an answer that reads them is wrong."""
    await metrics.pool.execute("UPDATE histograms SET counts[1] = counts[1] + 1000 WHERE cuboid > 13")


async def test_every_cuboid_answers_as_contributions_do(metrics: MetricsDatabase) -> None:
    await assert_alike(metrics)
    whole = [NOW - timedelta(days=DAYS), NOW]
    before = [await answers(metrics, selection, whole) for selection in SELECTIONS]
    await wrong_pairs(metrics)
    pairs = [selection for selection in SELECTIONS if (one := selection.cuboid) and len(one.dimensions) == 2]
    after = [await answers(metrics, selection, whole) for selection in SELECTIONS]
    changed = [selection for selection, one, other in zip(SELECTIONS, before, after, strict=True) if one != other]
    assert changed == pairs, "pairs are read from their stored counts, and nothing else is"


async def test_hours_of_the_last_days_hold_every_cuboid(metrics: MetricsDatabase) -> None:
    await metrics.pool.execute("DELETE FROM seals WHERE level <> 1")
    await assert_alike(metrics, rounds=1)
    edges = [NOW - timedelta(days=7), NOW]
    before = await answers(metrics, SELECTIONS[0], edges)
    await wrong_pairs(metrics)
    assert await answers(metrics, SELECTIONS[0], edges) != before


async def test_spans_with_few_contributions_hold_the_total_alone(metrics: MetricsDatabase) -> None:
    """Six answers a day on average: some days have fewer than six. A month with such days is counted from contributions."""
    await metrics.pool.execute("UPDATE seals SET state = 'open', since = 'yesterday'")
    await request_full_look(metrics.pool)
    assert await metrics.seal(NOW, fewest=6)
    of_level = (
        "SELECT count(*) FROM seals s JOIN measures m ON m.id = s.measure WHERE m.name = 'nps' AND level = $1 AND revision = $2"
    )
    few, many = [await metrics.pool.fetchval(of_level, Level.DAY, revision) for revision in REVISIONS[::-1]]
    assert few
    assert many
    assert await metrics.pool.fetchval(of_level, Level.MONTH, ALL_DIMENSIONS) == 3
    dimensions = (
        "SELECT count(*) FROM histograms h JOIN seals s ON s.id = h.seal_id WHERE h.cuboid > 0 AND level < 3 AND s.revision = 3"
    )
    assert await metrics.pool.fetchval(dimensions) == 0
    await assert_alike(metrics)


async def test_a_cuboid_that_saves_little_is_stored_of_months_alone(metrics: MetricsDatabase) -> None:
    """Six answers a day have nearly as many bins by team. A month has fewer than half as many bins as answers, and holds them."""
    await metrics.pool.execute("UPDATE seals SET state = 'open', since = 'yesterday'")
    await request_full_look(metrics.pool)
    assert await metrics.seal(NOW, most_bins=0.5)
    of_team = "SELECT count(*) FROM seals s JOIN measures m ON m.id = s.measure JOIN histograms h ON h.seal_id = s.id"
    of_team += " WHERE m.name = 'nps' AND level = $1 AND cuboid = 8"
    assert await metrics.pool.fetchval(of_team, Level.DAY) == 0
    assert await metrics.pool.fetchval(of_team, Level.MONTH) == 6, "two whole months with three teams"
    await assert_alike(metrics, rounds=1)
    whole = [NOW - timedelta(days=DAYS), NOW]
    selection = Selection(("nps",), ("team",))
    before = await answers(metrics, selection, whole)
    await metrics.pool.execute("UPDATE histograms SET counts[1] = counts[1] + 1000 WHERE cuboid = 8")
    assert await answers(metrics, selection, whole) != before, "months are read"
    assert not await is_too_wide(metrics, selection, whole)


async def test_hours_of_busy_days_stay_sealed_and_answer_the_edges_of_windows(
    metrics: MetricsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_look(busy: int) -> int:
        """Look at all spans; a day with so many contributions is busy. Returns the old hours that are sealed then."""
        for module in ("due", "unsealed"):
            monkeypatch.setattr(f"services.metrics.store.{module}.BUSY", busy)
        await request_full_look(metrics.pool)
        await metrics.seal(NOW)
        old = "SELECT count(*) FROM seals WHERE level = 1 AND ends < $1"
        return int(await metrics.pool.fetchval(old, NOW - timedelta(days=10)))

    assert await full_look(1000) == 0
    assert await full_look(8) > 0
    assert await full_look(8) > 0
    await assert_alike(metrics, rounds=2)
    edge = await metrics.pool.fetchval(
        "SELECT min(ends) FROM seals s JOIN measures m ON m.id = s.measure WHERE m.name = 'nps' AND level = 1"
    )
    before = await answers(metrics, Selection(("nps",)), [edge, NOW])
    await metrics.pool.execute(
        "UPDATE histograms h SET counts[1] = 1000 FROM seals s WHERE s.id = h.seal_id AND s.level = 1 AND s.starts < $1",
        NOW - timedelta(days=10),
    )
    assert await answers(metrics, Selection(("nps",)), [edge, NOW]) != before, "old hours are read"
    assert await full_look(1000) == 0


SEALED_BY_THE_PREVIOUS_RELEASE = {
    "all of them": """
        UPDATE seals SET held_by = NULL, held = NULL, cuboids = NULL, revision = 2
    """,
    "counted again with a new id": """
        UPDATE seals SET id = id + 1000000, revision = 2
    """,
}


@pytest.mark.parametrize("statement", SEALED_BY_THE_PREVIOUS_RELEASE.values(), ids=SEALED_BY_THE_PREVIOUS_RELEASE.keys())
async def test_seals_of_the_previous_release_answer_what_they_hold_and_are_completed(
    metrics: MetricsDatabase, statement: str
) -> None:
    """The previous release counts no pairs, of hours only the total, and does not write `held`. Its months merge unknown rows."""
    await metrics.pool.execute(statement)
    await metrics.pool.execute("UPDATE histograms SET seal_id = s.id FROM seals s WHERE s.held_by = seal_id")
    await metrics.pool.execute(
        "DELETE FROM histograms h USING seals s WHERE s.id = h.seal_id"
        " AND (h.cuboid > 13 AND s.level < 3 OR h.cuboid > 0 AND s.level = 1)"
    )
    await metrics.pool.execute("UPDATE histograms SET second = NULL WHERE cuboid > 13")
    await metrics.pool.execute("UPDATE sealing SET revision = 2")
    await assert_alike(metrics, rounds=1)
    total, team = Selection(("nps",)), Selection(("nps",), ("team",))
    whole = [NOW - timedelta(days=DAYS), NOW]
    expected = [await answers(metrics, selection, whole) for selection in (total, team)]
    await metrics.pool.execute("UPDATE histograms SET counts[1] = counts[1] + 1 WHERE cuboid <= 13")
    assert [await answers(metrics, selection, whole) for selection in (total, team)] != expected, "what they hold is read"
    await due.prepare(metrics.pool)
    assert await metrics.seal(NOW)
    assert await metrics.pool.fetchval("SELECT count(*) FROM seals WHERE held_by IS DISTINCT FROM id OR cuboids < 4") == 0
    assert await metrics.pool.fetchval("SELECT bool_and(revision = 4) FROM sealing")
    await assert_alike(metrics, rounds=1)
    before = await answers(metrics, SELECTIONS[0], whole)
    await wrong_pairs(metrics)
    assert await answers(metrics, SELECTIONS[0], whole) != before, "the pairs are there now"
    assert not await metrics.seal(NOW)


async def test_a_cuboid_with_too_many_values_is_left_out_and_the_others_are_kept(
    metrics: MetricsDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting_statements, "MOST_VALUES", 20)
    counting_statements.count_contributions.cache_clear()
    day = NOW - timedelta(days=20)
    await metrics.apply(
        *(survey_response(1000 + n, nps(n % 11), at=day, dimensions={"agent": f"a{n}", "team": "billing"}) for n in range(30))
    )
    await metrics.pool.execute("UPDATE seals SET since = 'yesterday' WHERE state = 'open'")
    assert await metrics.seal(NOW)
    edges = [NOW - timedelta(days=DAYS), NOW]
    for group_by in ((), ("agent",), ("team",), ("team", "channel")):
        selection = Selection(("nps",), group_by)
        assert await answers(metrics, selection, edges) == await answers(metrics, selection, edges, use_seals=False)
    wide, narrow = [Selection(("nps",), (name,)) for name in ("agent", "team")]
    assert await is_too_wide(metrics, wide, edges)
    assert not await is_too_wide(metrics, wide, [day + timedelta(days=2), edges[1]])
    assert not await is_too_wide(metrics, narrow, edges)

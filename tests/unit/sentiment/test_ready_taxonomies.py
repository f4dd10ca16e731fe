"""Preparing taxonomies: once for each, in slices, and in the background where an earlier one can serve meanwhile."""

import asyncio
from collections.abc import Sequence

from services.sentiment.domain import themes
from services.sentiment.domain.judging import Comment
from services.sentiment.domain.reading import Meanings
from services.sentiment.domain.themes import Finder
from services.sentiment.pool import Pool
from services.sentiment.ready_taxonomies import ReadyTaxonomies
from shared.taxonomy import Taxonomy, ThemeDefinition
from tests.unit.sentiment.test_scoring_themes import Knows
from tests.unit.sentiment.test_themes import TWO, Meaning

LARGE = Taxonomy(4, tuple(ThemeDefinition(f"t{n}", "Parcels", "parcel", ("the parcel",) * 40) for n in range(20)))


class Changes:
    """One tenant's taxonomy, as the test sets it."""

    def __init__(self) -> None:
        self.newest = TWO

    async def of(self, tenant: str) -> Taxonomy:
        return self.newest


class Slow:
    """Prepares a taxonomy when the test lets it."""

    def __init__(self) -> None:
        self.prepared: list[int] = []
        self.may = asyncio.Event()

    async def __call__(self, taxonomy: Taxonomy) -> None:
        await self.may.wait()
        self.prepared.append(taxonomy.revision)


async def test_a_tenants_first_taxonomy_is_waited_for_and_a_change_is_not() -> None:
    changes, prepare = Changes(), Slow()
    ready = ReadyTaxonomies(changes, prepare)
    prepare.may.set()
    assert await ready.of("acme") is TWO
    prepare.may.clear()
    changes.newest = LARGE
    async with asyncio.timeout(5):
        assert [await ready.of("acme") for _ in range(3)] == [TWO] * 3
    prepare.may.set()
    await asyncio.sleep(0.01)
    assert await ready.of("acme") is LARGE
    assert prepare.prepared == [TWO.revision, LARGE.revision]


class Counts(Meaning):
    """Notes how many texts it was asked for at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def __call__(self, texts: Sequence[str]) -> Meanings:
        self.asked.append(len(texts))
        return super().__call__(texts)


async def test_a_large_taxonomy_is_prepared_in_slices_and_once() -> None:
    """Between slices the pool serves other callers."""
    meaning = Counts()
    finder = Finder(meaning, near=0.6)
    async with Pool(Knows(), threads=1, texts=64, finder=finder) as pool:
        await pool.prepare(LARGE)
        assert max(meaning.asked) <= 64
        assert sum(meaning.asked) == 20 * 41
        await pool.prepare(LARGE)
        await pool.judge([Comment("the parcel", "en", LARGE)])
        assert sum(meaning.asked) == 20 * 41


async def test_callers_share_the_preparation_of_a_taxonomy_which_goes_on_when_one_leaves() -> None:
    """Else each caller just after a start would prepare it anew, and one that gave up would throw its part away."""
    meaning = Counts()
    async with Pool(Knows(), threads=1, texts=64, finder=Finder(meaning, near=0.6)) as pool:
        leaves, *stay = [asyncio.create_task(pool.prepare(LARGE)) for _ in range(5)]
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.gather(*stay)
        assert sum(meaning.asked) == 20 * 41


def test_the_taxonomies_of_many_tenants_are_computed_once_each() -> None:
    meaning = Counts()
    finder = Finder(meaning, near=0.6)
    passages = Knows().score(["the parcel"])[0].passages
    taxonomies = [Taxonomy(1, (ThemeDefinition("t", f"Tenant {n}", "parcel"),)) for n in range(themes.MOST_KEPT)]
    for _ in range(2):
        for taxonomy in taxonomies:
            finder.themes(taxonomy, passages)
    assert meaning.calls == len(taxonomies)

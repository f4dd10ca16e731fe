"""Preparing the themes of tenants' taxonomies: in slices, once, and in the background after a change."""

import asyncio
from collections.abc import Sequence

from services.sentiment.domain import themes
from services.sentiment.domain.reading import Meanings
from services.sentiment.domain.scoring import Comment
from services.sentiment.domain.themes import Finder
from services.sentiment.pool import Pool
from services.sentiment.taxonomy_cache import PreparedTaxonomies
from shared.taxonomy import Taxonomy, ThemeDefinition
from tests.unit.sentiment.test_scoring_themes import Knows
from tests.unit.sentiment.test_themes import TWO, Meaning

LARGE = Taxonomy(4, tuple(ThemeDefinition(f"t{n}", "Parcels", "parcel", ("the parcel",) * 40) for n in range(20)))


class OneTaxonomy:
    """The taxonomy of every tenant, as the test sets it."""

    def __init__(self) -> None:
        self.newest = TWO

    async def of(self, tenant: str) -> Taxonomy:
        return self.newest


class SlowPreparation:
    """Prepares a taxonomy once the test sets `may`."""

    def __init__(self) -> None:
        self.prepared: list[int] = []
        self.may = asyncio.Event()

    async def __call__(self, taxonomy: Taxonomy) -> None:
        await self.may.wait()
        self.prepared.append(taxonomy.revision)


async def test_the_first_taxonomy_of_a_tenant_is_waited_for_and_a_change_is_not() -> None:
    taxonomies, prepare = OneTaxonomy(), SlowPreparation()
    ready = PreparedTaxonomies(taxonomies, prepare)
    prepare.may.set()
    assert await ready.of("acme") is TWO
    prepare.may.clear()
    taxonomies.newest = LARGE
    async with asyncio.timeout(5):
        assert [await ready.of("acme") for _ in range(3)] == [TWO] * 3
    prepare.may.set()
    await asyncio.sleep(0.01)
    assert await ready.of("acme") is LARGE
    assert prepare.prepared == [TWO.revision, LARGE.revision]


class Counts(Meaning):
    """Records the number of texts of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def __call__(self, texts: Sequence[str]) -> Meanings:
        self.sizes.append(len(texts))
        return super().__call__(texts)


async def test_a_large_taxonomy_is_prepared_in_slices_and_once() -> None:
    """Between slices the pool serves other callers."""
    meaning = Counts()
    finder = Finder(meaning, near=0.6)
    async with Pool(Knows(), threads=1, texts=64, finder=finder) as pool:
        await pool.prepare(LARGE)
        assert max(meaning.sizes) <= 64
        assert sum(meaning.sizes) == 20 * 41
        await pool.prepare(LARGE)
        await pool.score_comments([Comment("the parcel", "en", LARGE)])
        assert sum(meaning.sizes) == 20 * 41


async def test_callers_share_the_preparation_which_goes_on_when_one_leaves() -> None:
    """Otherwise every caller after a start would prepare it again, and one that leaves would discard its work."""
    meaning = Counts()
    async with Pool(Knows(), threads=1, texts=64, finder=Finder(meaning, near=0.6)) as pool:
        leaves, *stay = [asyncio.create_task(pool.prepare(LARGE)) for _ in range(5)]
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.gather(*stay)
        assert sum(meaning.sizes) == 20 * 41


def test_the_points_of_each_taxonomy_are_computed_once() -> None:
    meaning = Counts()
    finder = Finder(meaning, near=0.6)
    passages = Knows().score(["the parcel"])[0].passages
    taxonomies = [Taxonomy(1, (ThemeDefinition("t", f"Tenant {n}", "parcel"),)) for n in range(themes.MAX_TAXONOMIES)]
    for _ in range(2):
        for taxonomy in taxonomies:
            finder.themes(taxonomy, passages)
    assert meaning.calls == len(taxonomies)

"""The taxonomies of tenants: loaded from ingest, cached, and prepared; the default one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pytest
from pydantic import AnyHttpUrl, SecretStr

from services.sentiment.clients import Ingest, TaggedTaxonomy
from services.sentiment.domain import themes
from services.sentiment.domain.reading import Meanings
from services.sentiment.domain.scoring import Comment
from services.sentiment.domain.themes import Finder
from services.sentiment.pool import Pool
from services.sentiment.taxonomy_cache import RETRY_SECONDS, PreparedTaxonomies, TaxonomyCache, read_default
from services.sentiment.weights import BrokenModel
from shared.ingest import ingest_client
from shared.kafka import Retry
from shared.taxonomy import Taxonomy, TenantTaxonomy, ThemeDefinition
from tests.unit.sentiment.test_scoring_themes import Knows
from tests.unit.sentiment.test_themes import TWO, Meaning

SHIPPED = Taxonomy(0, (ThemeDefinition("delivery", "Delivery", "Parcels"),))
FOOD = (ThemeDefinition("food", "Food", "What is eaten"),)
TOKEN = SecretStr("the token")


@dataclass
class FakeIngest:
    """Ingest with its tenants' taxonomies, and the clock of the cache."""

    taxonomies: dict[str, TenantTaxonomy] = field(default_factory=dict)
    unreachable: bool = False
    requests: list[str] = field(default_factory=list)
    time: float = 0.0

    async def taxonomy(self, tenant: str, known: TaggedTaxonomy | None = None) -> TaggedTaxonomy:
        self.requests.append(tenant)
        await asyncio.sleep(0)
        if self.unreachable:
            raise Retry(5, "unreachable")
        current = self.taxonomies.get(tenant, TenantTaxonomy(0))
        return known if known and known.tag == str(current.revision) else TaggedTaxonomy(current, str(current.revision))

    def cache(self, seconds: float = 30, most: int = 10) -> TaxonomyCache:
        return TaxonomyCache(self, SHIPPED, seconds, most, lambda: self.time)


async def test_a_tenant_without_own_themes_has_the_default_ones_under_its_revision() -> None:
    ingest = FakeIngest({"back": TenantTaxonomy(4), "own": TenantTaxonomy(3, FOOD)})
    taxonomies = ingest.cache()
    assert await taxonomies.of("plain") == SHIPPED
    assert await taxonomies.of("back") == Taxonomy(4, SHIPPED.themes)
    assert await taxonomies.of("own") == Taxonomy(3, FOOD)


async def test_ingest_is_requested_when_the_time_is_over_and_an_unchanged_taxonomy_stays_the_same_object() -> None:
    ingest = FakeIngest({"acme": TenantTaxonomy(1, FOOD)})
    taxonomies = ingest.cache()
    first = await taxonomies.of("acme")
    ingest.time = 29.9
    assert await taxonomies.of("acme") is first
    assert ingest.requests == ["acme"]
    ingest.time = 30
    assert await taxonomies.of("acme") is first
    assert ingest.requests == ["acme"] * 2


async def test_a_change_counts_when_the_time_is_over() -> None:
    ingest = FakeIngest()
    taxonomies = ingest.cache()
    await taxonomies.of("acme")
    ingest.taxonomies["acme"] = TenantTaxonomy(1, FOOD)
    assert (await taxonomies.of("acme")).revision == 0
    ingest.time = 30
    assert await taxonomies.of("acme") == Taxonomy(1, FOOD)


async def test_while_ingest_is_unreachable_the_last_taxonomy_is_used_and_requests_pause() -> None:
    ingest = FakeIngest({"acme": TenantTaxonomy(1, FOOD)})
    taxonomies = ingest.cache()
    for tenant in ("acme", "other"):
        await taxonomies.of(tenant)
    ingest.unreachable, ingest.time = True, 1000
    assert await taxonomies.of("acme") == Taxonomy(1, FOOD)
    assert await taxonomies.of("acme") == Taxonomy(1, FOOD)
    assert await taxonomies.of("other") == SHIPPED
    assert ingest.requests == ["acme", "other", "acme"]
    ingest.unreachable, ingest.taxonomies["acme"], ingest.time = False, TenantTaxonomy(2), 1000 + RETRY_SECONDS
    assert await taxonomies.of("acme") == Taxonomy(2, SHIPPED.themes)


async def test_an_unknown_tenant_waits_for_ingest() -> None:
    ingest = FakeIngest(unreachable=True)
    taxonomies = ingest.cache()
    for _ in range(2):
        with pytest.raises(Retry):
            await taxonomies.of("acme")
    assert ingest.requests == ["acme"]
    ingest.unreachable, ingest.time = False, RETRY_SECONDS
    assert await taxonomies.of("acme") == SHIPPED


async def test_concurrent_callers_share_one_request() -> None:
    ingest = FakeIngest()
    taxonomies = ingest.cache()
    await asyncio.gather(*(taxonomies.of("acme") for _ in range(10)))
    assert ingest.requests == ["acme"]


async def test_the_least_recently_used_tenant_is_evicted() -> None:
    ingest = FakeIngest()
    taxonomies = ingest.cache(most=2)
    for tenant in ("a", "b", "a", "c", "a", "b"):
        await taxonomies.of(tenant)
    assert ingest.requests == ["a", "b", "c", "b"]


async def test_each_tenant_has_its_own_taxonomy() -> None:
    ingest = FakeIngest({"a": TenantTaxonomy(1, FOOD), "b": TenantTaxonomy(1, SHIPPED.themes)})
    taxonomies = ingest.cache()
    assert [(await taxonomies.of(tenant)).themes for tenant in ("a", "b", "a")] == [FOOD, SHIPPED.themes, FOOD]


# --- over HTTP
def client_of(*answers: httpx.Response | Exception) -> tuple[list[httpx.Request], httpx.AsyncClient]:
    """A client of an ingest that gives these answers, and the requests that it receives."""
    requests: list[httpx.Request] = []
    left = list(answers)

    def ingest(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return requests, ingest_client(AnyHttpUrl("http://ingest"), TOKEN, transport=httpx.MockTransport(ingest))


async def test_a_request_has_the_internal_token_and_the_known_tag() -> None:
    own = TenantTaxonomy(1, FOOD)
    response = httpx.Response(200, content=msgspec.json.encode(own), headers={"etag": '"t"'})
    requests, http = client_of(response, httpx.Response(304))
    async with http:
        first = await Ingest(http).taxonomy("acme")
        assert first == TaggedTaxonomy(own, '"t"')
        assert await Ingest(http).taxonomy("acme", first) is first
    assert [request.url.path for request in requests] == ["/internal/taxonomies/acme"] * 2
    assert [request.headers.get("if-none-match") for request in requests] == [None, '"t"']
    assert requests[0].headers["authorization"] == "Bearer the token"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(401),
        httpx.Response(404),
        httpx.Response(304),
        httpx.Response(200, content=b"{}"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
    ids=str,
)
async def test_an_answer_without_a_taxonomy_raises_retry(answer: httpx.Response | Exception) -> None:
    _, http = client_of(answer)
    async with http:
        with pytest.raises(Retry):
            await Ingest(http).taxonomy("acme")


@pytest.mark.parametrize("tenant", ["", "../head", "a/b", "UPPER", "a\n"])
async def test_an_invalid_tenant_id_is_not_requested(tenant: str) -> None:
    requests, http = client_of()
    async with http:
        assert (await Ingest(http).taxonomy(tenant)).taxonomy == TenantTaxonomy(0)
    assert requests == []


# --- preparation ---
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


# --- the default taxonomy ---
def test_the_default_is_revision_zero_and_names_each_theme_once() -> None:
    default = read_default()
    ids = [theme.id for theme in default.themes]
    assert default.revision == 0
    assert {"delivery", "price", "billing", "support_agent", "waiting_time"} < set(ids)
    assert len(ids) == len(set(ids))
    assert all(theme.name and theme.description.endswith(".") for theme in default.themes)


def test_every_theme_has_enough_examples_some_of_them_arabic_and_none_twice() -> None:
    themes = read_default().themes
    assert all(len(theme.examples) >= 24 for theme in themes)
    assert all(any("\u0600" <= sign <= "\u06ff" for sign in "".join(theme.examples)) for theme in themes)
    examples = [example.casefold() for theme in themes for example in theme.examples]
    assert len(set(examples)) == len(examples)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"revision": 0, "themes": [{"id": 1}]}', '{"revision": 0, "themes": [], "more": 1}']
)
def test_a_malformed_file_raises_broken_model(content: str, tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.json"
    file.write_text(content)
    with pytest.raises(BrokenModel, match=r"taxonomy\.json"):
        read_default(file)


def test_a_missing_file_raises_broken_model(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="FileNotFoundError"):
        read_default(tmp_path / "none.json")

"""The taxonomies of tenants: loaded from ingest and cached."""

import asyncio
from dataclasses import dataclass, field

import httpx
import msgspec
import pytest
from pydantic import AnyHttpUrl, SecretStr

from services.sentiment.clients import Ingest, TaggedTaxonomy
from services.sentiment.taxonomy_cache import RETRY_SECONDS, TaxonomyCache
from shared.ingest import ingest_client
from shared.kafka import Retry
from shared.taxonomy import Taxonomy, TenantTaxonomy, ThemeDefinition

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

"""Which themes count for a tenant: asked of ingest, remembered, served on while ingest is away, never guessed."""

import asyncio
from dataclasses import dataclass, field

import httpx
import msgspec
import pytest
from pydantic import AnyHttpUrl, SecretStr

from services.sentiment.clients import Ingest, Told
from services.sentiment.tenants_taxonomies import REST, TenantsTaxonomies
from shared.ingest import ingest_client
from shared.kafka import Retry
from shared.taxonomy import Taxonomy, TenantTaxonomy, ThemeDefinition

SHIPPED = Taxonomy(0, (ThemeDefinition("delivery", "Delivery", "Parcels"),))
FOOD = (ThemeDefinition("food", "Food", "What is eaten"),)
TOKEN = SecretStr("the token")


@dataclass
class Telling:
    """Plays ingest, and the clock of who asks."""

    kept: dict[str, TenantTaxonomy] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)
    time: float = 0.0

    async def taxonomy(self, tenant: str, known: Told | None = None) -> Told:
        self.asked.append(tenant)
        await asyncio.sleep(0)
        if self.away:
            raise Retry(5, "away")
        found = self.kept.get(tenant, TenantTaxonomy(0))
        return known if known and known.tag == str(found.revision) else Told(found, str(found.revision))

    def remembered(self, seconds: float = 30, most: int = 10) -> TenantsTaxonomies:
        return TenantsTaxonomies(self, SHIPPED, seconds, most, lambda: self.time)


async def test_a_tenant_that_set_none_has_those_that_ship_and_one_that_went_back_has_them_under_its_revision() -> None:
    ingest = Telling({"back": TenantTaxonomy(4), "own": TenantTaxonomy(3, FOOD)})
    taxonomies = ingest.remembered()
    assert await taxonomies.of("plain") == SHIPPED
    assert await taxonomies.of("back") == Taxonomy(4, SHIPPED.themes)
    assert await taxonomies.of("own") == Taxonomy(3, FOOD)


async def test_ingest_is_asked_once_in_a_while_and_what_stands_stays_the_very_object() -> None:
    ingest = Telling({"acme": TenantTaxonomy(1, FOOD)})
    taxonomies = ingest.remembered()
    first = await taxonomies.of("acme")
    ingest.time = 29.9
    assert await taxonomies.of("acme") is first
    assert ingest.asked == ["acme"]
    ingest.time = 30
    assert await taxonomies.of("acme") is first
    assert ingest.asked == ["acme"] * 2


async def test_a_change_is_heard_once_the_time_is_over() -> None:
    ingest = Telling()
    taxonomies = ingest.remembered()
    await taxonomies.of("acme")
    ingest.kept["acme"] = TenantTaxonomy(1, FOOD)
    assert (await taxonomies.of("acme")).revision == 0
    ingest.time = 30
    assert await taxonomies.of("acme") == Taxonomy(1, FOOD)


async def test_while_ingest_is_away_the_last_known_serves_and_ingest_is_left_in_peace() -> None:
    ingest = Telling({"acme": TenantTaxonomy(1, FOOD)})
    taxonomies = ingest.remembered()
    for tenant in ("acme", "other"):
        await taxonomies.of(tenant)
    ingest.away, ingest.time = True, 1000
    assert await taxonomies.of("acme") == Taxonomy(1, FOOD)
    assert await taxonomies.of("acme") == Taxonomy(1, FOOD)
    assert await taxonomies.of("other") == SHIPPED
    assert ingest.asked == ["acme", "other", "acme"]
    ingest.away, ingest.kept["acme"], ingest.time = False, TenantTaxonomy(2), 1000 + REST
    assert await taxonomies.of("acme") == Taxonomy(2, SHIPPED.themes)


async def test_a_tenant_of_whom_nothing_is_known_waits_for_ingest() -> None:
    ingest = Telling(away=True)
    taxonomies = ingest.remembered()
    for _ in range(2):
        with pytest.raises(Retry):
            await taxonomies.of("acme")
    assert ingest.asked == ["acme"]
    ingest.away, ingest.time = False, REST
    assert await taxonomies.of("acme") == SHIPPED


async def test_of_many_that_want_one_tenant_at_once_one_asks() -> None:
    ingest = Telling()
    taxonomies = ingest.remembered()
    await asyncio.gather(*(taxonomies.of("acme") for _ in range(10)))
    assert ingest.asked == ["acme"]


async def test_so_many_are_remembered_and_the_one_asked_for_longest_ago_makes_room() -> None:
    ingest = Telling()
    taxonomies = ingest.remembered(most=2)
    for tenant in ("a", "b", "a", "c", "a", "b"):
        await taxonomies.of(tenant)
    assert ingest.asked == ["a", "b", "c", "b"]


async def test_tenants_have_their_own() -> None:
    ingest = Telling({"a": TenantTaxonomy(1, FOOD), "b": TenantTaxonomy(1, SHIPPED.themes)})
    taxonomies = ingest.remembered()
    assert [(await taxonomies.of(tenant)).themes for tenant in ("a", "b", "a")] == [FOOD, SHIPPED.themes, FOOD]


# --- over HTTP
def answering(*answers: httpx.Response | Exception) -> tuple[list[httpx.Request], httpx.AsyncClient]:
    """A client of an ingest that gives these answers, and what it is asked."""
    asked: list[httpx.Request] = []
    left = list(answers)

    def ingest(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asked, ingest_client(AnyHttpUrl("http://ingest"), TOKEN, transport=httpx.MockTransport(ingest))


async def test_ingest_is_asked_with_the_internal_token_and_then_whether_it_still_stands() -> None:
    own = TenantTaxonomy(1, FOOD)
    told = httpx.Response(200, content=msgspec.json.encode(own), headers={"etag": '"t"'})
    asked, http = answering(told, httpx.Response(304))
    async with http:
        first = await Ingest(http).taxonomy("acme")
        assert first == Told(own, '"t"')
        assert await Ingest(http).taxonomy("acme", first) is first
    assert [request.url.path for request in asked] == ["/internal/taxonomies/acme"] * 2
    assert [request.headers.get("if-none-match") for request in asked] == [None, '"t"']
    assert asked[0].headers["authorization"] == "Bearer the token"


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
async def test_an_answer_that_tells_no_taxonomy_is_waited_for(answer: httpx.Response | Exception) -> None:
    _, http = answering(answer)
    async with http:
        with pytest.raises(Retry):
            await Ingest(http).taxonomy("acme")


@pytest.mark.parametrize("tenant", ["", "../head", "a/b", "UPPER", "a\n"])
async def test_what_is_no_tenants_id_is_not_asked_for(tenant: str) -> None:
    asked, http = answering()
    async with http:
        assert (await Ingest(http).taxonomy(tenant)).taxonomy == TenantTaxonomy(0)
    assert asked == []

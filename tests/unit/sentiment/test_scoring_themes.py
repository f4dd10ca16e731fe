"""The consumer's handler with a model that has embeddings: each tenant's comments get that tenant's themes."""

from collections.abc import Sequence

import pytest

from services.sentiment.consumer import ScoringHandler
from services.sentiment.domain.scorer import Model, Opinion, Passage, ScorerUnavailable
from services.sentiment.domain.scoring import Comment, Unscorable, score_comments
from services.sentiment.domain.themes import Finder
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.pool import Pool
from shared.events import Score, ThemeScore, decode_score, encode
from shared.kafka import Retry
from shared.taxonomy import Taxonomy, ThemeDefinition
from tests.unit.sentiment.test_consumer import Sent, comment, event, record
from tests.unit.sentiment.test_themes import TWO, Meaning

DELIVERY = Taxonomy(0, (ThemeDefinition("delivery", "Delivery", "delivery"),))
PARCELS = Taxonomy(4, (ThemeDefinition("parcels", "Parcels", "parcel"),))


class Knows:
    """Scores every text 0.5 and knows what it is about."""

    model = Model("knows", "1")

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        return [Opinion("positive", 0.5, 0.9, passages=[Passage(0.5, meaning)]) for meaning in Meaning()(texts)]


class KnownTaxonomies:
    """Has the taxonomies of two tenants; raises Retry for any other."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def of(self, tenant: str) -> Taxonomy:
        self.calls.append(tenant)
        if tenant not in ("acme", "bolt"):
            raise Retry(5.0, "away")
        return DELIVERY if tenant == "acme" else PARCELS


async def scores(taxonomies: KnownTaxonomies, *tenants: str, finds: bool = True) -> list[tuple[str, Score]]:
    batch = [record(encode(event(comment("the parcel"), f"api/response/r-{n}", t)), n, t) for n, t in enumerate(tenants)]
    sent, finder = Sent(), Finder(Meaning(), near=0.6) if finds else None
    async with Pool(Knows() if finds else VaderScorer(), threads=2, finder=finder) as pool:
        await ScoringHandler(pool, sent, taxonomies)(batch)
    published = [decode_score(message.value) for message in sent.messages]
    return [(one.tenant, one.score) for one in published]


async def test_a_comment_is_read_for_the_themes_of_its_own_tenant() -> None:
    published = dict(await scores(KnownTaxonomies(), "acme", "bolt"))
    assert (published["acme"].themes, published["acme"].taxonomy) == ((ThemeScore("delivery", 0.5),), 0)
    assert (published["bolt"].themes, published["bolt"].taxonomy) == ((ThemeScore("parcels", 0.5),), 4)


async def test_a_taxonomy_is_loaded_once_per_batch() -> None:
    taxonomies = KnownTaxonomies()
    await scores(taxonomies, "acme", "acme", "acme")
    assert taxonomies.calls == ["acme"]


async def test_while_a_taxonomy_is_unavailable_events_are_retried() -> None:
    with pytest.raises(Retry):
        await scores(KnownTaxonomies(), "acme", "unknown")


async def test_a_model_without_embeddings_loads_no_taxonomy() -> None:
    taxonomies = KnownTaxonomies()
    ((_, score),) = await scores(taxonomies, "unknown", finds=False)
    assert (taxonomies.calls, score.themes, score.taxonomy) == ([], (), 0)


def test_themes_of_a_rated_comment_have_the_score_of_the_rating() -> None:
    finder = Finder(Meaning(), near=0.6)
    (score,) = score_comments(Knows(), [Comment("0/10, parcel never arrived", "en", TWO)], finder)
    assert isinstance(score, Score)
    assert (score.label, score.score, score.themes) == ("negative", -1.0, (ThemeScore("delivery", -1.0),))


def test_an_error_in_finding_themes_affects_one_text() -> None:
    class Stumbles(Finder):
        def themes(self, taxonomy: Taxonomy, passages: Sequence[Passage]) -> tuple[ThemeScore, ...]:
            if passages[0].meaning[1]:
                raise ZeroDivisionError
            return super().themes(taxonomy, passages)

    good, bad = score_comments(
        Knows(), [Comment("the parcel", "en", TWO), Comment("price", "en", TWO)], Stumbles(Meaning(), near=0.6)
    )
    assert isinstance(good, Score)
    assert isinstance(bad, Unscorable)
    assert "price" not in bad.reason


def test_lack_of_memory_while_a_score_is_made_makes_no_text_unscorable() -> None:
    class Lacking(Finder):
        def themes(self, taxonomy: Taxonomy, passages: Sequence[Passage]) -> tuple[ThemeScore, ...]:
            raise MemoryError

    with pytest.raises(ScorerUnavailable, match=r"^MemoryError$"):
        score_comments(Knows(), [Comment("the parcel", "en", TWO)], Lacking(Meaning(), near=0.6))


def test_a_non_answer_has_the_revision_of_its_tenants_taxonomy() -> None:
    (score,) = score_comments(Knows(), [Comment("n/a", "en", TWO)], Finder(Meaning(), near=0.6))
    assert isinstance(score, Score)
    assert (score.themes, score.taxonomy) == ((), TWO.revision)

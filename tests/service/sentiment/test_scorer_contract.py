"""The promises of every scorer, tested with each: those that come with Earshot, and a company's own server over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import httpx
import pytest

from services.sentiment.domain.scorer import Model, Scorer
from services.sentiment.remote import RemoteScorer
from services.sentiment.scorers import SHIPPED
from shared.events import Label
from tests.service.sentiment.model_server import ModelServer
from tests.unit.sentiment.own_sentences import SENTENCES, sentences

TEXTS = [text for language in SENTENCES for text, _ in sentences(language)]
ODD = ["", " ", "\0", "😀" * 50, "a" * 4000, "ß\u202e\ufeff", "line\nbreak", "SHOUTING!!!", "<b>&amp;</b>", "مرحبا"]


@pytest.fixture(scope="module", params=["remote", *SHIPPED])
def scorer(request: pytest.FixtureRequest) -> Iterator[Scorer]:
    if request.param != "remote":
        yield SHIPPED[request.param]()
        return
    with ModelServer().running() as server, httpx.Client(timeout=10) as client:
        yield RemoteScorer(client, server.url, Model("mine", "7"), batch=16)


def test_it_has_a_name_and_a_version(scorer: Scorer) -> None:
    assert all(scorer.model)


def test_one_opinion_per_text_in_order(scorer: Scorer) -> None:
    alone = [scorer.score([text])[0] for text in TEXTS[:40]]
    assert scorer.score(TEXTS[:40]) == alone
    assert scorer.score(TEXTS[:40][::-1]) == alone[::-1]
    assert len(set(alone)) > 5


def test_no_texts_no_opinions(scorer: Scorer) -> None:
    assert scorer.score([]) == []


@pytest.mark.parametrize("size", [1, 3, 16, 17, 64])
def test_equal_texts_get_equal_opinions_in_any_batch(scorer: Scorer, size: int) -> None:
    batches = [scorer.score(TEXTS[start : start + size]) for start in range(0, 64, size)]
    assert [opinion for batch in batches for opinion in batch][:64] == scorer.score(TEXTS[:64])
    assert len(set(scorer.score([TEXTS[0]] * size))) == 1


def test_labels_scores_and_confidences_are_in_range_for_any_text(scorer: Scorer) -> None:
    opinions = scorer.score(TEXTS + ODD)
    assert {opinion.label for opinion in opinions} <= set(get_args(Label))
    assert all(-1 <= opinion.score <= 1 and 0 <= opinion.confidence <= 1 for opinion in opinions)
    assert all(opinion.score >= 0 for opinion in opinions if opinion.label == "positive")
    assert all(opinion.score <= 0 for opinion in opinions if opinion.label == "negative")


def test_several_threads_get_the_same_opinions(scorer: Scorer) -> None:
    parts = [TEXTS[start : start + 5] for start in range(0, 100, 5)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(scorer.score, parts * 3)) == [scorer.score(part) for part in parts] * 3

"""The weights of words, and the rule that decides without them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.explanations import MOST, Explanation, WordWeight, explanation_of, occlusion_of, spans
from services.sentiment.domain.scorer import Opinion
from services.sentiment.domain.scoring import Unscorable, opinions_of
from services.sentiment.domain.vader import VaderScorer
from tests.unit.sentiment.test_scoring import FailsOn

VADER = VaderScorer()


def explain(text: str, scorer: object = VADER) -> Explanation:
    occlusion = occlusion_of(text, 2)
    return explanation_of(occlusion, opinions_of(scorer, occlusion.variants))  # type: ignore[arg-type]


def test_good_words_weigh_above_zero_bad_ones_below_and_others_nothing() -> None:
    explanation = explain("Great product but terrible support")
    weights = {word.word: word.weight for word in explanation.words}
    assert [word.word for word in explanation.words] == ["Great", "product", "but", "terrible", "support"]
    assert weights["Great"] > 0.1
    assert weights["terrible"] < -0.4
    assert weights["product"] == 0
    assert explanation.rule is None


def test_a_weight_is_the_score_minus_the_score_without_the_word() -> None:
    full, less = (VADER.score([text])[0].score for text in ("It was not good", "It was  good"))
    assert explain("It was not good").words[2] == WordWeight("not", 7, 10, round(full - less, 4))


def test_a_single_word_weighs_the_whole_score() -> None:
    assert explain(" Great! ").words == (WordWeight("Great!", 1, 7, VADER.score([" Great! "])[0].score),)


@pytest.mark.parametrize(("text", "rule"), [("0/10", "rating"), ("n/a", "non_answer"), ("👎", "emoji"), ("", "non_answer")])
def test_a_text_that_a_rule_decides_is_explained_by_its_name_without_the_model(text: str, rule: str) -> None:
    assert occlusion_of(text, 2).variants == []
    assert explain(text) == Explanation(rule)


def test_offsets_count_characters() -> None:
    text = "👩‍🚀 schöne Lösung"
    assert [text[word.start : word.end] for word in explain(text).words] == ["👩‍🚀", "schöne", "Lösung"]


@given(st.text(max_size=400) | st.lists(st.text("ab \n", max_size=9), max_size=200).map(" ".join))
def test_spans_are_in_order_cover_every_word_and_are_at_most_the_limit(text: str) -> None:
    result = spans(text)
    assert len(result) <= MOST
    assert all(start < end for start, end in result)
    assert all(before[1] < after[0] for before, after in pairwise(result))
    assert "".join("".join(text[start:end].split()) for start, end in result) == "".join(text.split())


@pytest.mark.parametrize(("words", "runs"), [(60, 60), (61, 31), (120, 60), (121, 41), (2000, 59)])
def test_a_long_text_is_explained_by_runs_of_words(words: int, runs: int) -> None:
    text = " ".join(f"w{n}" for n in range(words))
    assert len(explain(text).words) == runs
    assert len(occlusion_of(text, 2).variants) == runs + 1


def test_a_word_whose_variant_the_model_cannot_score_weighs_nothing() -> None:
    occlusion = occlusion_of("fine enough", 2)
    assert [word.weight for word in explain("fine enough", FailsOn("fine enough")).words] == [0, 0]
    opinions: list[Opinion | Unscorable] = [*VADER.score(occlusion.variants[:2]), Unscorable("x")]
    assert explanation_of(occlusion, opinions).words[1].weight == 0

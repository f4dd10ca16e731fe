"""The words that moved a score, and the rule that needs none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.explaining import MOST, Explanation, Moved, explained, question, spans
from services.sentiment.domain.judging import Unscorable, opinions_of
from services.sentiment.domain.vader import VaderScorer
from tests.unit.sentiment.test_judging import FailsOn

VADER = VaderScorer()


def explain(text: str, scorer: object = VADER) -> Explanation:
    asked = question(text)
    return explained(asked, opinions_of(scorer, asked.variants))  # type: ignore[arg-type]


def test_a_good_word_lifts_a_bad_one_weighs_down_and_the_rest_hardly_counts() -> None:
    said = explain("Great product but terrible support")
    weights = {moved.word: moved.weight for moved in said.words}
    assert [moved.word for moved in said.words] == ["Great", "product", "but", "terrible", "support"]
    assert weights["Great"] > 0.1
    assert weights["terrible"] < -0.4
    assert weights["product"] == 0
    assert said.rule is None


def test_a_weight_is_the_score_less_that_without_the_word() -> None:
    full, less = (VADER.score([text])[0].score for text in ("It was not good", "It was  good"))
    assert explain("It was not good").words[2] == Moved("not", 7, 10, round(full - less, 4))


def test_a_word_alone_has_moved_all_of_the_score() -> None:
    assert explain(" Great! ").words == (Moved("Great!", 1, 7, VADER.score([" Great! "])[0].score),)


@pytest.mark.parametrize(("text", "rule"), [("0/10", "rating"), ("n/a", "non_answer"), ("👎", "emoji"), ("", "non_answer")])
def test_what_a_rule_decided_is_explained_by_its_name_and_asks_nothing(text: str, rule: str) -> None:
    assert question(text).variants == []
    assert explain(text) == Explanation(rule)


def test_offsets_count_characters_and_not_their_bytes_or_halves() -> None:
    text = "👩‍🚀 schöne Lösung"
    assert [text[moved.start : moved.end] for moved in explain(text).words] == ["👩‍🚀", "schöne", "Lösung"]


@given(st.text(max_size=400) | st.lists(st.text("ab \n", max_size=9), max_size=200).map(" ".join))
def test_spans_are_in_order_cover_every_word_and_are_not_too_many(text: str) -> None:
    found = spans(text)
    assert len(found) <= MOST
    assert all(start < end for start, end in found)
    assert all(before[1] < after[0] for before, after in pairwise(found))
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())


@pytest.mark.parametrize(("words", "runs"), [(60, 60), (61, 31), (120, 60), (121, 41), (2000, 59)])
def test_a_long_text_is_explained_by_runs_of_words(words: int, runs: int) -> None:
    text = " ".join(f"w{n}" for n in range(words))
    assert len(explain(text).words) == runs
    assert len(question(text).variants) == runs + 1


def test_a_text_on_which_the_model_fails_weighs_nothing() -> None:
    asked = question("fine enough")
    assert [moved.weight for moved in explain("fine enough", FailsOn("fine enough")).words] == [0, 0]
    opinions = [*VADER.score(asked.variants[:2]), Unscorable("x")]
    assert explained(asked, opinions).words[1].weight == 0

"""`mixed`: by pieces, as learnt by the network, its thresholds, and the comments from which it is learnt."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from services.sentiment.domain.languages import SERVED
from services.sentiment.domain.reading import Manner, Reading, opinions
from services.sentiment.domain.scorer import Model
from services.sentiment.domain.transformer import Outcome, TransformerFacts, TransformerScorer
from services.sentiment.network import E5, PREVIOUS_E5, OnnxNetwork, facts_of
from services.sentiment.training import choosing
from services.sentiment.training.data import Row
from services.sentiment.training.newer import hits
from services.sentiment.training.themes.data import newer_gold
from services.sentiment.training.two_sided.data import (
    DRAWN,
    PUBLIC,
    Clauses,
    TwoSidedLessons,
    joined,
    sheets,
    two_sided_texts,
)

LEARNT = Manner(pole=0.99, long=60, both=0.6)
SHEETS = sheets()


def read(texts: Sequence[str]) -> Reading:
    """A model that has learnt that "yet" turns a comment; all is neutral to it."""
    both = np.array([0.8 if "yet" in text else 0.1 for text in texts])
    return Reading(np.tile([0.2, 0.6, 0.2], (len(texts), 1)), None, both)


def is_mixed(text: str, manner: Manner = LEARNT) -> bool:
    (opinion,) = opinions([text], read, manner, 2)
    return opinion.mixed


def test_a_comment_without_pieces_is_mixed_if_the_model_has_learnt_it() -> None:
    assert is_mixed("Kind yet slow")
    assert not is_mixed("Kind and quick")


def test_a_short_comment_is_read_as_a_whole_and_a_long_one_by_its_pieces() -> None:
    assert is_mixed("It was kind. It was yet slow.")
    assert is_mixed("It was a very long and rather tedious comment. It was yet slow. And it was full of words.")


def test_a_model_that_has_not_learnt_it_flags_by_its_pieces_alone() -> None:
    assert not is_mixed("Kind yet slow", Manner(pole=0.99, long=60))


def test_networks_before_the_shipped_one_have_no_such_output() -> None:
    assert OnnxNetwork(E5)(["fine"]).both is not None
    assert OnnxNetwork(PREVIOUS_E5)(["fine"]).both is None


def test_the_scorer_reads_the_probability_from_the_logit() -> None:
    def network(texts: Sequence[str]) -> Outcome:
        logits = np.array([[-1000.0], [0.0], [1000.0]], np.float32)[: len(texts)]
        return Outcome(np.zeros((len(texts), 3), np.float32), np.ones((len(texts), 2), np.float32), logits)

    scorer = TransformerScorer(network, TransformerFacts(Model("x", "1", 2), 1.0, LEARNT, 0.5))
    assert scorer.read(["a", "b", "c"]).both == pytest.approx([0, 0.5, 1])
    assert [opinion.mixed for opinion in scorer.score(["a", "b", "c"])] == [False, False, True]


def test_the_facts_of_a_file_state_the_rules_and_the_threshold_and_old_files_lack_them() -> None:
    old = {"id": "e5", "version": "2", "temperature": "1.2", "pole": "0.7", "long": "300", "near": "0.16"}
    assert facts_of(old) == TransformerFacts(Model("e5", "2", 1), 1.2, Manner(0.7, 300, None), 0.16)
    new = old | {"version": "3", "rules": "2", "both": "0.55"}
    assert facts_of(new) == TransformerFacts(Model("e5", "3", 2), 1.2, Manner(0.7, 300, 0.55), 0.16)
    newest = new | {"improbable": "0.005", "short": "200", "doubt": "0.1", "whole": "True", "behind": "0.03"}
    manner = Manner(0.7, 300, 0.55, improbable=0.005, short=200, doubt=0.1, whole=True)
    assert facts_of(newest) == TransformerFacts(Model("e5", "3", 2), 1.2, manner, 0.16, 0.03)


def test_the_thresholds_find_the_most_at_the_allowed_false_rate() -> None:
    texts = [f"plain comment {number}" for number in range(100)] + ["a yet b"] * 3
    pole, both = choosing.bars_for_mixed(texts, ["kind yet slow"] * 5, ["plain"], read, Manner(0.7, 300))
    assert 0.1 < both <= 0.8
    signs = choosing.signs_of_mixed(texts, read, Manner(0.7, 300))
    assert ((signs[:, 0] >= pole) | (signs[:, 1] >= both)).mean() <= choosing.FALSE


def test_the_thresholds_spare_comments_that_only_seem_to_praise_and_complain() -> None:
    plain = [f"plain comment {number}" for number in range(100)]
    alike = ["kind, yet kind"] * 2 + plain[:8]
    _, both = choosing.bars_for_mixed(plain, ["kind yet slow"], alike, read, Manner(0.7, 300))
    assert both > 0.8


def test_the_signs_of_a_text_are_those_that_the_service_sees() -> None:
    texts = ["Kind yet slow", "It was a very long and rather tedious comment. It was yet slow. And it was full of words."]
    assert choosing.signs_of_mixed(texts, read, Manner(0.7, 60))[:, 1] == pytest.approx([0.8, 0.8])


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def clauses_of(clauses: Clauses) -> list[str]:
    return [*clauses.good, *clauses.bad, *clauses.both, *clauses.one]


def test_there_are_clauses_in_every_served_language() -> None:
    assert {sheet.language for sheet in SHEETS} == SERVED
    for sheet in SHEETS:
        assert min(len(sheet.train.good), len(sheet.train.bad)) >= 16
        assert min(len(sheet.train.both), len(sheet.train.one), len(sheet.train.joins)) >= 8
        assert min(map(len, (sheet.held_out.good, sheet.held_out.bad, sheet.held_out.joins))) >= 4


@pytest.mark.parametrize("sheet", [pytest.param(sheet, id=sheet.language) for sheet in SHEETS])
def test_no_held_out_clause_or_join_resembles_a_trained_one(sheet: object) -> None:
    (one,) = [other for other in SHEETS if other is sheet]
    trained = [words(text) for text in clauses_of(one.train)]
    near = [
        text
        for text in clauses_of(one.held_out)
        for known in trained
        if len(words(text) & known) >= 0.6 * len(words(text) | known)
    ]
    assert near == []
    assert not set(one.train.joins) & set(one.held_out.joins)


def test_newer_gold_is_not_among_the_clauses() -> None:
    trained = [words(text) for sheet in SHEETS for text in (*sheet.train.both, *sheet.train.one)]
    assert [
        one.text
        for one in newer_gold()
        for known in trained
        if len(words(one.text) & known) >= 0.6 * len(words(one.text) | known)
    ] == []


def test_two_clauses_are_joined_with_capitals_where_the_join_has_them() -> None:
    assert joined("{A}, but {b}. {B}!", "it works", "ever so slowly") == "It works, but ever so slowly. Ever so slowly!"


def test_a_lesson_has_both_kinds_and_public_comments_with_one_label() -> None:
    rows = [Row(f"public {number}", "neg", "brands") for number in range(99)] + [Row("turned", "pos", "own_contrast")] * 99
    texts, truth = TwoSidedLessons(SHEETS, rows).draw()
    assert (sum(truth), len(truth), len(texts)) == (DRAWN, 2 * DRAWN + PUBLIC, 2 * DRAWN + PUBLIC)
    assert sum(text.startswith("public") for text in texts) == PUBLIC
    assert "turned" not in texts


def test_held_out_comments_are_many_and_the_same_each_time() -> None:
    assert two_sided_texts(SHEETS) == two_sided_texts(SHEETS)
    assert len(two_sided_texts(SHEETS)) >= 200
    assert not set(two_sided_texts(SHEETS)) & set(two_sided_texts(SHEETS, both=False))


def test_hits_count_precision_recall_and_false_rate() -> None:
    assert hits([True, True, False, False], [True, False, True, False]) == (0.5, 0.5, 0.5)
    assert hits([False], [False]) == (1.0, 0.0, 0.0)

"""Our own whole comments for training: labelled completely, and copied from nothing on which figures are measured."""

import json
from collections import Counter
from functools import cache

import pytest

from services.sentiment.domain.languages import SERVED
from services.sentiment.domain.urgency import REASONS
from services.sentiment.taxonomy_cache import read_default
from services.sentiment.training.comments.data import HERE, comments
from services.sentiment.training.data import KINDS
from services.sentiment.training.own.templates import own_rows
from services.sentiment.training.themes.data import LabelledComment, gold, newer_gold
from services.sentiment.training.two_sided.data import sheets, two_sided_texts
from tests.unit.sentiment.copies import copies
from tests.unit.sentiment.urgent_sentences import FRESH, HELD_OUT

THEMES = {theme.id for theme in read_default().themes}


@cache
def everything() -> tuple[LabelledComment, ...]:
    return (*comments(held_out=False), *comments(held_out=True))


def measured_texts() -> dict[str, list[str]]:
    """Texts on which figures are measured or thresholds chosen, by where they are."""
    clauses = [sheet.held_out for sheet in sheets()]
    return {
        "gold": [comment.text for comment in gold()],
        "newer gold": [comment.text for comment in newer_gold()],
        "own held-out rows": [row.text for row in own_rows(held_out=True)],
        "two-sided": [
            *two_sided_texts(sheets()),
            *two_sided_texts(sheets(), both=False),
            *(text for one in clauses for text in (*one.both, *one.one)),
        ],
        "urgent, fresh": [sentence.text for sentence in FRESH],
        "urgent, held out": [sentence.text for sentence in HELD_OUT],
    }


def test_each_file_has_comments_in_the_served_language_that_it_is_named_after() -> None:
    languages = {
        file.stem: {json.loads(line)["lang"] for line in file.read_text("utf-8").splitlines()} for file in HERE.glob("*.jsonl")
    }
    assert languages == {tag: {tag} for tag in SERVED}


def test_comments_have_themes_of_the_default_taxonomy() -> None:
    assert {theme for comment in everything() for theme in comment.themes} == THEMES


def test_comments_have_known_reasons_each_once() -> None:
    assert {reason for comment in everything() for reason in comment.urgency} == set(REASONS)
    assert [comment.text for comment in everything() if len(set(comment.urgency)) < len(comment.urgency)] == []


def test_comments_are_unique_and_not_empty() -> None:
    counts = Counter(" ".join(comment.text.casefold().split()) for comment in everything())
    assert "" not in counts
    assert [text for text, times in counts.items() if times > 1] == []


@pytest.mark.parametrize("source", sorted(measured_texts()))
def test_no_comment_is_a_copy_of_one_that_is_measured(source: str) -> None:
    assert copies([comment.text for comment in everything()], measured_texts()[source]) == []


def test_about_a_fifth_is_held_out_in_each_language() -> None:
    held, total = Counter(one.lang for one in comments(held_out=True)), Counter(one.lang for one in everything())
    assert 0.17 <= held.total() / total.total() <= 0.23
    assert all(0.15 <= held[lang] / total[lang] <= 0.25 for lang in SERVED)


@pytest.mark.parametrize("held_out", [False, True])
def test_both_parts_have_every_language_label_theme_and_reason(held_out: bool) -> None:
    part = comments(held_out)
    assert {comment.lang for comment in part} == SERVED
    assert {(comment.lang, comment.label) for comment in part} == {(lang, kind) for lang in SERVED for kind in KINDS}
    assert {theme for comment in part for theme in comment.themes} == THEMES
    assert {reason for comment in part for reason in comment.urgency} == set(REASONS)
    assert {comment.mixed for comment in part} == {False, True}


def test_few_held_out_comments_resemble_a_learnt_one() -> None:
    held = [comment.text for comment in comments(held_out=True)]
    alike = {text for text, _ in copies(held, [comment.text for comment in comments(held_out=False)])}
    assert len(alike) <= 0.01 * len(held)

"""Long runs of marks and joiners are shortened, and nothing else is changed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.runs import MOST_MARKS, with_few_marks, without_long_chains


@pytest.mark.parametrize("mark", ["\u0301", "\u0316\u0301", "\u0344", "\u0f73", "\u05b0\u0591", "\u064b", "\U0001d165"])
def test_a_run_of_marks_is_cut(mark: str) -> None:
    assert with_few_marks(f"a{mark * 100}b") == f"a{(mark * 100)[:MOST_MARKS]}b"


@pytest.mark.parametrize("text", ["Zalgo e\u0301\u0316\u0301", "हिन्दी में लिखा", "שָׁלוֹם", "مُحَمَّد", "à la carte", ""])
def test_marks_as_people_write_them_stay(text: str) -> None:
    assert with_few_marks(text) == text


def test_every_mark_that_normalisation_moves_is_known() -> None:
    marks = [chr(code) for code in range(0x110000) if unicodedata.combining(chr(code))]
    assert [mark for mark in marks if len(with_few_marks(mark * 40)) != MOST_MARKS] == []


@pytest.mark.parametrize(
    "text",
    ["👩\u200d👩\u200d👧\u200d👦", "👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏿", "🏳\ufe0f\u200d🌈 👍🏽", "no emoji"],
)
def test_emoji_stay(text: str) -> None:
    assert without_long_chains(text) == text


def test_the_joiners_of_a_long_chain_are_left_out() -> None:
    assert without_long_chains("so " + "👩\u200d" * 20 + "👩 nice") == "so " + "👩" * 21 + " nice"


@given(st.text())
def test_texts_without_long_runs_stay(text: str) -> None:
    assert without_long_chains(with_few_marks(text)) == text

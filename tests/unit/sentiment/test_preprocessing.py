"""Normalisation of texts for our own models, and their pieces."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.preprocessing import MOST_MARKS, cased, prepared, with_few_marks, without_long_chains
from services.sentiment.domain.reading import cut, pieces


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("  GREAT\n\nService ", "great service"),
        ("see https://example.com/a?b=c and www.example.com", "see http and http"),
        ("@Acme_Help why? me@example.com", "@user why? me@example.com"),
        ("soooooo goooood!!!!!", "soo good!!"),
        ("Straße", "strasse"),
        ("don’t &amp; won’t", "don't & won't"),
        ("ok 👍🏽", "ok thumbs up"),
        ("ok 👍", "ok thumbs up"),
        ("nice :)", "nice smiling face"),
        ("well :-(", "well frowning face"),
        ("ﬁne…", "fine.."),
        ("مُمْتَــــاز", "ممتاز"),
        ("caf\u0065\u0301", "café"),
        ("a\u200bb\u00adc", "abc"),
        ("", ""),
    ],
)
def test_normalisation_of_texts(text: str, read: str) -> None:
    assert prepared(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Great, says the CEO of IBM", "Great, says the CEO of IBM"),
        ("WORST SERVICE EVER", "worst service ever"),
        ("WORST SERVICE EVER 😡😡", "worst service ever enraged face enraged face"),
        ("WORST SERVICE EVER https://example.com/a-long-way-to-go @somebody", "worst service ever http @user"),
        ("NASA 🚀", "NASA rocket"),
        ("WORST SHOP abc", "WORST SHOP abc"),
        ("WORST SHOPS abc", "worst shops abc"),
    ],
)
def test_case_is_kept_unless_the_text_is_shouted(text: str, read: str) -> None:
    assert cased(text, 1) == read


@given(st.text(max_size=200))
def test_prepared_texts_have_single_spaces_and_no_capitals(text: str) -> None:
    read = prepared(text)
    assert "  " not in read
    assert read == read.strip()
    assert read == "".join(sign.casefold() for sign in read)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("The food was great. The service was slow!", ["The food was great.", "The service was slow!"]),
        ("The food was great, but the service was slow", ["The food was great", "the service was slow"]),
        ("Das Essen war gut, aber der Kellner war unfreundlich.", ["Das Essen war gut", "der Kellner war unfreundlich."]),
        ("Le plat était bon mais le serveur désagréable", ["Le plat était bon", "le serveur désagréable"]),
        ("La comida estaba rica, pero el camarero fue grosero", ["La comida estaba rica", "el camarero fue grosero"]),
        ("Version 2.5 works", ["Version 2.5 works"]),
        ("Hi. It never came", ["Hi. It never came"]),
        ("Is bad. It never came", ["Is bad. It never came"]),
        ("Is good. It never came", ["Is good.", "It never came"]),
        ("One line here\nanother line here", ["One line here", "another line here"]),
        ("", []),
    ],
)
def test_a_comment_is_split_at_sentence_ends_and_at_but(text: str, parts: list[str]) -> None:
    assert [pieces(text, rules) for rules in (1, 2, 3)] == [parts] * 3


@given(st.text(alphabet="ab.!? \n", max_size=60))
def test_no_piece_is_blank_and_no_letter_is_missing(text: str) -> None:
    parts = pieces(text, 3)
    assert all(part.strip() for part in parts)
    assert [sign for part in parts for sign in part if sign in "ab"] == [sign for sign in text if sign in "ab"]


@pytest.mark.timing
@pytest.mark.parametrize("filler", [" ", " \n", "but ", ", ma ", "; ", ". ", "\n"])
def test_splitting_takes_linear_time(filler: str) -> None:
    began = time.process_time()
    for _ in range(5):
        pieces("a" + filler * (4_000 // len(filler)) + "b", 3)
    assert time.process_time() - began < 1


def test_a_long_sentence_is_split_at_a_space() -> None:
    parts = pieces("word " * 200, 3)
    assert all(len(piece) <= 300 for piece in parts)
    assert " ".join(parts) == ("word " * 200).strip()


def test_a_space_after_one_character_is_enough_for_a_split() -> None:
    assert cut(f"I {'n' * 300}") == ["I", f" {'n' * 299}", "n"]


# --- long runs of marks and joiners ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mark", ["\u0301", "\u0316\u0301", "\u0344", "\u0f73", "\u05b0\u0591", "\u064b", "\U0001d165"])
def test_a_long_run_of_marks_is_shortened(mark: str) -> None:
    assert with_few_marks(f"a{mark * 100}b") == f"a{(mark * 100)[:MOST_MARKS]}b"


@pytest.mark.parametrize("text", ["Zalgo e\u0301\u0316\u0301", "हिन्दी में लिखा", "שָׁלוֹם", "مُحَمَّد", "à la carte", ""])
def test_usual_marks_are_kept(text: str) -> None:
    assert with_few_marks(text) == text


def test_every_mark_that_normalisation_reorders_is_limited() -> None:
    marks = [chr(code) for code in range(0x110000) if unicodedata.combining(chr(code))]
    assert [mark for mark in marks if len(with_few_marks(mark * 40)) != MOST_MARKS] == []


@pytest.mark.parametrize(
    "text",
    ["👩\u200d👩\u200d👧\u200d👦", "👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏿", "🏳\ufe0f\u200d🌈 👍🏽", "no emoji"],
)
def test_emoji_are_kept(text: str) -> None:
    assert without_long_chains(text) == text


def test_the_joiners_of_a_long_chain_are_removed() -> None:
    assert without_long_chains("so " + "👩\u200d" * 20 + "👩 nice") == "so " + "👩" * 21 + " nice"


@given(st.text())
def test_texts_without_long_runs_are_unchanged(text: str) -> None:
    assert without_long_chains(with_few_marks(text)) == text

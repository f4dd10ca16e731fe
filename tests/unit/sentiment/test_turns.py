"""A "but" splits a sentence only in its own language, since version 3 of the rules."""

import pytest

from services.sentiment.domain.reading import pieces
from services.sentiment.domain.turns import split_at_turns

HALVES = [
    ("La consegna è veloce, ma il pacco era rotto", ["La consegna è veloce", "il pacco era rotto"]),
    ("Bello, ma caro", ["Bello", "caro"]),
    ("Le plat était bon, mais cher", ["Le plat était bon", "cher"]),
    ("Gostei muito, mas chegou tarde", ["Gostei muito", "chegou tarde"]),
    ("The food was great but the room was cold", ["The food was great", "the room was cold"]),
    ("De kamer was goed, echter te duur", ["De kamer was goed", "te duur"]),
    ("Het is mooi maar de bezorging duurde lang", ["Het is mooi", "de bezorging duurde lang"]),
    ("gut aber teuer", ["gut", "teuer"]),
    ("Das ist schön, aber teuer", ["Das ist schön", "teuer"]),
    ("Estaba rico, pero frío", ["Estaba rico", "frío"]),
]
"""Sentences that turn, and their parts."""
WHOLE = [
    "Le produit est super, ma fille est ravie",
    "Bonjour, ma commande est arrivée cassée",
    "É caro, mais caro do que o outro",
    "Es caro, mas caro que el otro",
    "C'est dans le but de vous aider",
    "Das war ein echter Gewinn für mich",
    "Das ist aber schön",
    "Der Preis ist aber hoch",
    "Ik heb maar één keer gebeld",
    "Everything but the invoice arrived",
]
"""Sentences with such a word that do not turn."""


@pytest.mark.parametrize(("sentence", "parts"), HALVES)
def test_a_sentence_is_split_at_a_but_of_its_language(sentence: str, parts: list[str]) -> None:
    assert split_at_turns(sentence, 3) == split_at_turns(sentence, 2) == parts


@pytest.mark.parametrize("sentence", WHOLE)
def test_a_sentence_is_not_split_at_a_word_of_another_language_or_sense(sentence: str) -> None:
    assert split_at_turns(sentence, 3) == [sentence]


@pytest.mark.parametrize("rules", [1, 2])
def test_earlier_versions_split_as_ever(rules: int) -> None:
    assert split_at_turns("Le produit est super, ma fille est ravie", rules) == ["Le produit est super", "fille est ravie"]
    assert split_at_turns("Das ist aber schön", rules) == ["Das ist", "schön"]


def test_each_sentence_of_a_comment_has_a_language_of_its_own() -> None:
    text = "Le produit est super, ma fille est ravie. La consegna è veloce, ma il pacco era rotto."
    assert pieces(text, 3) == ["Le produit est super, ma fille est ravie.", "La consegna è veloce", "il pacco era rotto."]


def test_a_turn_between_two_others_that_are_none_is_kept() -> None:
    assert split_at_turns("Das ist aber schön, aber das war aber teuer", 3) == ["Das ist aber schön", "das war aber teuer"]

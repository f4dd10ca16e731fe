"""Typos for training: small, of many kinds, and the same for the same seed."""

from collections import Counter
from random import Random

import pytest

from services.sentiment.training.own import typos as module
from services.sentiment.training.own.templates import own_rows
from services.sentiment.training.own.typos import SLIPS, typos

ENGLISH = [row.text for row in own_rows(held_out=False) if row.lang == "en"]
EXPECTED: dict[module.Slip, tuple[str, set[str]]] = {
    module.swapped: ("abcd", {"acbd", "abdc"}),
    module.dropped: ("abcd", {"acd", "abd", "abc"}),
    module.doubled: ("abcd", {"abbcd", "abccd", "abcdd"}),
    module.beside: ("abcd", {"ancd", "abvd", "abcf"}),
    module.without_apostrophe: ("don't", {"dont"}),
    module.without_space: ("is so so", {"isso so", "is soso"}),
    module.lower: ("OK", {"ok"}),
    module.without_diacritics: ("très déçu", {"tres decu"}),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_each_typo_has_its_effect(slip: module.Slip) -> None:
    text, expected = EXPECTED[slip]
    assert {slip(text, Random(seed)) for seed in range(40)} == expected


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("text", ["no", "not", "nie", ""])
def test_a_short_negation_is_not_changed(slip: module.Slip, text: str) -> None:
    assert {slip(text, Random(seed)) for seed in range(20)} == {text}


def test_typos_keep_most_letters() -> None:
    for seed, text in enumerate(ENGLISH):
        before, after = letters(text), letters(typos(text, seed))
        assert (before - after).total() <= 2
        assert (after - before).total() <= 2


def letters(text: str) -> Counter[str]:
    return Counter(filter(str.isalnum, module.without_diacritics(text.lower(), Random(0))))


def test_typos_change_nearly_every_text_and_not_always_the_same_way() -> None:
    long = [text for text in ENGLISH if len(text) > 20]
    assert sum(typos(text, seed) != text for seed, text in enumerate(long)) > 0.98 * len(long)
    assert len({typos("Finally the app doesn't crash any more", seed) for seed in range(50)}) > 25


def test_typos_are_the_same_for_the_same_seed() -> None:
    assert [typos("The parcel never came", seed) for seed in range(20)] == [
        typos("The parcel never came", Random(seed)) for seed in range(20)
    ]


def test_a_text_without_possible_typos_is_unchanged() -> None:
    assert typos("7/10", 1) == "7/10"

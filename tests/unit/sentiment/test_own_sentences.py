"""Our own templates: complete, balanced, and never tested with texts of the training."""

import re
from collections import Counter
from typing import get_args

import pytest

from services.sentiment.training.data import KINDS
from services.sentiment.training.own.templates import FOLDER, SLOT, Group, Sheet, filled, fillings, own_rows, rows_of, sheets
from tests.unit.sentiment.own_sentences import SENTENCES, sentences

FILES = sorted(file.stem for file in FOLDER.glob("*.toml"))
SHEETS = [pytest.param(sheet, id=name) for name, sheet in zip(FILES, sheets(), strict=True)]
LANGUAGES = sorted({sheet.language for sheet in sheets()})
NEAR = 0.8
"""The Jaccard similarity of two templates' words from which they count as one."""
SHARES = {"en": (0.28, 0.40)}
"""The least and the most that a label may have of a language's rows."""
SHORT = (0.20, 0.45)
"""The same for languages of a few templates."""


def words(template: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", template.casefold()))


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


def templates(sheet: Sheet, held_out: bool) -> list[str]:
    return [template for group in sheet.groups for template in group.templates(held_out)]


def templates_of(language: str, held_out: bool) -> list[str]:
    return [template for sheet in sheets() if sheet.language == language for template in templates(sheet, held_out)]


def test_there_are_many_english_templates() -> None:
    assert len(templates_of("en", held_out=False)) >= 600
    assert len(templates_of("en", held_out=True)) >= 220
    assert len({group.name for sheet in sheets() if sheet.language == "en" for group in sheet.groups}) == 16


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_trained_and_held_out_templates_in_every_language(language: str) -> None:
    for held_out in (False, True):
        kinds = Counter(
            group.name for sheet in sheets() if sheet.language == language for group in sheet.groups if group.templates(held_out)
        )
        assert set(kinds) == set(get_args(Group.__annotations__["name"])), held_out


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_slot_is_defined_and_used(sheet: Sheet) -> None:
    used = {slot for held_out in (False, True) for template in templates(sheet, held_out) for slot in SLOT.findall(template)}
    assert {slot.lower() for slot in used} == set(sheet.slots)
    assert all(slot in (slot.lower(), slot.capitalize()) for slot in used)


@pytest.mark.parametrize("sheet", SHEETS)
def test_filled_templates_have_no_braces_and_single_spaces(sheet: Sheet) -> None:
    rows = [*rows_of(sheet, False, 12), *rows_of(sheet, True, 12)]
    assert [row.text for row in rows if re.search(r"[{}]|  |^\s|\s$", row.text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_are_unique(language: str) -> None:
    every = Counter(plain(template) for held_out in (False, True) for template in templates_of(language, held_out))
    assert [template for template, times in every.items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_has_two_labels(language: str) -> None:
    labels: dict[str, set[str]] = {}
    for sheet in sheets():
        for group in sheet.groups if sheet.language == language else ():
            for template in [*group.train, *group.held_out]:
                for text in fillings(template, sheet.slots, 10_000):
                    labels.setdefault(plain(text), set()).add(group.label)
    assert [text for text, kinds in labels.items() if len(kinds) > 1] == []


def test_no_held_out_text_is_in_training_in_any_language() -> None:
    trained = {plain(row.text) for row in own_rows(held_out=False, most_per_template=10_000)}
    tested = {plain(row.text) for row in own_rows(held_out=True, most_per_template=10_000)}
    assert trained & tested == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_held_out_template_is_similar_to_a_training_template(language: str) -> None:
    trained = [(template, words(template)) for template in templates_of(language, held_out=False)]
    tested = [(template, words(template)) for template in templates_of(language, held_out=True)]
    assert [(one, other) for one, a in tested for other, b in trained if alike(a, b) >= NEAR] == []


def test_the_sentences_of_tests_are_not_in_training() -> None:
    trained = {plain(row.text) for row in own_rows(held_out=False, most_per_template=10_000)}
    assert trained & {plain(text) for language in SENTENCES for text, _ in sentences(language)} == set()


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_label_has_its_share(language: str, held_out: bool) -> None:
    rows = [row for row in own_rows(held_out) if row.lang == language]
    least, most = SHARES.get(language, SHORT)
    shares = {kind: sum(row.label == kind for row in rows) / len(rows) for kind in KINDS}
    assert {kind: share for kind, share in shares.items() if not least <= share <= most} == {}


def test_a_row_has_its_group_language_and_held_out_flag() -> None:
    for held_out, split in ((False, "train"), (True, "held_out")):
        rows = own_rows(held_out)
        assert {row.split for row in rows} == {split}
        assert {row.lang for row in rows} == {sheet.language for sheet in sheets()}
        assert {row.source for row in rows} == {f"own_{group.name}" for sheet in sheets() for group in sheet.groups}


def test_the_parts_are_read_apart_or_together() -> None:
    for held_out in (False, True):
        parts = [own_rows(held_out, part="policy"), own_rows(held_out, part="kinds")]
        assert all(parts)
        assert sorted(row.text for part in parts for row in part) == sorted(row.text for row in own_rows(held_out))


def test_rows_are_deterministic() -> None:
    assert own_rows(held_out=False) == own_rows(held_out=False)


def test_a_template_gives_at_most_its_share_of_unique_texts() -> None:
    slots = {"a": ["one", "two", "three"], "b": ["x", "y"]}
    assert len(set(fillings("{A} {b}", slots, 4))) == 4
    assert sorted(fillings("{A} {b}", slots, 9)) == ["One x", "One y", "Three x", "Three y", "Two x", "Two y"]
    assert list(fillings("none", slots, 9)) == ["none"]


def test_a_capital_slot_changes_only_the_first_letter() -> None:
    assert filled("{Thing}: {thing}", {"thing": "the iPhone app"}) == "The iPhone app: the iPhone app"


def test_a_text_of_two_templates_is_one_row() -> None:
    sheet = Sheet("en", {"a": ["slow"]}, [Group("terse", "neg", train=["{A}", "slow"], held_out=[])])
    assert len(rows_of(sheet, False, 9)) == 1


def test_an_unknown_slot_raises_an_error() -> None:
    with pytest.raises(KeyError):
        list(fillings("{nothing}", {}, 9))

"""What a taxonomy may say, and what the page tells people of it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.ingest.api.taxonomy import NewTaxonomy
from services.ingest.domain.themes import MOST_EXAMPLES, MOST_THEMES, Themes, to_definitions

PAGE = Path(__file__).parents[3] / "docs" / "themes.md"
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]

read = TypeAdapter(Themes).validate_python

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60).filter(str.strip)
themes: st.SearchStrategy[Any] = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True),
            "name": st.sampled_from(["Food", "Écran", "الطعام"]),
            "description": texts,
        },
        optional={"examples": st.lists(texts | st.sampled_from(["anna@example.com", "4111 1111 1111 1111"]), max_size=3)},
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda theme: theme["id"],
)


@pytest.mark.parametrize("example", EXAMPLES, ids=["a taxonomy"])
def test_the_pages_example_is_taken_as_it_is(example: dict[str, Any]) -> None:
    kept = to_definitions(NewTaxonomy.model_validate(example).themes)
    assert [theme.name for theme in kept] == [theme["name"] for theme in example["themes"]]
    assert [list(theme.examples) for theme in kept] == [theme.get("examples", []) for theme in example["themes"]]


def test_the_page_tells_the_bounds_that_hold() -> None:
    assert f"Up to {MOST_THEMES} themes" in PAGE.read_text()
    assert f"`examples` (up to {MOST_EXAMPLES} of" in PAGE.read_text()


@given(themes)
def test_what_was_kept_is_kept_the_same_when_it_is_set_again(given: list[dict[str, Any]]) -> None:
    kept = to_definitions(read(given))
    again = [{"id": t.id, "name": t.name, "description": t.description, "examples": list(t.examples)} for t in kept]
    assert to_definitions(read(again)) == kept


def test_the_numbers_of_one_theme_are_judged_whatever_the_others_hold() -> None:
    full = [
        {"id": f"t{n}", "name": "T", "description": "", "examples": ["4111 1111 1111 1111"] * MOST_EXAMPLES} for n in range(5)
    ]
    assert {example for theme in to_definitions(read(full)) for example in theme.examples} == {"[card]"}

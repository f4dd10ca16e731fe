"""The bounds of a taxonomy, its redaction, and the page that describes it."""

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
def test_the_example_of_the_page_is_valid(example: dict[str, Any]) -> None:
    stored = to_definitions(NewTaxonomy.model_validate(example).themes)
    assert [theme.name for theme in stored] == [theme["name"] for theme in example["themes"]]
    assert [list(theme.examples) for theme in stored] == [theme.get("examples", []) for theme in example["themes"]]


def test_the_page_states_the_bounds_of_the_code() -> None:
    assert f"Up to {MOST_THEMES} themes" in PAGE.read_text()
    assert f"`examples` (up to {MOST_EXAMPLES} of" in PAGE.read_text()


@given(themes)
def test_a_stored_taxonomy_is_stored_unchanged_when_it_is_set_again(drawn: list[dict[str, Any]]) -> None:
    stored = to_definitions(read(drawn))
    again = [{"id": t.id, "name": t.name, "description": t.description, "examples": list(t.examples)} for t in stored]
    assert to_definitions(read(again)) == stored


def test_each_theme_has_its_own_redaction_budget() -> None:
    full = [
        {"id": f"t{n}", "name": "T", "description": "", "examples": ["4111 1111 1111 1111"] * MOST_EXAMPLES} for n in range(5)
    ]
    assert {example for theme in to_definitions(read(full)) for example in theme.examples} == {"[card]"}

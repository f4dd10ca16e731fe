"""The default taxonomy and its file."""

from pathlib import Path

import pytest

from services.sentiment.taxonomy_cache import read_default
from services.sentiment.weights import BrokenModel


def test_the_default_is_revision_zero_and_names_each_theme_once() -> None:
    default = read_default()
    ids = [theme.id for theme in default.themes]
    assert default.revision == 0
    assert {"delivery", "price", "billing", "support_agent", "waiting_time"} < set(ids)
    assert len(ids) == len(set(ids))
    assert all(theme.name and theme.description.endswith(".") for theme in default.themes)


def test_every_theme_has_enough_examples_some_of_them_arabic_and_none_twice() -> None:
    themes = read_default().themes
    assert all(len(theme.examples) >= 24 for theme in themes)
    assert all(any("\u0600" <= sign <= "\u06ff" for sign in "".join(theme.examples)) for theme in themes)
    examples = [example.casefold() for theme in themes for example in theme.examples]
    assert len(set(examples)) == len(examples)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"revision": 0, "themes": [{"id": 1}]}', '{"revision": 0, "themes": [], "more": 1}']
)
def test_a_malformed_file_raises_broken_model(content: str, tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.json"
    file.write_text(content)
    with pytest.raises(BrokenModel, match=r"taxonomy\.json"):
        read_default(file)


def test_a_missing_file_raises_broken_model(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="FileNotFoundError"):
        read_default(tmp_path / "none.json")

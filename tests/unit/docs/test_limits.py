"""The page of limits names settings that exist, with their defaults."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
SETTING = re.compile(r"^\| `([A-Z_]+)` \| [^|]* \| `([^`]*)` \|", re.MULTILINE)
NAMED = re.compile(r"`([A-Z]+_[A-Z_]+)`")
VALUED = re.compile(r"([\d,]+)(?: s)? \(`([A-Z]+_[A-Z_]+)`\)")


def test_every_setting_of_a_limit_exists_and_has_the_stated_default() -> None:
    page = (DOCS / "limits.md").read_text()
    defaults = dict(SETTING.findall((DOCS / "settings.md").read_text()))
    assert [name for name in NAMED.findall(page) if name not in defaults] == []
    stated = {name: float(value.replace(",", "")) for value, name in VALUED.findall(page)}
    assert len(stated) > 8
    assert {name: float(defaults[name]) for name in stated} == stated

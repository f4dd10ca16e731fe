"""The settings in docs/limits.md exist and have the defaults that the page states."""

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
    documented = {name: float(value.replace(",", "")) for value, name in VALUED.findall(page)}
    assert len(documented) > 8
    assert {name: float(defaults[name]) for name in documented} == documented

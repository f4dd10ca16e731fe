"""The tests that docs/promises.md names exist.

A cell names files and tests: `contract/ingest_inbox`: first_test, the_beginning_of_another…. A file without a folder is in the
folder of the one before it.
"""

import re
from collections.abc import Iterator

import pytest

from tests.unit.docs.test_links import ROOT

PAGE = ROOT / "docs" / "promises.md"
ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
REFERENCE = re.compile(r"`((?:(?:contract|service|unit|e2e)/)?[\w/]+)`([^`]*)")
NAME = re.compile(r"(…?)((?:[a-z0-9]+_)+[a-z0-9]+)(…?)")


def references() -> Iterator[tuple[str, str]]:
    """(path without `tests/test_`, text after it) of every file that a row names."""
    for cell in ROW.findall(PAGE.read_text()):
        folder = ""
        for path, text in REFERENCE.findall(cell):
            if "/" in path:
                folder = path.rpartition("/")[0]
            elif folder:
                path = f"{folder}/{path}"
            if folder:
                yield path, text


REFERENCES = sorted(set(references()))


def missing(path: str, text: str) -> list[str]:
    """Of the files and tests that a reference names, those that do not exist."""
    folder, _, stem = path.rpartition("/")
    file = ROOT / "tests" / folder / f"test_{stem}.py"
    if not file.exists():
        return [str(file.relative_to(ROOT))]
    names = re.findall(r"def test_(\w+)", file.read_text())
    return [name for before, name, after in NAME.findall(text) if not any(is_named(test, before, name, after) for test in names)]


def is_named(test: str, before: str, name: str, after: str) -> bool:
    """Whether `name` is the test's name, or its end or beginning if `before` or `after` is an ellipsis."""
    return (
        test == name
        or bool(before and test.endswith(name))
        or bool(after and test.startswith(name))
        or bool(before and after and name in test)
    )


@pytest.mark.parametrize(("path", "text"), REFERENCES, ids=[path for path, _ in REFERENCES])
def test_a_named_test_exists(path: str, text: str) -> None:
    assert missing(path, text) == []


def test_the_page_names_many_tests() -> None:
    assert len(REFERENCES) > 100

"""Files, folders and modules that the documentation names exist."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.test_links import PAGES, ROOT

FOLDERS = "services|shared|tests|deploy|bench|docs|requirements"
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./*-]*)`")
MODULE = re.compile(rf"(?:`|python -m )((?:{FOLDERS})(?:\.\w+)+)`?")


def exists(path: str) -> bool:
    """Whether a file or folder matches, which may leave out the suffix `.py`."""
    return any(next(ROOT.glob(pattern), None) for pattern in (path.rstrip("/"), f"{path}.py"))


def module_exists(name: str) -> bool:
    """Whether a module exists, or the module that defines the last part of the name."""
    path = name.replace(".", "/")
    owner, _, member = path.rpartition("/")
    if exists(path):
        return True
    files = [file for file in (ROOT / f"{owner}.py", ROOT / owner / "__init__.py") if file.exists()]
    return any(re.search(rf"\b{member}\b", file.read_text()) for file in files)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_and_module_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    paths = [path for path in PATH.findall(text) if not exists(path)]
    modules = [name for name in MODULE.findall(text) if not module_exists(name)]
    assert paths + modules == []

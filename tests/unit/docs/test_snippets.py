"""The Python sessions in the documentation print what the pages say they print."""

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
SESSION = re.compile(r"```python\n(>>>.*?)```", re.DOTALL)
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if SESSION.search(page.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_s_sessions_print_what_it_says(page: Path) -> None:
    source = "\n".join(SESSION.findall(page.read_text()))
    session = doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0)
    report: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(session, out=report.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(report)


def test_the_essay_has_sessions() -> None:
    assert "how-the-numbers-stay-right.md" in [page.name for page in PAGES]

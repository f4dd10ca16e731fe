"""Names, docstrings and files follow the rules of CONTRIBUTING.md; what breaks them today may only become less."""

import pytest

from bench.sizes import measure, working_tree
from tests import wording

ALLOWED = wording.allowed()
RULES = ("dialect", "forbidden name", "long file", "no docstring", "reads a private", "vague start")


@pytest.fixture(scope="module")
def counts() -> dict[str, dict[str, int]]:
    return wording.counts()


@pytest.mark.parametrize("rule", RULES)
def test_no_package_breaks_a_rule_more_often_than_allowed(rule: str, counts: dict[str, dict[str, int]]) -> None:
    allowed = ALLOWED.get(rule, {})
    worse = {
        package: f"{n}, allowed {allowed.get(package, 0)}"
        for package, n in counts.get(rule, {}).items()
        if n > allowed.get(package, 0)
    }
    assert worse == {}, "list them with: python -m tests.wording FOLDER"


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("def told():\n    return 1\n", "forbidden name"),
        ("def shown_groups():\n    return 1\n", "forbidden name"),
        ("row = 1\nfound = 2\n", "forbidden name"),
        ("def parse(asked):\n    return 1\n", "forbidden name"),
        ("def test_what_is_stored_is_published():\n    pass\n", "forbidden name"),
        ('"""What a body may be."""\n', "vague start"),
        ("row = 1  \x23 as it was said\n", "dialect"),
        ("def parse(text):\n    return text\n", "no docstring"),
        ("pass\n" * 301, "long file"),
    ],
)
def test_a_rule_is_applied(source: str, rule: str) -> None:
    assert rule in [finding.rule for finding in wording.findings_of("services/metrics/example.py", source)]


@pytest.mark.parametrize(
    "source", ["not_found = 1\n", "def _parse(text):\n    return text\n", "row.given_name = 1\n", '"""Parse a body."""\n']
)
def test_plain_code_breaks_no_rule(source: str) -> None:
    assert list(wording.findings_of("services/metrics/example.py", source)) == []


def test_a_test_that_reads_a_private_is_listed() -> None:
    findings = list(wording.findings_of("tests/unit/test_example.py", "value = cache._rows\n"))
    assert [(finding.rule, finding.text) for finding in findings] == [("reads a private", "_rows")]


def test_the_sizes_of_the_product_are_measured() -> None:
    sizes = measure(working_tree())
    assert sizes.files > 100
    assert 0 < sizes.with_docstring <= sizes.public_functions

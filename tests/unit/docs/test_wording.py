"""Names, docstrings and files, of Python and of the page's JavaScript, follow the rules of CONTRIBUTING.md."""

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


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("function told() {}\n", "forbidden name"),
        ("const shown = 1;\n", "forbidden name"),
        ("let row, found;\n", "forbidden name"),
        ("class Answered {}\n", "forbidden name"),
        ("class Feed { #kept = []; }\n", "forbidden name"),
        ("class Feed { constructor() { this.gone = true; } }\n", "forbidden name"),
        ("rows.map((given, index) => index);\n", "forbidden name"),
        ("const { rows: [wanted] } = page;\n", "forbidden name"),
        ("const text = `${rows.map((asked) => asked.id)}`;\n", "forbidden name"),
        ("const half = n / 2, taken = m / 2;\n", "forbidden name"),
        ("const quote = /[\"'`]/, taken = 1;\n", "forbidden name"),
        ("/** What the page shows. */\n", "vague start"),
        ("const row = 1; // as it was said\n", "dialect"),
        ("let row;\n" * 301, "long file"),
    ],
)
def test_a_rule_is_applied_to_javascript(source: str, rule: str) -> None:
    assert rule in [finding.rule for finding in wording.findings_of("services/gateway/page/example.js", source)]


@pytest.mark.parametrize(
    "source",
    [
        "const row = 'found';\n",
        'const text = "it\\"s found";\n',
        "const text = `found ${row.id} given ${`kept`} taken`;\n",
        "const pattern = /found|[/]given/g;\n",
        "const value = record.given?.found;\n",
        "/** The rows that were found. */\nconst rows = []; // given by the API\n",
        "const url = 'https://example.com/found'; // not a comment's start\n",
        "function load() { if (a) { return `${a}`; } return { b: `found` }; }\n",
    ],
)
def test_strings_comments_and_properties_in_javascript_break_no_rule(source: str) -> None:
    assert list(wording.findings_of("services/gateway/page/example.js", source)) == []


def test_the_page_s_scripts_are_read() -> None:
    assert {"services/gateway/page/board.js", "services/gateway/page/feed.js"} <= set(wording.paths(("services/gateway/page/",)))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("value = cache._rows\n", "_rows"),
        ("from services.metrics.domain.quantiles import _least\n", "_least"),
        ('path = "services.metrics.domain.quantiles._least"\n', "services.metrics.domain.quantiles" + "._least"),
    ],
)
def test_a_test_that_reads_a_private_is_listed(source: str, name: str) -> None:
    findings = list(wording.findings_of("tests/unit/test_example.py", source))
    assert [(finding.rule, finding.text) for finding in findings] == [("reads a private", name)]


def test_the_sizes_of_the_product_are_measured() -> None:
    sizes = measure(working_tree())
    assert sizes.files > 100
    assert 0 < sizes.with_docstring <= sizes.public_functions

"""Find names, docstrings and files that break the rules of CONTRIBUTING.md.

python -m tests.wording services/metrics tests/unit    # list what breaks a rule in these folders
python -m tests.wording --write                        # lower the counts in tests/wording.json to today's
"""

import ast
import functools
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bench.sizes import is_product, public_functions
from tests import javascript

ROOT = Path(__file__).parents[1]
ALLOWED = Path(__file__).with_suffix(".json")
SUFFIXES = (".py", ".js")
FOLDERS = ("services", "shared", "deploy", "bench", "tests")
MAX_LINES = 300

ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \| [^|]+ \| (anywhere|alone) \|$", re.MULTILINE)
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
COMMENT = re.compile(r"(?:^|\s)# ?(.*)$")
PRIVATE_PATH = re.compile(r"(?:services|shared|deploy)(?:\.\w+)+\._[a-z]\w*")
"""The dotted path of a private name, as `monkeypatch.setattr` takes it."""
VAGUE_START = re.compile(r"(?:What|Whom?|Whose|That which|How it)\b")
DIALECT = re.compile(r"\b(?:told|said|stands|standing|whoever|ought|so that nobody|what was)\b", re.IGNORECASE)
PUBLIC = frozenset({"_asdict", "_fields", "_make", "_mapping", "_replace"})
"""Names of public methods of named tuples and database rows."""
TEST_WORDS = frozenset({"told", "said", "heard", "stands", "standing", "door", "whom"})


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


@functools.cache
def forbidden_words() -> tuple[frozenset[str], frozenset[str]]:
    """Words that no name may contain, and words that may not be a whole name: the table in CONTRIBUTING.md."""
    rows = ROW.findall((ROOT / "CONTRIBUTING.md").read_text())
    words = [
        {word.strip("` ") for cell, place in rows if place == kind for word in cell.split(",")} for kind in ("anywhere", "alone")
    ]
    return frozenset(words[0]), frozenset(words[1])


def package_of(path: str) -> str:
    """The folder that a file's findings are counted under: `services/metrics`, `tests/unit/ingest`, `shared`."""
    folders = path.split("/")[:-1]
    depth = {"services": 2, "tests": 3 if folders[1:2] in (["unit"], ["service"]) else 2}.get(folders[0], 1)
    return "/".join(folders[:depth])


def names_in(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """(line, name) of every function, class, parameter, variable and attribute that a module binds."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def is_forbidden(name: str) -> bool:
    anywhere, alone = forbidden_words()
    if name.startswith("test_"):
        return bool(TEST_WORDS & set(name.split("_"))) or name.startswith(("test_what_", "test_who_"))
    return name.lower().strip("_") in alone or any(part.lower() in anywhere for part in PARTS.findall(name))


def texts_in(source: str, nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """(line, text) of every comment and docstring."""
    for number, line in enumerate(source.splitlines(), 1):
        if comment := COMMENT.search(line):
            yield number, comment[1]
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def findings_of(path: str, source: str) -> Iterator[Finding]:
    """The findings of a Python file, or of a JavaScript file if `path` ends in `.js`."""
    if path.endswith(".js"):
        yield from word_findings(path, source, javascript.names_in(source), javascript.comments_in(source))
        return
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    yield from word_findings(path, source, names_in(nodes), texts_in(source, nodes))
    if is_product(path):
        for function in public_functions(tree):
            if ast.get_docstring(function) is None:
                yield Finding(path, function.lineno, "no docstring", function.name)
    if path.startswith("tests/"):
        yield from (Finding(path, line, "reads a private", name) for line, name in private_reads(nodes))


def word_findings(
    path: str, source: str, names: Iterable[tuple[int, str]], texts: Iterable[tuple[int, str]]
) -> Iterator[Finding]:
    """The findings that need no syntax tree: the file's length, its names, and its comments and docstrings."""
    if (lines := source.count("\n")) > MAX_LINES:
        yield Finding(path, 1, "long file", f"{lines} lines, more than {MAX_LINES}")
    for line, name in [(1, Path(path).stem), *names]:
        if is_forbidden(name):
            yield Finding(path, line, "forbidden name", name)
    for line, text in texts:
        if VAGUE_START.match(text):
            yield Finding(path, line, "vague start", text.split("\n")[0][:80])
        yield from (Finding(path, line, "dialect", word) for word in DIALECT.findall(text))


def private_reads(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """(line, name) of each read of `object._name`, other than on `self` or `super()`, import of a `_name`, and path to one."""
    for node in nodes:
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_self(node.value):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and PRIVATE_PATH.fullmatch(node.value):
            yield node.lineno, node.value


def is_private(name: str) -> bool:
    return re.match(r"_[a-z]", name) is not None and name not in PUBLIC


def is_self(node: ast.expr) -> bool:
    name = node.func if isinstance(node, ast.Call) else node
    return isinstance(name, ast.Name) and name.id in {"self", "cls", "super"}


def paths(beginnings: tuple[str, ...] = ("",)) -> Iterator[str]:
    """The paths of the Python and JavaScript files that begin with one of `beginnings`."""
    for folder in FOLDERS:
        files = sorted(file for suffix in SUFFIXES for file in (ROOT / folder).rglob(f"*{suffix}"))
        yield from (path for file in files if (path := file.relative_to(ROOT).as_posix()).startswith(beginnings))


def all_findings(beginnings: tuple[str, ...] = ("",)) -> Iterator[Finding]:
    """The findings in files whose paths begin with one of `beginnings`."""
    for path in paths(beginnings):
        yield from findings_of(path, (ROOT / path).read_text())


def counts() -> dict[str, dict[str, int]]:
    """Findings by rule and package."""
    total: dict[str, Counter[str]] = {}
    for finding in all_findings():
        total.setdefault(finding.rule, Counter())[package_of(finding.path)] += 1
    return {rule: dict(sorted(packages.items())) for rule, packages in sorted(total.items())}


def allowed() -> dict[str, dict[str, int]]:
    return json.loads(ALLOWED.read_text())


def main(arguments: list[str]) -> None:
    if arguments == ["--write"]:
        ALLOWED.write_text(json.dumps(counts(), indent=1) + "\n")
        return
    findings = list(all_findings(tuple(arguments) or ("",)))
    sys.stdout.write("\n".join([*map(str, findings), f"{len(findings)} findings\n"]))


if __name__ == "__main__":
    main(sys.argv[1:])

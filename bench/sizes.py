"""Size of the product code: files, lines per file, functions per file, public functions with a docstring.

python -m bench.sizes [--commit REVISION ...]

Product code is the Python in services, shared and deploy, without empty files, migration scripts and the scripts that train the
sentiment models. With `--commit` it prints one more column per revision, so that two states can be compared.
"""

import argparse
import ast
import io
import statistics
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
PRODUCT = ("services", "shared", "deploy")
LEFT_OUT = ("services/sentiment/training/", "migrations/versions/")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sizes:
    files: int
    median_lines: float
    longest: str
    functions: int
    median_function: float
    public_functions: int
    with_docstring: int

    def rows(self) -> list[tuple[str, str]]:
        return [
            ("product files", f"{self.files}"),
            ("lines per file, median", f"{self.median_lines:g}"),
            ("longest file", self.longest),
            ("functions", f"{self.functions}"),
            ("lines per function, median", f"{self.median_function:g}"),
            ("public functions", f"{self.public_functions}"),
            ("of these with a docstring", f"{self.with_docstring} ({100 * self.with_docstring / self.public_functions:.0f} %)"),
        ]


def is_product(path: str) -> bool:
    """Whether a path, relative to the repository's root, is product code."""
    return (
        path.startswith(tuple(f"{folder}/" for folder in PRODUCT))
        and path.endswith(".py")
        and not any(part in path for part in LEFT_OUT)
    )


def functions_of(tree: ast.Module) -> Iterator[Function]:
    """All functions and methods, nested ones included."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public_functions(tree: ast.Module) -> Iterator[Function]:
    """Functions of a module and methods of its public classes whose names begin with a letter."""
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from (method for method in node.body if isinstance(method, Function) and not method.name.startswith("_"))


def measure(sources: Iterable[tuple[str, str]]) -> Sizes:
    """Sizes of (path, text) pairs."""
    product = [(path, text) for path, text in sources if is_product(path) and text.strip()]
    trees = [ast.parse(text) for _, text in product]
    lines = {path: text.count("\n") for path, text in product}
    functions = [function for tree in trees for function in functions_of(tree)]
    public = [function for tree in trees for function in public_functions(tree)]
    longest = max(lines, key=lambda path: lines[path])
    return Sizes(
        files=len(product),
        median_lines=statistics.median(lines.values()),
        longest=f"{lines[longest]} {PurePosixPath(longest).name}",
        functions=len(functions),
        median_function=statistics.median(
            (function.end_lineno or function.lineno) - function.lineno + 1 for function in functions
        ),
        public_functions=len(public),
        with_docstring=sum(ast.get_docstring(function) is not None for function in public),
    )


def working_tree() -> Iterator[tuple[str, str]]:
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def committed(revision: str) -> Iterator[tuple[str, str]]:
    archive = subprocess.run(["git", "archive", revision, *PRODUCT], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            if member.isfile() and member.name.endswith(".py") and (file := files.extractfile(member)):
                yield member.name, file.read().decode()


def main(revisions: list[str]) -> None:
    columns = {**{revision: measure(committed(revision)) for revision in revisions}, "now": measure(working_tree())}
    print(f"{'':28}" + "".join(f"{name:>24}" for name in columns))
    for rows in zip(*(sizes.rows() for sizes in columns.values()), strict=True):
        print(f"{rows[0][0]:28}" + "".join(f"{value:>24}" for _, value in rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", action="append", default=[], metavar="REVISION", help="also measure this commit")
    main(parser.parse_args().commit)

"""The examples of a page of the documentation: calls of curl, the JSON that they return, and Python programs."""

import argparse
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|json|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: its language, its text and its line in the page."""

    language: str
    text: str
    line: int

    @property
    def calls(self) -> list[str]:
        """The commands of a shell block that call curl."""
        return [command for command in re.split(r"\n(?=curl )", self.text) if command.startswith("curl ")]


def blocks_of(page: str) -> Iterator[Block]:
    """The blocks of a page, such as `docs/api.md`."""
    text = (ROOT / page).read_text()
    for match in BLOCK.finditer(text):
        yield Block(match[1], match[2], text.count("\n", 0, match.start()) + 1)


def request_of(call: str, variables: Mapping[str, str]) -> httpx.Request:
    """The request that a call of curl sends. Exits for an option that this parser does not know."""
    parser = argparse.ArgumentParser("curl")
    parser.add_argument("-s", "-N", "-sN", dest="quiet", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    parser.add_argument("url")
    command = call.partition(" | ")[0]
    options = parser.parse_args([Template(word).substitute(variables) for word in shlex.split(command)[1:]])
    headers = dict(header.split(": ", 1) for header in options.headers)
    method = options.method or ("GET" if options.body is None else "POST")
    return httpx.Request(method, options.url, headers=headers, content=options.body)


def differences(expected: Any, actual: Any, path: str = "$") -> list[str]:
    """Places where `actual` lacks a field of `expected` or has another type of JSON. Lists are compared by place."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        missing = [f"{path}.{name} is missing" for name in expected.keys() - actual.keys()]
        common = expected.keys() & actual.keys()
        return missing + [text for name in common for text in differences(expected[name], actual[name], f"{path}.{name}")]
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) > len(actual):
            return [f"{path} has {len(actual)} entries"]
        pairs = zip(expected, actual, strict=False)
        return [text for index, pair in enumerate(pairs) for text in differences(*pair, f"{path}[{index}]")]
    if kind(expected) != kind(actual):
        return [f"{path} is {actual!r}, not {expected!r}"]
    if isinstance(expected, str) and expected.startswith("urn:") and expected != actual:
        return [f"{path} is {actual}, not {expected}"]
    return []


def kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__

"""Find the names and comments of a JavaScript file with a regular expression for its tokens."""

import re
from collections.abc import Iterator

TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<template>`(?:\\.|[^`\\$]|\$(?!\{))*(?:`|\$\{))
    |(?P<regex>/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*)
    |(?P<name>(?:this\.)?\#?[A-Za-z_$][\w$]*)
    |(?P<number>\d[\w.]*)
    |(?P<mark>\?\.|\.\.\.|[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
TEMPLATE_REST = re.compile(r"(?:\\.|[^`\\$]|\$(?!\{))*(?:`|\$\{)", re.DOTALL)
"""The text of a template after an expression, up to its end or its next expression."""
PROPERTY_MARKS = frozenset({".", "?."})
VALUE_ENDS = frozenset({")", "]", "}"})
"""After these marks, after a name and after a literal, a slash divides; elsewhere it begins a regular expression."""
OPERATORS = frozenset({"return", "typeof", "case", "in", "of", "void", "delete", "await", "yield", "throw", "else", "do", "new"})


def tokens(source: str) -> Iterator[tuple[int, str, str]]:
    """(line, kind, text) of each token: "comment", "string", "template", "regex", "name", "number" or "mark"."""
    position, after_value = 0, False
    braces: list[bool] = []  # of each open brace: whether it is a template's `${`
    while match := TOKEN.search(source, position):
        kind, text = str(match.lastgroup), match[0]
        if kind == "regex" and after_value:
            kind, text = "mark", "/"
        elif text == "}" and braces and braces.pop():
            rest = TEMPLATE_REST.match(source, match.end())
            kind, text = "template", "}" + (rest[0] if rest else "")
        if text == "{" or (kind == "template" and text.endswith("${")):
            braces.append(kind == "template")
        yield source.count("\n", 0, match.start()) + 1, kind, text
        position = match.start() + len(text)
        if kind != "comment":
            after_value = text in VALUE_ENDS if kind == "mark" else text not in OPERATORS and not text.endswith("${")


def names_in(source: str) -> Iterator[tuple[int, str]]:
    """(line, name) of each name, without `this.` and `#`, except properties of other objects: they may be fields of an API."""
    previous = ""
    for line, kind, text in tokens(source):
        if kind == "name" and previous not in PROPERTY_MARKS:
            yield line, text.removeprefix("this.").removeprefix("#")
        if kind != "comment":
            previous = text


def comments_in(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each comment, without its marks."""
    for line, kind, text in tokens(source):
        if kind == "comment":
            lines = text.removeprefix("/*").removesuffix("*/").removeprefix("//").splitlines()
            yield line, "\n".join(each.strip(" *") for each in lines).strip()

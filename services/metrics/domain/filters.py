"""The value of a `filter[dimension]` parameter: values separated by commas, `!` before one that is to be left out.

A backslash takes `,`, `!` or a backslash literally; before any other character it stands for itself. `null` names the group of
records without a value, `\\null` the value `null`. Values are compared in Unicode NFC. See docs/queries.md.
"""

import re
from dataclasses import dataclass

from shared.text import nfc

NULL, ESCAPED_NULL = "null", "\\null"

ITEM = re.compile(r"(?:\A|,)((?:\\[\\,!]|[^,])*)")
ESCAPE = re.compile(r"\\([\\,!])")


@dataclass(frozen=True, slots=True)
class Values:
    """Values to keep (none: all) and values to leave out; None is the group without a value."""

    include: tuple[str | None, ...] = ()
    exclude: tuple[str | None, ...] = ()


def parse_values(text: str) -> Values:
    """The values that `text` names; raises ValueError for an empty one, or one with a NUL, which no stored text has."""
    include: list[str | None] = []
    exclude: list[str | None] = []
    for item in ITEM.findall(text):
        wanted = exclude if item.startswith("!") else include
        wanted.append(_value(item.removeprefix("!")))
    return Values(tuple(include), tuple(exclude))


def _value(item: str) -> str | None:
    if not item or "\0" in item:
        raise ValueError("an empty value or a NUL")
    if item == NULL:
        return None
    return NULL if item == ESCAPED_NULL else nfc(ESCAPE.sub(r"\1", item))

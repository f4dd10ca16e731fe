"""Bounds of a JSON text, checked before it is parsed: as Python objects, or as pydantic's errors, many small values take 100
times the memory of their text, and the time of the event loop."""

MAX_DEPTH = 64
MAX_VALUES = 50_000
"""Values, arrays and objects of one document. A ticket with 1,000 facts has 10,000."""

_BRACKETS_OF_A_VALUE = 2
_QUOTES_OF_A_VALUE = 4
"""Of its key and of the value itself, where both are strings."""
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_CLOSING_AS_CURLY = bytes.maketrans(b"[]", b"{}")


class OutOfBounds(ValueError):
    """The text has too many values, or is nested too deeply; the message says which bound, and quotes nothing."""


def check_bounds(text: bytes, most_values: int = MAX_VALUES) -> None:
    """OutOfBounds: more than `most_values` values, or more than MAX_DEPTH brackets inside one another.

    A text that is no JSON may pass, or may be refused. The time is linear in the length of `text`: most texts are only counted.
    """
    brackets = text.count(b"[") + text.count(b"{")
    if brackets <= MAX_DEPTH and brackets + text.count(b",") <= most_values:
        return
    outside = _without_strings(text, most_values)
    brackets = outside.count(b"[") + outside.count(b"{")
    if brackets + outside.count(b",") > most_values:
        raise _too_many(most_values)
    if brackets > MAX_DEPTH and _deepest(outside, most_values) > MAX_DEPTH:
        raise OutOfBounds(f"nested more than {MAX_DEPTH} deep")


def _without_strings(text: bytes, most_values: int) -> bytes:
    """What is outside of the strings. OutOfBounds: there are more strings than `most_values` values have."""
    text = text.replace(rb"\\", b"").replace(rb"\"", b"")
    if text.count(b'"') > _QUOTES_OF_A_VALUE * (most_values + 1):
        raise _too_many(most_values)
    return b"".join(text.split(b'"')[::2])


def _deepest(outside: bytes, most_values: int) -> int:
    """The most brackets inside one another, in a text without strings."""
    brackets = outside.translate(_CLOSING_AS_CURLY, _ALL_BUT_BRACKETS)
    depth = deepest = 0
    for bracket in brackets[: _BRACKETS_OF_A_VALUE * most_values]:
        if bracket == ord("{"):
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _too_many(most_values: int) -> OutOfBounds:
    return OutOfBounds(f"more than {most_values} values")

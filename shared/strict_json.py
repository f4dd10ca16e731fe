"""Parse JSON of unknown origin.

The size of a document is bounded before it is parsed: many small values take 100 times the memory of their text as Python objects
or as pydantic's errors. Values that could break a later stage are refused. No error quotes content.
"""

import json
import math
import re
from typing import Any, NoReturn

import msgspec

MAX_DEPTH = 64
"""Arrays and objects inside one another."""
MAX_VALUES = 50_000
"""Values, arrays and objects of one document. A ticket with 1,000 facts has 10,000."""
MAX_INT_DIGITS = 18
"""Digits of an integer; more may not fit in 64 bits."""

_DIGITS_AND_SPACES = bytes.maketrans(b"123456789\t\n\r", b"000000000   ")
_LONG_NUMBER = b"0" * (MAX_INT_DIGITS + 1)
_BRACKETS_PER_VALUE = 2
_QUOTES_PER_VALUE = 4
"""Quotes of the key and of the value, if both are strings."""
_NON_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SQUARE_TO_CURLY = bytes.maketrans(b"[]", b"{}")
_INVALID_TEXT = re.compile("[\x00\ud800-\udfff]")


class Malformed(ValueError):
    """The bytes are not JSON that we accept; the message says why."""


class OutOfBounds(Malformed):
    """The document has too many values, or is nested too deeply."""


def parse(raw: bytes, max_values: int = MAX_VALUES, *, last_key_counts: bool = False) -> Any:
    """Return the value of a JSON document.

    Raises Malformed for invalid UTF-8 or JSON, more than `max_values` values, a duplicate key, a number that is not finite or has
    more than MAX_INT_DIGITS digits, and for NUL or an unpaired surrogate in a string. With `last_key_counts` a duplicate key is
    allowed, and its last value counts, as in most parsers.
    """
    if _is_small(raw, max_values):
        value = _parse_plain(raw, last_key_counts=last_key_counts)
        if value is not _NOT_PLAIN:
            return value
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}") from None
    check_bounds(raw, max_values)
    try:
        value = (_decode_any_keys if last_key_counts else _decode)(text)
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error.msg} at character {error.pos}") from None
    if "\\u" in text:
        _check_strings(value)
    return value


def check_bounds(raw: bytes, max_values: int = MAX_VALUES) -> None:
    """Raise OutOfBounds for more than `max_values` values or more than MAX_DEPTH nested brackets.

    Text that is not JSON may pass or be refused. The time is linear in the length of `raw`; most documents are only counted.
    """
    if _is_small(raw, max_values):
        return
    outside = _without_strings(raw, max_values)
    brackets = outside.count(b"[") + outside.count(b"{")
    if brackets + outside.count(b",") > max_values:
        raise _too_many_values(max_values)
    if brackets > MAX_DEPTH and _depth(outside, max_values) > MAX_DEPTH:
        raise OutOfBounds(f"nested more than {MAX_DEPTH} deep")


def _is_small(raw: bytes, max_values: int) -> bool:
    """Whether a document is within the bounds, even if all of its brackets and commas are outside of strings."""
    brackets = raw.count(b"[") + raw.count(b"{")
    return brackets <= MAX_DEPTH and brackets + raw.count(b",") <= max_values


_NOT_PLAIN = object()


def _parse_plain(raw: bytes, *, last_key_counts: bool) -> Any:
    """The value of a plain document, by a parser that is several times faster but does not report duplicate keys.

    _NOT_PLAIN if the document is not valid, has escapes by number (`\\u…`), or may have long integers or a duplicate key. A
    duplicate key is lost when the document is parsed and encoded again, so the result has fewer `":`.
    """
    digits = raw.translate(_DIGITS_AND_SPACES)
    if b"\\u" in raw or b" :" in digits or _LONG_NUMBER in digits:
        return _NOT_PLAIN
    try:
        value = _decode_fast(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _NOT_PLAIN
    if last_key_counts or raw.count(b'":') == _encode_fast(value).count(b'":'):
        return value
    return _NOT_PLAIN


def _without_strings(raw: bytes, max_values: int) -> bytes:
    """Return the text outside of strings. Raises OutOfBounds for more strings than `max_values` values can have."""
    raw = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    if raw.count(b'"') > _QUOTES_PER_VALUE * (max_values + 1):
        raise _too_many_values(max_values)
    return b"".join(raw.split(b'"')[::2])


def _depth(outside: bytes, max_values: int) -> int:
    """Return the deepest nesting of brackets in a text without strings."""
    brackets = outside.translate(_SQUARE_TO_CURLY, _NON_BRACKETS)
    depth = deepest = 0
    for bracket in brackets[: _BRACKETS_PER_VALUE * max_values]:
        if bracket == ord("{"):
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _too_many_values(max_values: int) -> OutOfBounds:
    return OutOfBounds(f"more than {max_values} values")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Malformed("a key is given twice in one object")
    return value


def _int(digits: str) -> int:
    if len(digits) > MAX_INT_DIGITS + digits.startswith("-"):
        raise Malformed(f"a number has more than {MAX_INT_DIGITS} digits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise Malformed("a number is too large")
    return value


def _constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not a JSON number")


_decode_fast = msgspec.json.Decoder().decode
_encode_fast = msgspec.json.Encoder().encode
_decode = json.JSONDecoder(object_pairs_hook=_object, parse_int=_int, parse_float=_float, parse_constant=_constant).decode
_decode_any_keys = json.JSONDecoder(parse_int=_int, parse_float=_float, parse_constant=_constant).decode


def _check_strings(value: Any) -> None:
    """Raise Malformed for NUL, which PostgreSQL can't store, and for half a surrogate pair, which UTF-8 can't encode."""
    match value:
        case str():
            if _INVALID_TEXT.search(value):
                raise Malformed("a text holds NUL or half a surrogate pair")
        case dict():
            for key, item in value.items():
                _check_strings(key)
                _check_strings(item)
        case list():
            for item in value:
                _check_strings(item)

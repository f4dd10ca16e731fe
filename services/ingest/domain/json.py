"""Reading JSON that strangers wrote: what could hurt anything behind us is refused here, with a reason that quotes nothing."""

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_INT_DIGITS = 18
"""Integers of more digits may not fit in 64 bits, and nothing that we count needs them."""

STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A string may lack its end: whoever skips one that does reads each character once all the same."""
NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class Malformed(ValueError):
    """The bytes are not JSON that we can use; the message says why."""


def parse(raw: bytes) -> Any:
    """The value that `raw` states. Malformed: broken UTF-8 or JSON, nested too deeply, a key given twice, a number that is not
    finite or has too many digits, NUL or half a surrogate pair in a text."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise Malformed(f"nested more than {MAX_DEPTH} deep")
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error.msg} at character {error.pos}") from None
    if "\\u" in text:
        _check_texts(value)
    return value


def _depth(text: str) -> int:
    """How deeply brackets nest, strings left out."""
    depth = deepest = 0
    for found in STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
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


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_int, parse_float=_float, parse_constant=_constant).decode


def _check_texts(value: Any) -> None:
    """Escapes can write what UTF-8 can't hold, and NUL, which PostgreSQL can't. The depth is known to be small."""
    match value:
        case str():
            if NO_TEXT.search(value):
                raise Malformed("a text holds NUL or half a surrogate pair")
        case dict():
            for key, item in value.items():
                _check_texts(key)
                _check_texts(item)
        case list():
            for item in value:
                _check_texts(item)

"""Parses JSON of unknown origin. Refuses what could exhaust or break a later stage, with a reason that quotes no content."""

import json
import math
import re
from typing import Any, NoReturn

from shared.json_bounds import OutOfBounds, check_bounds

MAX_INT_DIGITS = 18
"""Integers of more digits may not fit in 64 bits, and nothing that we count needs them."""

NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class Malformed(ValueError):
    """The bytes are not JSON that we can use; the message says why."""


def parse(raw: bytes) -> Any:
    """The value that `raw` states.

    Malformed: broken UTF-8 or JSON, nested too deeply, too many values, a key given twice, a number that is not finite or has too
    many digits, NUL or half a surrogate pair in a text.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}") from None
    try:
        check_bounds(raw)
        value = _decode(text)
    except OutOfBounds as error:
        raise Malformed(str(error)) from None
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error.msg} at character {error.pos}") from None
    if "\\u" in text:
        _check_texts(value)
    return value


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

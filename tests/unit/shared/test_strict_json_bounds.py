"""The values and the depth of a JSON text are counted before it is parsed."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.strict_json import OutOfBounds, check_bounds

TEXTS = st.text(st.sampled_from('a"\\,[]{}'), max_size=6)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def counted(value: object) -> int:
    """Arrays and objects, and commas between values."""
    if not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(0, len(value) - 1) + sum(map(counted, inner))


@given(VALUES, st.booleans())
def test_values_are_counted_whatever_strings_hold(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    check_bounds(text, counted(value))
    if counted(value):
        with pytest.raises(OutOfBounds, match="more than"):
            check_bounds(text, counted(value) - 1)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"[":', b"}")])
def test_nesting_has_a_bound(opening: bytes, closing: bytes) -> None:
    check_bounds(opening * 64 + b"1" + closing * 64)
    with pytest.raises(OutOfBounds, match="nested more than 64 deep"):
        check_bounds(opening * 65 + b"1" + closing * 65)


def test_brackets_beside_one_another_are_no_nesting() -> None:
    check_bounds(b"[" + b",".join([b"[]"] * 1_000) + b"]")


@pytest.mark.parametrize(
    "part", [b"[],", b"1,", b'"",', b'"k":1,', b"\\n,", b'\\"', b'"\\', b"\\\\", b'""', b"]", b"[", b"{}", b'"[",']
)  # fmt: skip
@pytest.mark.parametrize("start", [b"[", b'["', b"[" * 65])
def test_the_time_is_linear(part: bytes, start: bytes) -> None:
    def seconds(length: int) -> float:
        text = start + part * (length // len(part))
        began = time.process_time()
        with suppress(OutOfBounds):
            check_bounds(text)
        return time.process_time() - began

    assert seconds(4_000_000) < 10 * seconds(1_000_000) + 0.2

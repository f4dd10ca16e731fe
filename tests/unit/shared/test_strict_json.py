"""Untrusted JSON is parsed within bounds, or refused with a reason."""

import json as stdlib
import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.strict_json import Malformed, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_parse_returns_the_encoded_value(value: object, ascii_only: bool) -> None:
    assert parse(stdlib.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize("text", [b'"' + b'\\"' * 400_000, b'"' * 800_000, b'"' + b"\\" * 800_001, b'"' + b"x" * 800_000])
def test_a_body_of_quotes_that_never_close_costs_one_scan(text: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Malformed, match=r"nested more than 64 deep|more than 50000 values"):
        parse(b"[" * 65 + text)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "text", ['{"a": "b\\": c", "d" : [1, -0.5e3, true]}', '{"say \\"hi\\"": ":"}', '[{"a": {}}, {"a": []}]', "-0"]
)
@pytest.mark.parametrize("last_key_counts", [False, True])
def test_odd_but_valid_documents_have_the_value_of_the_standard_parser(text: str, last_key_counts: bool) -> None:
    assert repr(parse(text.encode(), last_key_counts=last_key_counts)) == repr(stdlib.loads(text))


SPACE = st.sampled_from(["", "", "", " ", "\t", "\n "])
TEXT = st.sampled_from(['"a"', '"b"', '"\\":"', '" :"', '"\\n"', '"0123456789012345678"'])
VALUE = TEXT | st.sampled_from(["1", "{}"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Objects whose keys may repeat, with spaces anywhere."""
    parts = [[draw(SPACE), draw(TEXT), draw(SPACE), ":", draw(SPACE), draw(VALUE)] for _ in range(draw(st.integers(0, 4)))]
    return "{" + ",".join("".join(part) for part in parts) + "}"


@given(documents())
def test_a_repeated_key_is_refused_however_the_document_is_written(text: str) -> None:
    pairs = stdlib.loads(text, object_pairs_hook=list)
    if isinstance(pairs, list) and len(dict(pairs)) < len(pairs):
        with pytest.raises(Malformed, match="given twice"):
            parse(text.encode())
    else:
        assert parse(text.encode()) == stdlib.loads(text)


def test_of_a_repeated_key_the_last_value_counts_on_request() -> None:
    assert parse(b'{"a": 1, "b": 0, "a": 2}', last_key_counts=True) == {"a": 2, "b": 0}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_malformed(raw: bytes) -> None:
    with suppress(Malformed):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b'{"a": ', "not JSON"),
        (b"\xff\xfe{}", "not UTF-8 at byte 0"),
        (b'["\xed\xa0\x80"]', "not UTF-8"),
        (b'["\\ud800"]', "half a surrogate pair"),
        (b'{"\\udc00": 1}', "half a surrogate pair"),
        (b'["a\\u0000b"]', "NUL"),
        (b'["a\x00b"]', "not JSON"),
        (b"[1e400]", "a number is too large"),
        (b"[-1e400]", "a number is too large"),
        (b"[NaN]", "NaN is not a JSON number"),
        (b"[-Infinity]", "-Infinity is not a JSON number"),
        (b"[1234567890123456789]", "more than 18 digits"),
        (b"[" + b"9" * 5000 + b"]", "more than 18 digits"),
        (b'{"a": 1, "a": 2}', "given twice"),
        (b'{"a" : 1, "a": 2}', "given twice"),
        (b'{"a"\n: 1, "a": 2}', "given twice"),
        (b'{"a": "\\":", "b" : 1, "b": 2}', "given twice"),
        (b'[{"a": 1}, {"b": 1, "c": {"d": 1, "d": 2}}]', "given twice"),
        (b'{"a": [-1234567890123456789]}', "more than 18 digits"),
        (b"[" * 10_000 + b"]" * 10_000, "nested more than 64 deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested more than 64 deep"),
    ],
)
def test_malformed_or_dangerous_json_is_refused_with_a_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse(raw)


def test_brackets_inside_strings_are_no_nesting() -> None:
    assert parse(stdlib.dumps(["[{" * 100]).encode()) == ["[{" * 100]


def test_many_brackets_beside_one_another_are_no_nesting() -> None:
    assert parse(b"[" + b",".join([b"[]"] * 1000) + b"]") == [[]] * 1000


def test_a_number_with_decimals_is_read() -> None:
    assert parse(b'{"a": 1.5, "b": 1E1}') == {"a": 1.5, "b": 10.0}


@pytest.mark.parametrize("value", [b"[]", b"{}", b"1", b'""'])
def test_many_small_values_are_refused_before_they_take_memory(value: bytes) -> None:
    """1 MiB of `[]` would take 20 MB and half a second; they are only counted, up to the limit."""
    raw = b"[" + value + (b"," + value) * 300_000 + b"]"
    tracemalloc.start()
    with pytest.raises(Malformed, match="more than 50000 values"):
        parse(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(raw)


def test_commas_and_brackets_inside_strings_are_no_values() -> None:
    assert parse(b'["' + b"[,{" * 100_000 + b'"]') == ["[,{" * 100_000]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse(b"\xef\xbb\xbf[1]") == [1]


def test_the_longest_numbers_are_read_exactly() -> None:
    assert parse(b"[999999999999999999, -999999999999999999]") == [10**18 - 1, -(10**18) + 1]


def test_a_repeated_key_is_refused_unless_its_last_value_may_count() -> None:
    with pytest.raises(Malformed, match="a key is given twice in one object"):
        parse(b'{"a": 1, "a": 2}')
    assert parse(b'{"a": 1, "a": 2}', last_key_counts=True) == {"a": 2}

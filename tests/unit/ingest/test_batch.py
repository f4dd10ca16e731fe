"""A batch is split into its records before any of them is parsed, in little memory and in linear time."""

import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.batch import TooMany, split_array, split_lines
from shared.strict_json import Malformed

MIB = 1024 * 1024
MOST = 5_000

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=8), st.booleans(), st.sampled_from([None, 1]))
def test_an_array_is_split_into_its_elements(values: list[object], ascii_only: bool, indent: int | None) -> None:
    raw = b" \n" + json.dumps(values, ensure_ascii=ascii_only, indent=indent).encode() + b"\r\n"
    assert [json.loads(record) for record in split_array(raw, MOST)] == values


@given(st.lists(VALUES, max_size=8))
def test_lines_are_split_without_blank_ones(values: list[object]) -> None:
    raw = b"\n \r\n".join(json.dumps(value).encode() for value in values) + b"\n\n"
    assert [json.loads(record) for record in split_lines(raw, MOST)] == values


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1,,2]", b"[1]]", b"[1] 2", b"[1}", b'["]', b"[" * 100]
)
def test_a_body_that_is_no_array_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        split_array(raw, MOST)


def test_the_error_names_the_end_of_an_array_that_more_follows() -> None:
    with pytest.raises(Malformed, match="the array ends at byte 2, and more follows"):
        split_array(b"[1] 2", MOST)


@pytest.mark.parametrize(
    ("split", "raw"),
    [(split_lines, b"{}\n" * 2_790_000), (split_array, b"[" + b"{}," * 2_790_000 + b"{}]")],
    ids=["lines", "array"],
)
def test_reading_stops_at_the_first_record_too_many(split: Callable[[bytes, int], list[bytes]], raw: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(TooMany, match="more than 5000 records"):
        split(raw, MOST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MIB, "5,000 short records take some 300 KB; 2,790,000 would take 200 MB"


def test_the_brackets_of_a_batch_are_bounded() -> None:
    with pytest.raises(TooMany, match="brackets"):
        split_array(b"[" + b",".join([b"[" + b"[]," * 500 + b"[]]"] * 1000) + b"]", MOST)


@pytest.mark.timing
@pytest.mark.parametrize("unit", [b"\n", b' "a",', b'"\\"', b'"', b"x", b"[],", b"{", b" "], ids=lambda unit: repr(unit.decode()))
@pytest.mark.parametrize("split", [split_lines, split_array])
def test_splitting_takes_linear_time(split: Callable[[bytes, int], list[bytes]], unit: bytes) -> None:
    def seconds(size: int) -> float:
        raw = b"[" + unit * (size // len(unit))
        began = time.process_time()
        with suppress(TooMany, Malformed):
            split(raw, 10**9)
        return time.process_time() - began

    assert seconds(MIB) < 8 * seconds(MIB // 4) + 0.5

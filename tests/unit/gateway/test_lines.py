"""Rows as lines of CSV, in which no text is a formula, and of NDJSON."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.lines import csv_lines, to_ndjson


def read(column: str, values: Sequence[Any]) -> list[dict[str, str]]:
    """The rows of a table with one column."""
    return list(csv.DictReader(io.StringIO("".join(csv_lines([column], [[value] for value in values])), newline="")))


INVISIBLE = (
    *("", " ", "\t", "\r", "\n", "\x0b", "\x0c", "\x00", "\x1f", "\x7f", "\x85", "\u00a0", "\u00ad", "\u034f", "\u061c"),
    *("\u115f", "\u1680", "\u180e", "\u2003", "\u200b", "\u200e", "\u2028", "\u202e", "\u202f", "\u2060", "\u2800", "\u3000"),
    *("\u3164", "\ufe0f", "\ufeff", "\uffa0", "\U000e0020", " \u200b\ufeff \x0b"),
)
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹢", "﹣", "﹦", "﹫", "⁺", "₌")


@pytest.mark.parametrize("invisible", INVISIBLE, ids=ascii)
def test_no_invisible_character_hides_a_formula(invisible: str) -> None:
    texts = [f"{invisible}{sign}1" for sign in SIGNS]
    rows = read("text", texts)
    assert [row["text"] for row in rows] == [f"'{text}" for text in texts]


def test_numbers_and_harmless_texts_are_not_changed() -> None:
    values = [-3.5, -1, 0, "a=b", "3-4", " fine", "\u00a0fine", "\u200bfine", "", "é+", "’=1"]
    assert [row["value"] for row in read("value", values)] == [str(value) for value in values]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", "  =1"])
def test_a_customers_text_is_never_a_formula(text: str) -> None:
    assert read("text", [text]) == [{"text": f"'{text}"}]


@given(st.text(), st.text())
def test_any_text_survives_csv(text: str, team: str) -> None:
    header, row = list(csv.reader(io.StringIO("".join(csv_lines(["text", "team"], [[text, team]])), newline="")))
    assert header == ["text", "team"]
    assert row[0] == text or row[0] == f"'{text}"
    assert row[1].lstrip(" ")[:1] not in set("=+-@\t\r\n")


def test_none_is_an_empty_field_and_the_header_can_be_left_out() -> None:
    assert list(csv_lines(["a", "b"], [[None, True]])) == ["a,b\r\n", ",true\r\n"]
    assert list(csv_lines(None, [[None, False]])) == [",false\r\n"]


def test_ndjson_has_a_line_for_each_item() -> None:
    assert to_ndjson([{"a": 1}, {"b": "x\ny"}]) == b'{"a":1}\n{"b":"x\\ny"}\n'

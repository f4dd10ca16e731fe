import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.tables import kpi_table, records_table, to_csv, to_ndjson
from shared.events import DIMENSIONS

ROW: dict[str, Any] = {
    "from": "2026-11-01T00:00:00+01:00",
    "to": "2026-11-02T00:00:00+01:00",
    "dims": {"team": "billing"},
    "value": -41.2,
    "n": 412,
    "numerator": 170,
    "denominator": 412,
    "interval": {"low": 33.0, "high": 48.9, "level": 0.95, "method": "adjusted_wald"},
    "distribution": {"0": 12, "10": 160},
    "flags": ["partial", "low_n"],
    "compare": [{"to": "previous", "value": 35.0, "delta": 6.2, "significant": False}],
}
RESULT = {"kpi": "nps", "version": 1, "unit": "points", "rows": [ROW]}


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_kpi_has_its_columns_in_the_documented_order() -> None:
    text = to_csv(kpi_table(RESULT, ["team"], 1))
    assert text.splitlines()[0] == (
        "kpi,version,unit,from,to,team,value,n,numerator,denominator,interval_low,interval_high,interval_level,interval_method,"
        "flags,distribution,compare_1_to,compare_1_value,compare_1_delta,compare_1_significant"
    )
    [row] = read(text)
    assert (row["value"], row["n"], row["team"], row["flags"]) == ("-41.2", "412", "billing", "partial low_n")
    assert (row["interval_low"], row["distribution"]) == ("33.0", '{"0":12,"10":160}')
    assert (row["compare_1_to"], row["compare_1_significant"]) == ("previous", "false")


def test_every_column_of_a_kpi_has_its_value() -> None:
    second = {"to": "previous_year", "value": 40.0, "delta": 1.2, "significant": True}
    [row] = read(to_csv(kpi_table(RESULT | {"rows": [ROW | {"compare": [*ROW["compare"], second]}]}, ["team", "region"], 2)))
    assert row == {
        "kpi": "nps",
        "version": "1",
        "unit": "points",
        "from": "2026-11-01T00:00:00+01:00",
        "to": "2026-11-02T00:00:00+01:00",
        "team": "billing",
        "region": "",
        "value": "-41.2",
        "n": "412",
        "numerator": "170",
        "denominator": "412",
        "interval_low": "33.0",
        "interval_high": "48.9",
        "interval_level": "0.95",
        "interval_method": "adjusted_wald",
        "flags": "partial low_n",
        "distribution": '{"0":12,"10":160}',
        "compare_1_to": "previous",
        "compare_1_value": "35.0",
        "compare_1_delta": "6.2",
        "compare_1_significant": "false",
        "compare_2_to": "previous_year",
        "compare_2_value": "40.0",
        "compare_2_delta": "1.2",
        "compare_2_significant": "true",
    }


def test_every_column_of_a_record_has_its_value() -> None:
    fields = ("at", "subject", "measure", "value", "label", "score", "model", "judged_by", "text", "text_hash")
    record = {name: f"{name} value" for name in fields} | {"dims": {name: f"{name} value" for name in DIMENSIONS}}
    [row] = read(to_csv(records_table({"records": [record]})))
    assert row == {name: f"{name} value" for name in (*fields, *DIMENSIONS)}


def test_the_columns_do_not_depend_on_the_rows() -> None:
    empty = to_csv(kpi_table(RESULT | {"rows": []}, ["team", "region"], 2))
    full = to_csv(kpi_table(RESULT, ["team", "region"], 2))
    assert empty.splitlines()[0] == full.splitlines()[0]
    assert read(empty) == []


def test_none_is_an_empty_field() -> None:
    bare = {"from": "a", "to": "b", "value": None, "n": 0, "dims": {"team": None}, "interval": None}
    [row] = read(to_csv(kpi_table(RESULT | {"rows": [bare]}, ["team"], 1)))
    assert [row[c] for c in ("value", "n", "team", "interval_low", "flags", "distribution", "compare_1_to")] == [
        "",
        "0",
        *[""] * 5,
    ]


INVISIBLE = (
    *("", " ", "\t", "\r", "\n", "\x0b", "\x0c", "\x00", "\x1f", "\x7f", "\x85", "\u00a0", "\u00ad", "\u034f", "\u061c"),
    *("\u115f", "\u1680", "\u180e", "\u2003", "\u200b", "\u200e", "\u2028", "\u202e", "\u202f", "\u2060", "\u2800", "\u3000"),
    *("\u3164", "\ufe0f", "\ufeff", "\uffa0", "\U000e0020", " \u200b\ufeff \x0b"),
)
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹢", "﹣", "﹦", "﹫", "⁺", "₌")


@pytest.mark.parametrize("invisible", INVISIBLE, ids=ascii)
def test_no_invisible_character_hides_a_formula(invisible: str) -> None:
    texts = [f"{invisible}{sign}1" for sign in SIGNS]
    rows = read(to_csv((["text"], [[text] for text in texts])))
    assert [row["text"] for row in rows] == [f"'{text}" for text in texts]


def test_numbers_and_harmless_texts_are_not_changed() -> None:
    values = [-3.5, -1, 0, "a=b", "3-4", " fine", "\u00a0fine", "\u200bfine", "", "é+", "’=1"]
    assert [row["value"] for row in read(to_csv((["value"], [[value] for value in values])))] == [str(value) for value in values]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", "  =1"])
def test_a_customers_text_is_never_a_formula(text: str) -> None:
    record = {"at": "t", "subject": "s", "value": -1, "text": text, "dims": {"team": text}}
    [row] = read(to_csv(records_table({"records": [record]})))
    assert row["text"] == row["team"] == f"'{text}"
    assert row["value"] == "-1"


@given(st.text(), st.text())
def test_any_text_survives_csv(text: str, team: str) -> None:
    record = {"at": "t", "subject": "s", "text": text, "dims": {"team": team}}
    header, row = list(csv.reader(io.StringIO(to_csv(records_table({"records": [record]})), newline="")))
    named = ["at", "subject", "measure", "value", "label", "score", "model", "judged_by", "text", "text_hash"]
    assert header == [*named, *DIMENSIONS]
    fields = dict(zip(header, row, strict=True))
    assert fields["text"].removeprefix("'") == text.removeprefix("'") or fields["text"] == text
    assert fields["team"].lstrip(" ")[:1] not in set("=+-@\t\r\n")


def test_ndjson_has_a_line_for_each_item() -> None:
    assert to_ndjson([{"a": 1}, {"b": "x\ny"}]) == b'{"a":1}\n{"b":"x\\ny"}\n'

"""Results and records as tables: columns in the documented order, one format of times, names beside ids."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest

from services.gateway.domain.lines import csv_lines
from services.gateway.domain.tables import Table, kpi_table, records_table, utc, with_utc_times
from shared.events import DIMENSIONS, MULTI_VALUED_DIMENSIONS, NAMED_DIMENSIONS
from shared.fields import KPI_FIELDS, RECORD_FIELDS, is_reserved

ROW: dict[str, Any] = {
    "from": "2026-11-01T00:00:00+01:00",
    "to": "2026-11-02T00:00:00.5+01:00",
    "dims": {"team": "360001"},
    "names": {"team": "Billing"},
    "value": -41.2,
    "n": 412,
    "numerator": 170,
    "denominator": 412,
    "interval": {"low": 33.0, "high": 48.9, "level": 0.95, "method": "adjusted_wald"},
    "distribution": {"0": 12, "10": 160},
    "flags": ["partial", "low_n"],
    "compare": [{"to": "previous", "value": 35.0, "delta": 6.2, "significant": False}],
}
HEAD = {"kpi": "nps", "version": 1, "unit": "points"}
RECORD: dict[str, Any] = {
    "subject": "c1/response/1",
    "at": "2026-11-01T09:00:00+01:00",
    "measure": "label:e5-2",
    "value": 1,
    "dims": {name: f"{name} value" for name in (*DIMENSIONS, "plan")},
    "names": {"agent": "Ada"},
    "text": "late",
    "text_hash": "0f",
    "label": "positive",
    "score": 0.5,
    "themes": [{"theme": "delivery", "score": -0.7}, {"theme": "price", "score": 0.2}],
    "urgency": ["outage", "safety"],
    "judged_by": "human",
    "themes_by": "model",
    "model": "e5-2",
    "model_label": "negative",
}


def read(table: Table, *items: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of the CSV by column."""
    return list(csv.DictReader(io.StringIO("".join(csv_lines(table.header, map(table.row, items))))))


def test_a_kpi_has_its_columns_in_the_documented_order() -> None:
    assert ",".join(kpi_table(HEAD, ["team", "channel"], 1).header) == (
        "kpi,version,unit,from,to,team,channel,value,n,numerator,denominator,interval_low,interval_high,interval_level,"
        "interval_method,flags,distribution,compare_1_to,compare_1_value,compare_1_delta,compare_1_significant,team_name"
    )


def test_every_column_of_a_kpi_has_its_value() -> None:
    second = {"to": "previous_year", "value": 40.0, "delta": 1.2, "significant": True}
    [row] = read(kpi_table(HEAD, ["team", "region"], 2), ROW | {"compare": [*ROW["compare"], second]})
    assert row == {
        "kpi": "nps",
        "version": "1",
        "unit": "points",
        "from": "2026-10-31T23:00:00.000000Z",
        "to": "2026-11-01T23:00:00.500000Z",
        "team": "360001",
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
        "team_name": "Billing",
    }


def test_every_column_of_a_record_has_its_value() -> None:
    table = records_table(["plan", "tier"])
    assert ",".join(table.header) == (
        "at,subject,measure,value,label,score,model,judged_by,text,text_hash,"
        f"{','.join(DIMENSIONS)},plan,tier,team_name,agent_name,survey_name,themes,urgency,themes_by,model_label"
    )
    [row] = read(table, RECORD)
    assert row == {
        **{name: str(RECORD[name]) for name in ("subject", "measure", "value", "label", "score", "model", "judged_by", "text")},
        **{name: str(RECORD[name]) for name in ("text_hash", "themes_by", "model_label")},
        **{name: f"{name} value" for name in (*DIMENSIONS, "plan")},
        "at": "2026-11-01T08:00:00.000000Z",
        "tier": "",
        "team_name": "",
        "agent_name": "Ada",
        "survey_name": "",
        "themes": "delivery price",
        "urgency": "outage safety",
    }


def test_null_and_missing_fields_are_empty() -> None:
    bare = {"from": None, "value": None, "n": 0, "dims": {"team": None}, "interval": None, "distribution": None}
    [row] = read(kpi_table(HEAD, ["team"], 1), bare)
    assert {name: value for name, value in row.items() if value} == {"kpi": "nps", "version": "1", "unit": "points", "n": "0"}
    [row] = read(records_table([]), {"subject": "s"})
    assert {name: value for name, value in row.items() if value} == {"subject": "s"}


def test_the_selected_fields_have_columns() -> None:
    assert kpi_table(HEAD, ["team"], 1).only(["dims", "value", "interval"]).header == [
        "team", "value", "interval_low", "interval_high", "interval_level", "interval_method",
    ]  # fmt: skip
    of_every_kpi = {column.field for column in kpi_table(HEAD, ["team"], 1, presets=1).columns}
    of_breaches = {column.field for column in kpi_table(HEAD | {"kpi": "sla_breached_open"}, [], 0).columns}
    assert of_every_kpi | of_breaches == set(KPI_FIELDS)
    assert of_breaches - of_every_kpi == {"next_breach"}
    assert {column.field for column in records_table([]).columns} == set(RECORD_FIELDS)


def test_the_next_breach_is_a_time_in_utc() -> None:
    table = kpi_table(HEAD | {"kpi": "sla_breached_open"}, [], 0)
    assert table.header[-1] == "next_breach"
    assert table.row({"next_breach": "2026-10-25T02:30:00+02:00"})[-1] == "2026-10-25T00:30:00.000000Z"
    assert table.row({"next_breach": None})[-1] is None
    assert with_utc_times({"next_breach": "2026-10-25T02:30:00+02:00"}) == {"next_breach": "2026-10-25T00:30:00.000000Z"}


def test_each_preset_that_is_compared_has_columns() -> None:
    table = kpi_table(HEAD, [], 0, presets=2).only(["presets"])
    assert table.header[4:] == [f"compare_preset_2_{name}" for name in ("preset", "value", "n", "delta")]
    item = {"presets": [{"preset": "zendesk", "value": 60.0, "n": 2, "delta": -5.0}]}
    assert table.row(item) == ["zendesk", 60.0, 2, -5.0, None, None, None, None]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00.000000Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00.000000Z"),
        ("2026-10-25T00:30:00.123456+00:00", "2026-10-25T00:30:00.123456Z"),
        ("0999-12-31T23:30:00Z", "0999-12-31T23:30:00.000000Z"),
    ],
)
def test_all_times_have_one_format_in_utc(time: str, expected: str) -> None:
    assert utc(time) == expected


def test_a_row_for_ndjson_has_its_times_in_utc_and_all_else_unchanged() -> None:
    changed = {"from": "2026-10-31T23:00:00.000000Z", "to": "2026-11-01T23:00:00.500000Z"}
    assert with_utc_times(ROW) == ROW | changed
    assert with_utc_times({"at": None}) == {"at": None}
    assert with_utc_times({"at": "2026-10-25T02:30:00+02:00"}) == {"at": "2026-10-25T00:30:00.000000Z"}


def test_every_column_that_is_no_dimension_is_a_reserved_name() -> None:
    tables = kpi_table({}, NAMED_DIMENSIONS, 3), records_table([])
    columns = {name for table in tables for name in table.header} - {*DIMENSIONS, *MULTI_VALUED_DIMENSIONS}
    assert [name for name in columns if not is_reserved(name)] == []


def test_a_dimension_with_a_reserved_name_has_a_column_of_its_own() -> None:
    dims = {"value": "x", "plan": "pro"}
    table = kpi_table({}, ["value", "plan"], 0)
    assert len(set(table.header)) == len(table.header)
    [row] = read(table, {"dims": dims, "value": 7})
    assert (row["dim.value"], row["plan"], row["value"]) == ("x", "pro", "7")
    header = records_table(["value", "plan"]).header
    assert ("dim.value" in header, header.count("value"), "plan" in header) == (True, 1, True)

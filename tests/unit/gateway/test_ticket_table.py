"""Tickets as tables: CSV, NDJSON and Parquet have the same columns, and times in UTC."""

import io
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.gateway.api.parquet import parquet_of
from services.gateway.api.rendering import CSV, Format
from services.gateway.api.ticket_lines import lines_of_csv, ndjson_lines
from services.gateway.domain.ticket_table import TicketPage, decode_page

COLUMNS = [
    ("subject", "string"),
    ("opened", "time"),
    ("first_reply_seconds", "integer"),
    ("sentiment_last", "number"),
    ("one_touch", "boolean"),
]
TICKETS: list[dict[str, Any]] = [
    {
        "subject": "=c1/ticket/1",
        "opened": "2026-11-01T10:00:00+01:00",
        "first_reply_seconds": 60,
        "sentiment_last": 1,
        "one_touch": True,
    },
    dict.fromkeys(name for name, _ in COLUMNS) | {"subject": "c1/ticket/2"},
]


def page_of(tickets: list[dict[str, Any]]) -> TicketPage:
    columns = [{"name": name, "type": type_} for name, type_ in COLUMNS]
    return decode_page(msgspec.json.encode({"columns": columns, "tickets": tickets, "next": None}))


def test_csv_has_a_column_for_each_value_and_no_formulas() -> None:
    lines = b"".join(lines_of_csv(page_of(TICKETS), Format(CSV, bom=True))).decode("utf-8-sig").splitlines()
    assert lines == [
        "subject,opened,first_reply_seconds,sentiment_last,one_touch",
        "'=c1/ticket/1,2026-11-01T09:00:00.000000Z,60,1,true",
        "c1/ticket/2,,,,",
    ]
    assert len(list(lines_of_csv(page_of(TICKETS), Format(CSV, header=False)))) == 2


def test_ndjson_has_an_object_for_each_ticket() -> None:
    first, second = (msgspec.json.decode(line) for line in ndjson_lines(page_of(TICKETS)))
    assert first == TICKETS[0] | {"opened": "2026-11-01T09:00:00.000000Z"}
    assert list(second) == [name for name, _ in COLUMNS]


@pytest.mark.parametrize("tickets", [TICKETS, TICKETS[1:], []])
def test_parquet_has_the_types_of_the_columns_whatever_their_values(tickets: list[dict[str, Any]]) -> None:
    table = pq.read_table(io.BytesIO(parquet_of(page_of(tickets))))
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        "subject": pa.string(),
        "opened": pa.timestamp("us", tz="UTC"),
        "first_reply_seconds": pa.int64(),
        "sentiment_last": pa.float64(),
        "one_touch": pa.bool_(),
    }
    assert table.num_rows == len(tickets)
    if tickets == TICKETS:
        assert table.to_pylist()[0] == {
            "subject": "=c1/ticket/1",
            "opened": datetime(2026, 11, 1, 9, tzinfo=UTC),
            "first_reply_seconds": 60,
            "sentiment_last": 1.0,
            "one_touch": True,
        }

"""Tickets as an Apache Parquet file. pyarrow is imported when the first file is written: it takes tens of megabytes of memory."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.gateway.domain.ticket_table import ColumnType, TicketPage

PARQUET = "application/vnd.apache.parquet"

CONVERSIONS: Mapping[ColumnType, Callable[[Any], Any]] = {"time": datetime.fromisoformat, "number": float}
"""Functions that convert a JSON value to Python, for the types that need it."""


def parquet_of(page: TicketPage) -> bytes:
    """A page of tickets as a file of its own. Times are timestamps in UTC, to the microsecond. Run it off the event loop."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "string": pa.string(),
        "time": pa.timestamp("us", tz="UTC"),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
    }
    tickets = list(page.items())
    arrays = []
    for column in page.columns:
        convert = CONVERSIONS.get(column.type)
        values = [ticket[column.name] for ticket in tickets]
        converted = [value if value is None or convert is None else convert(value) for value in values]
        arrays.append(pa.array(converted, types[column.type]))
    schema = pa.schema([(column.name, types[column.type]) for column in page.columns])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content

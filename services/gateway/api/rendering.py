"""Renders a KPI result, which metrics returns as JSON, in the media type that the client accepts.

A result may have 10,000 rows. They are decoded one by one, in slices between which the event loop runs other work.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from services.gateway.domain.tables import csv_lines, kpi_table, records_table
from shared.problems import Unavailable
from shared.slices import Slices

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
MEDIA_TYPES = (JSON, CSV, NDJSON)


class Result(msgspec.Struct):
    """A KPI result or a page of records. Its rows or records stay encoded."""

    kpi: str | None = None
    version: int | None = None
    unit: str | None = None
    rows: list[msgspec.Raw] | None = None
    records: list[msgspec.Raw] | None = None
    next: str | None = None

    @property
    def items(self) -> Iterator[dict[str, Any]]:
        """The records or else the rows, each decoded when it is requested."""
        return (msgspec.json.decode(item, type=dict) for item in (self.records if self.records is not None else self.rows or ()))


async def render(content: bytes, media_type: str, path: str, query: str) -> tuple[bytes, dict[str, str]]:
    """The response's body and its headers. JSON is passed through byte for byte.

    A page of records in CSV or NDJSON has no field for its cursor, so a `Link` header names the next page. Raises Unavailable if
    `content` is not the JSON of a result.
    """
    if media_type == JSON:
        return content, {"Content-Type": JSON}
    try:
        result = msgspec.json.decode(content, type=Result)
        body = await _join(_ndjson_lines(result) if media_type == NDJSON else _csv_lines(result, query))
    except msgspec.MsgspecError as error:
        raise Unavailable("metrics responded with invalid JSON") from error
    headers = {"Content-Type": NDJSON if media_type == NDJSON else "text/csv; charset=utf-8; header=present"}
    if result.next:
        headers["Link"] = f'<{_next_page(path, query, result.next)}>; rel="next"'
    return body, headers


async def _join(lines: Iterable[bytes]) -> bytes:
    slices, parts = Slices(), []
    for line in lines:
        parts.append(line)
        await slices.pause()
    return b"".join(parts)


def _ndjson_lines(result: Result) -> Iterator[bytes]:
    return (msgspec.json.encode(item) + b"\n" for item in result.items)


def _csv_lines(result: Result, query: str) -> Iterator[bytes]:
    """The records or rows as lines of CSV, with the columns that `query` implies."""
    if result.records is not None:
        table = records_table({"records": result.items})
    else:
        params = parse_qsl(query)
        dims = [name for key, value in params if key == "group_by" for name in value.split(",") if name]
        comparisons = len({value for key, value in params if key == "compare"})
        head = {"kpi": result.kpi, "version": result.version, "unit": result.unit}
        table = kpi_table(head | {"rows": result.items}, dims, comparisons)
    return (line.encode() for line in csv_lines(table))


def decode_object(content: bytes) -> dict[str, Any]:
    """A JSON object of metrics. Raises Unavailable if `content` is none."""
    try:
        decoded: dict[str, Any] = msgspec.json.decode(content, type=dict)
    except msgspec.MsgspecError as error:
        raise Unavailable("metrics responded with invalid JSON") from error
    return decoded


def _next_page(path: str, query: str, cursor: str) -> str:
    params = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "cursor"]
    return f"{path}?{urlencode([*params, ('cursor', cursor)])}"

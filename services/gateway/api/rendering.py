"""Renders a KPI result, which metrics returns as JSON, in the format that the client accepts.

A result may have 10,000 rows. They are decoded one by one, in slices between which the event loop runs other work.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from services.gateway.domain.lines import csv_lines
from services.gateway.domain.media import choose_media_type, parameters_of
from services.gateway.domain.tables import Table, kpi_table, records_table, with_utc_times
from shared.fields import KPI_FIELDS, RECORD_FIELDS, select_fields
from shared.problems import Unavailable
from shared.slices import Slices

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
MEDIA_TYPES = (JSON, CSV, NDJSON)


@dataclass(frozen=True, slots=True)
class Format:
    """A media type. Of CSV also whether it has a header, and whether it begins with a byte order mark, by which Excel recognises
    UTF-8."""

    media_type: str
    header: bool = True
    bom: bool = False

    @property
    def content_type(self) -> str:
        """The `Content-Type` of the response (RFC 4180, 3)."""
        if self.media_type != CSV:
            return self.media_type
        return f"{CSV}; charset=utf-8; header={'present' if self.header else 'absent'}"


def accepted_format(accept: str, offered: Sequence[str] = MEDIA_TYPES) -> Format:
    """The format that an `Accept` header chooses of `offered`: `text/csv; header=absent; charset=utf-8-sig`."""
    media_type = choose_media_type(accept, offered)
    if media_type != CSV:
        return Format(media_type)
    parameters = parameters_of(accept, CSV)
    return Format(CSV, parameters.get("header") != "absent", parameters.get("charset") == "utf-8-sig")


class Result(msgspec.Struct):
    """A KPI result or a page of records. Its rows or records stay encoded."""

    kpi: str | None = None
    version: int | None = None
    unit: str | None = None
    rows: list[msgspec.Raw] | None = None
    records: list[msgspec.Raw] | None = None
    dimensions: list[str] = []
    """The names of the tenant's own dimensions. Only a page of records has them."""
    next: str | None = None

    @property
    def items(self) -> Iterator[dict[str, Any]]:
        """The records or else the rows, each decoded when it is requested."""
        return (msgspec.json.decode(item, type=dict) for item in (self.records if self.records is not None else self.rows or ()))


async def render(content: bytes, format_: Format, path: str, query: str) -> tuple[bytes, dict[str, str]]:
    """The response's body and its headers. JSON is passed through byte for byte.

    A page of records in CSV or NDJSON has no field for its cursor, so a `Link` header names the next page. Raises Unavailable if
    `content` is not the JSON of a result.
    """
    headers = {"Content-Type": format_.content_type}
    if format_.media_type == JSON:
        return content, headers
    try:
        result = msgspec.json.decode(content, type=Result)
        body = await join(_ndjson_lines(result) if format_.media_type == NDJSON else _csv_lines(result, format_, query))
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unavailable("metrics responded with an invalid result") from error
    if result.next:
        headers["Link"] = f'<{next_page(path, query, result.next)}>; rel="next"'
    return body, headers


async def join(lines: Iterable[bytes]) -> bytes:
    """The lines as one body; they are made in slices."""
    slices, parts = Slices(), []
    for line in lines:
        parts.append(line)
        await slices.pause()
    return b"".join(parts)


def _ndjson_lines(result: Result) -> Iterator[bytes]:
    return (msgspec.json.encode(with_utc_times(item)) + b"\n" for item in result.items)


def _csv_lines(result: Result, format_: Format, query: str) -> Iterator[bytes]:
    """The records or rows as lines of CSV, with the columns that `query` implies."""
    table = _table(result, query)
    lines = csv_lines(table.header if format_.header else None, map(table.row, result.items))
    return chain([codecs.BOM_UTF8] if format_.bom else [], (line.encode() for line in lines))


def _table(result: Result, query: str) -> Table:
    params = parse_qsl(query)
    fields = dict(params).get("fields")
    if result.records is not None:
        return records_table(result.dimensions).only(select_fields(fields, RECORD_FIELDS))
    dims = [name for key, value in params if key == "group_by" for name in value.split(",") if name]
    comparisons = len({value for key, value in params if key == "compare"})
    compared_presets = next((value for key, value in params if key == "compare_presets"), "")
    presets = len({name.strip() for name in compared_presets.split(",") if name})
    head = {"kpi": result.kpi, "version": result.version, "unit": result.unit}
    return kpi_table(head, dims, comparisons, presets).only(select_fields(fields, KPI_FIELDS))


def decode_object(content: bytes) -> dict[str, Any]:
    """A JSON object of metrics. Raises Unavailable if `content` is none."""
    try:
        decoded: dict[str, Any] = msgspec.json.decode(content, type=dict)
    except msgspec.MsgspecError as error:
        raise Unavailable("metrics responded with invalid JSON") from error
    return decoded


def next_page(path: str, query: str, cursor: str) -> str:
    """The URL of the page that begins at `cursor`."""
    params = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "cursor"]
    return f"{path}?{urlencode([*params, ('cursor', cursor)])}"

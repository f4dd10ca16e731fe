"""A KPI's answer, which metrics gives as JSON, in the media type that the client accepts.

An answer may have 10,000 rows: they are decoded one by one, in slices between which the event loop goes on.
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

Rows = list[msgspec.Raw]


class Answer(msgspec.Struct):
    """What metrics answers about a KPI, its rows or records still encoded."""

    kpi: str | None = None
    version: int | None = None
    unit: str | None = None
    rows: Rows | None = None
    records: Rows | None = None
    next: str | None = None

    @property
    def items(self) -> Iterator[dict[str, Any]]:
        """The records, or else the rows, each decoded when it is its turn."""
        return (msgspec.json.decode(item, type=dict) for item in (self.records if self.records is not None else self.rows or ()))


async def rendered(content: bytes, media_type: str, path: str, query: str) -> tuple[bytes, dict[str, str]]:
    """The answer's body and the headers that belong to it; raises Unavailable if metrics answered no JSON of this form.

    JSON passes byte for byte. In CSV and NDJSON a page of records has no place for its cursor, so a `Link` names the next page.
    """
    if media_type == JSON:
        return content, {"Content-Type": JSON}
    try:
        answer = msgspec.json.decode(content, type=Answer)
        body = await sliced(ndjson(answer) if media_type == NDJSON else csv(answer, query))
    except msgspec.MsgspecError as error:
        raise Unavailable("metrics answered what is no JSON") from error
    headers = {"Content-Type": NDJSON if media_type == NDJSON else "text/csv; charset=utf-8; header=present"}
    if answer.next:
        headers["Link"] = f'<{next_page(path, query, answer.next)}>; rel="next"'
    return body, headers


async def sliced(lines: Iterable[bytes]) -> bytes:
    """The lines as one body."""
    slices, parts = Slices(), []
    for line in lines:
        parts.append(line)
        await slices.pause()
    return b"".join(parts)


def ndjson(answer: Answer) -> Iterator[bytes]:
    """The records or rows as lines of JSON."""
    return (msgspec.json.encode(item) + b"\n" for item in answer.items)


def csv(answer: Answer, query: str) -> Iterator[bytes]:
    """The records or rows as lines of CSV, in the columns that `query` calls for."""
    if answer.records is not None:
        table = records_table({"records": answer.items})
    else:
        params = parse_qsl(query)
        dims = [name for key, value in params if key == "group_by" for name in value.split(",") if name]
        comparisons = len({value for key, value in params if key == "compare"})
        head = {"kpi": answer.kpi, "version": answer.version, "unit": answer.unit}
        table = kpi_table(head | {"rows": answer.items}, dims, comparisons)
    return (line.encode() for line in csv_lines(table))


def decoded(content: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = msgspec.json.decode(content, type=dict)
    except msgspec.MsgspecError as error:
        raise Unavailable("metrics answered what is no JSON") from error
    return answer


def next_page(path: str, query: str, cursor: str) -> str:
    params = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "cursor"]
    return f"{path}?{urlencode([*params, ('cursor', cursor)])}"

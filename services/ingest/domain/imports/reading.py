"""Reads the records of an uploaded file: each becomes a delivery, or is rejected with the reason."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct
from pydantic import ValidationError

from services.ingest.domain.api_outcome import describe_fault
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.idempotency import with_erasure_digest
from services.ingest.domain.imports.job import Fault, Import
from services.ingest.domain.imports.lines import MAX_LINE_BYTES, START, FilePosition, Line
from services.ingest.domain.imports.mapping import CsvMapping, digest_of
from services.ingest.domain.imports.rows import (
    CsvRow,
    RowConverter,
    Unreadable,
    WrongCell,
    missing_columns,
    read_header,
    read_rows,
)
from services.ingest.domain.normalise import TooLong
from services.ingest.domain.providers import PROVIDERS, Headers, Request
from services.ingest.domain.receive import receive, receive_record
from services.ingest.domain.record import Invalid
from shared import strict_json

T = TypeVar("T")
Outcome: TypeAlias = Delivery | Sequence[Fault]

CSV, NDJSON = "csv", "ndjson"

EDITED_TYPES = ("response", "review", "ticket")
"""Types of records of which a later edit wins over an earlier one."""

BLANK = b" \t\r\n"
BOM = b"\xef\xbb\xbf"


class Row(Struct, frozen=True):
    """One record of the file: the line in which it begins, the position after it, and its delivery or the places that are
    wrong. `error` is that of a record which a fault of ours keeps from being read. `place` counts the records of one line."""

    line: int
    end: FilePosition
    outcome: Outcome
    error: Exception | None = None
    place: int = 0


def formats_for(provider: str) -> list[str]:
    """The formats of files that can be imported into a connection of this provider."""
    return [CSV, NDJSON, *([provider] if provider in PROVIDERS else [])]


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the records of one file. `digest` identifies its content: the ids of its deliveries are made of it and the line, so a
    file that is imported again states nothing new.

    A canonical record without `updated_at` gets one: `edited_at` and a microsecond for each line before it. So of several records
    about one subject the last one of the file wins, in whatever order they are read. None: the time of such an edit is that of
    its receipt.
    """

    connection: Connection
    format: str
    mapping: CsvMapping | None
    header: Sequence[str]
    digest: str
    now: Callable[[], datetime]
    edited_at: datetime | None = None

    def rows(self, lines: Iterable[Line], begin: FilePosition = START) -> Iterator[Row]:
        """The records in `lines`, which begin after the header, at `begin`. Raises Unreadable if the rest of the file can't be
        read.

        A record that raises anything else is rejected with the type of the error.
        """
        if self.mapping is None:
            for line in lines:
                content = (line.content.removeprefix(BOM) if line.number == 1 else line.content).strip(BLANK)
                if content and line.is_too_long:
                    yield Row(line.number, line.end, too_long(line.number))
                elif content and self.format == NDJSON:
                    yield self._to_row(line.number, line.end, self._read_record, content)
                elif content:
                    yield from self._payload_rows(line, content, begin)
                begin = line.end
            return
        converter = RowConverter(self.mapping, self.header)
        for row in read_rows(lines, self.mapping):
            yield self._to_row(row.line, row.end, partial(self._read_row, converter), row)

    def _to_row(self, line: int, end: FilePosition, read: Callable[[int, T], Outcome], content: T, place: int = 0) -> Row:
        try:
            return Row(line, end, read(line, content), place=place)
        except MemoryError:
            raise
        except Exception as error:
            return Row(line, end, [Fault(line, "", describe_fault(error))], error, place)

    def _read_record(self, line: int, content: bytes) -> Outcome:
        """A canonical record."""
        try:
            value = strict_json.parse(content)
        except strict_json.Malformed as error:
            return [Fault(line, "", str(error))]
        if self.edited_at and isinstance(value, dict) and value.get("type") in EDITED_TYPES and "updated_at" not in value:
            edited = (self.edited_at + timedelta(microseconds=line)).isoformat()
            value["updated_at"] = edited
            content = b'{"updated_at":"%b",%b' % (edited.encode(), content[1:])
        return self._to_delivery(line, value, content)

    def _payload_rows(self, line: Line, content: bytes, begin: FilePosition) -> Iterator[Row]:
        """The deliveries of a payload as the tool posts it to the hook: several if it is a batch.

        Those before the last one end at `begin`, where the line begins: an import that stops between them reads the line again.
        """
        request = Request("POST", "", Headers({"content-type": "application/json"}), content)
        requests = PROVIDERS[self.connection.provider].requests(request)
        for place, one in enumerate(requests):
            end = line.end if one is requests[-1] else begin
            yield self._to_row(line.number, end, self._read_payload, one, place)

    def _read_payload(self, line: int, request: Request) -> Outcome:
        """One delivery. It is stored as if it arrived at the hook, so it is a duplicate if it did."""
        return receive(self.connection, request, self.now())

    def _read_row(self, converter: RowConverter, line: int, row: CsvRow) -> Outcome:
        """A row of a CSV file."""
        try:
            record = converter.convert(row)
        except WrongCell as error:
            return [Fault(line, error.column, str(error))]
        return self._to_delivery(line, record, json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode())

    def _to_delivery(self, line: int, record: Any, raw: bytes) -> Outcome:
        try:
            delivery = receive_record(self.connection, record, f"import:{self.digest}:{line}", raw, self.now())
        except Invalid as error:
            return [Fault(line, place["name"], place["reason"]) for place in error.places]
        except TooLong as error:
            return [Fault(line, "", str(error))]
        return with_erasure_digest(delivery)


def too_long(line: int) -> list[Fault]:
    """The fault of a line that is longer than a record may be."""
    return [Fault(line, "", f"more than {MAX_LINE_BYTES} bytes")]


def digest_of_content(sha256: str, mapping: CsvMapping | None) -> str:
    """Identifies what a file states: its content and, since other columns state other records, its mapping."""
    return (
        sha256[:32] if mapping is None else f"{sha256[:32]}-{digest_of(mapping.model_dump(mode='json', exclude_defaults=True))}"
    )


def mapping_of(job: Import) -> CsvMapping | None:
    """The mapping of an import. Raises Unreadable if this version does not know it."""
    if job.mapping is None:
        return None
    try:
        return CsvMapping.model_validate(job.mapping)
    except ValidationError as error:
        raise Unreadable(f"the mapping can't be used: {error.error_count()} places are wrong") from None


def header_of(lines: Iterable[Line], mapping: CsvMapping) -> tuple[tuple[str, ...], FilePosition]:
    """The columns of a CSV file, and the position after the header. Raises Unreadable if a column of the mapping is missing."""
    row = next(read_rows(lines, mapping), None)
    if row is None:
        raise Unreadable("the file is empty")
    header = read_header(row.cells)
    if missing := missing_columns(mapping, header):
        raise Unreadable("; ".join(f"mapping.{place['name']}: {place['reason']}" for place in missing[:3]))
    return header, row.end

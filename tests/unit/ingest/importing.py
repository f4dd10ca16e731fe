"""Files and readers for tests of imports."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery
from services.ingest.domain.imports.job import Fault
from services.ingest.domain.imports.lines import START, read_lines
from services.ingest.domain.imports.mapping import CsvMapping
from services.ingest.domain.imports.reading import Row, RowReader, digest_of_content, header_of
from tests.unit.ingest.making import NOW, connection

MAPPING: dict[str, Any] = {
    "id": "ID",
    "at": {"column": "Submitted"},
    "customer": {"email": "Email"},
    "answers": {"Score": {"kind": "nps", "question": "q1"}, "Why": {"kind": "comment"}},
    "dimensions": {"Country": "region"},
}
HEADER = "ID,Submitted,Email,Score,Why,Country,Other\n"
FILE = HEADER + '1,2026-11-20T09:00:00Z,ada@example.org,9,"Quick, and\nkind",DE,x\n2,2026-11-20 10:00,,3,,FR,\n'


@dataclass(frozen=True)
class Content:
    """The records of a file."""

    rows: list[Row]

    @property
    def deliveries(self) -> list[Delivery]:
        return [row.outcome for row in self.rows if isinstance(row.outcome, Delivery)]

    @property
    def faults(self) -> list[Fault]:
        return [fault for row in self.rows if not isinstance(row.outcome, Delivery) for fault in row.outcome]


def read(
    content: str | bytes,
    mapping: dict[str, Any] | None = None,
    *,
    file_format: str | None = None,
    tool: Connection | None = None,
    sha256: str = "0" * 64,
) -> Content:
    """Read a file in one part."""
    parts = {1: content.encode() if isinstance(content, str) else content}
    model = CsvMapping.model_validate(mapping) if mapping else None
    header: Sequence[str] = ()
    begin = START
    if model:
        header, begin = header_of(read_lines(parts.get), model)
    file_format = file_format or ("csv" if mapping else "ndjson")
    digest = digest_of_content(sha256, model)
    reader = RowReader(tool or connection(), file_format, model, header, digest, lambda: NOW)
    return Content(list(reader.rows(read_lines(parts.get, begin))))

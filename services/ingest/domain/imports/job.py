"""An import: one uploaded file whose records become deliveries of a connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.ingest.domain.imports.lines import FilePosition
from shared.request_context import RequestContext

State = Literal["uploading", "running", "done", "failed", "canceled"]

Result = Literal["accepted", "duplicate", "ignored", "rejected", "quarantined", "held", "pending"]


@dataclass(frozen=True, slots=True)
class Import:
    """`format` is `csv`, `ndjson` or a provider's id; `mapping` belongs to `csv`. `parts` and `bytes` are those uploaded.

    `sha256` is that of the whole file: as the client states it, or as computed when the import starts. `header` holds the columns
    of a CSV file from then on. The records begin at `position`. `bytes_read` counts the bytes that are done, and `results` the
    records by result, over all ranges. `bytes_before_ranges` and `results_before_ranges` count the header, and what an earlier
    version read, which had no ranges. `attempts` counts how often its preparation has begun. `reason` says why the import failed.
    `requested_by` is the id of the API key; None: the operator.
    """

    id: int
    tenant: str
    connection: str
    format: str
    mapping: Mapping[str, Any] | None
    state: State
    sha256: str | None
    prepared: bool
    header: tuple[str, ...]
    parts: int
    bytes: int
    position: FilePosition
    bytes_read: int
    results: Mapping[str, int]
    bytes_before_ranges: int
    results_before_ranges: Mapping[str, int]
    reason: str | None
    requested_by: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    attempts: int = 0
    context: RequestContext | None = field(default=None, compare=False)

    @property
    def rows(self) -> int:
        """The records that are read."""
        return sum(self.results.values())


@dataclass(frozen=True, slots=True)
class FileRange:
    """A range of the file of an import. One process at a time reads it.

    Records before `position` are stored. The range ends at `end`, where the next one begins; None: at the end of the file.
    `attempts` counts how often reading has begun since the last record was stored, this time included. `results` and `bytes_read`
    are those of the range.
    """

    job: Import
    number: int
    position: FilePosition
    end: FilePosition | None
    results: Mapping[str, int]
    bytes_read: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A place of a record that is wrong: its line in the file, its field, and the reason, which quotes no value."""

    line: int
    field: str
    reason: str

"""An import: one uploaded file whose records become deliveries of a connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.ingest.domain.imports.lines import START, Position
from shared.request_context import RequestContext

State = Literal["uploading", "running", "done", "failed", "canceled"]

Result = Literal["accepted", "duplicate", "ignored", "rejected", "quarantined", "held", "pending"]


@dataclass(frozen=True, slots=True)
class Import:
    """`format` is `csv`, `ndjson` or a provider's id; `mapping` belongs to `csv`. `parts` and `bytes` are those uploaded.

    `sha256` is that of the whole file: as the client states it, or as computed when the import starts. `header` holds the
    columns of a CSV file from then on. Records up to `position` are stored, `bytes_read` come before it. `results` are numbers
    of records by result. `reason` says why the import failed. `requested_by` is the id of the API key; None: the operator.
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
    position: Position
    bytes_read: int
    results: Mapping[str, int]
    reason: str | None
    requested_by: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    context: RequestContext | None = field(default=None, compare=False)

    @property
    def rows(self) -> int:
        """The records that are read."""
        return sum(self.results.values())

    @property
    def is_new(self) -> bool:
        """Whether no record is read yet."""
        return self.position == START


@dataclass(frozen=True, slots=True)
class Fault:
    """A place of a record that is wrong: its line in the file, its field, and the reason, which quotes no value."""

    line: int
    field: str
    reason: str

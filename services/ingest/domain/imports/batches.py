"""Records of an import that are stored in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from services.ingest.domain.delivery import Delivery
from services.ingest.domain.imports.job import FileRange
from services.ingest.domain.imports.lines import FilePosition
from services.ingest.domain.imports.reading import Row
from services.ingest.domain.imports.rows import Unreadable

BATCH_ROWS = 256
BATCH_BYTES = 1024 * 1024
"""Records that are stored in one transaction. It is short: readers of the event log wait for it."""

RETRY_SECONDS = 5.0
"""Pause after the first failed attempt. Each further pause is twice as long."""

Batch = tuple[list[Row], Unreadable | None]
"""Records, and why no more can be read."""


@dataclass(slots=True)
class Turn:
    """The range that a process reads, as its progress is stored. `bytes_before` are those of the file before the range."""

    range: FileRange
    bytes_before: int = 0


def next_batch(rows: Iterator[Row]) -> Batch:
    """The next records, as many as are stored together. None: the range has ended."""
    batch: list[Row] = []
    size = 0
    try:
        while len(batch) < BATCH_ROWS and size < BATCH_BYTES and (row := next(rows, None)):
            batch.append(row)
            size += len(row.outcome.raw) if isinstance(row.outcome, Delivery) else 0
    except Unreadable as error:
        return batch, error
    return batch, None


def stored_part(delivery: Delivery) -> Delivery:
    """The delivery without its body if that is not stored: that of an erasure names the customer."""
    return replace(delivery, raw=b"") if delivery.erases else delivery


def split_at_erasures(rows: Sequence[Row]) -> list[list[Row]]:
    """The records in parts, in their order. An erasure is alone in its part."""
    parts: list[list[Row]] = [[]]
    for row in rows:
        if isinstance(row.outcome, Delivery) and row.outcome.erases:
            parts += [[row], []]
        else:
            parts[-1].append(row)
    return [part for part in parts if part]


def bytes_before(position: FilePosition, sizes: Mapping[int, int]) -> int:
    """The bytes of the file before a position, given the size of each part."""
    return sum(size for number, size in sizes.items() if number < position.part) + position.offset


def retry_pause(attempts: int) -> float:
    """Seconds until the next attempt after `attempts` failed ones."""
    return RETRY_SECONDS * 2.0 ** (attempts - 1)

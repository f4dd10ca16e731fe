"""What becomes of records that can't be understood: parked in the DLQ with reason and origin, until there are too many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.kafka.records import Message, Record

DLQ_LIMIT = 20


class TooMuchPoison(Exception):
    """A long run of poison from several tenants: then we are wrong, not they. Nothing of the batch was parked or committed."""


@dataclass(frozen=True, slots=True)
class Run:
    """The poison records in a row that were seen last, and whose they were."""

    length: int = 0
    tenants: frozenset[str] = frozenset()

    def after(self, records: Iterable[Record], poison: Mapping[Record, str], limit: int = DLQ_LIMIT) -> "Run":
        """The run after `records`. Raises TooMuchPoison when it passes `limit` and comes from two tenants or more.

        A run from one tenant goes on being parked: one customer's broken sender must not stop the others.
        """
        run = self
        for record in records:
            run = Run(run.length + 1, run.tenants | {record.tenant}) if record in poison else Run()
            if run.length > limit and len(run.tenants) > 1:
                raise TooMuchPoison(f"{run.length} records in a row from {len(run.tenants)} tenants can't be understood")
        return run


def parked(record: Record, reason: str) -> Message:
    """The record as it goes to the DLQ: key, value and headers untouched, reason and origin added."""
    origin = (
        ("reason", reason.encode()),
        ("origin_topic", record.topic.encode()),
        ("origin_partition", str(record.partition).encode()),
        ("origin_offset", str(record.offset).encode()),
    )
    return Message(record.key or b"", record.value, record.headers + origin)

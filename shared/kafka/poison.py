"""Poison records: handle the rest of their batch, park them in the DLQ, stop when there are too many."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.kafka.records import IncomingRecord, OutgoingRecord, Poison

Handler = Callable[[Sequence[IncomingRecord]], Awaitable[None]]

DLQ_LIMIT = 20


async def apply(handler: Handler, records: Sequence[IncomingRecord]) -> dict[IncomingRecord, str]:
    """Call `handler` until every record is handled or is poison. Returns the poison with its reasons, in the batch's order.

    Raises every other error of the handler, and Poison itself if it names none of the records.
    """
    reasons: dict[IncomingRecord, str] = {}
    rest = list(records)
    while rest:
        try:
            await handler(rest)
            break
        except Poison as poison:
            named = {record: poison.reasons[record] for record in rest if record in poison.reasons}
            if not named:
                raise
            reasons |= named
            rest = [record for record in rest if record not in named]
    return {record: reasons[record] for record in records if record in reasons}


class TooMuchPoison(Exception):
    """A long run of poison from several tenants: the fault is most likely ours. Nothing of the batch was parked or committed."""


@dataclass(frozen=True, slots=True)
class PoisonRun:
    """The poison records in a row that came last, and the tenants that they belong to."""

    length: int = 0
    tenants: frozenset[str] = frozenset()

    def after(
        self, records: Iterable[IncomingRecord], poison: Mapping[IncomingRecord, str], limit: int = DLQ_LIMIT
    ) -> "PoisonRun":
        """The run after `records`. Raises TooMuchPoison if it exceeds `limit` and comes from two tenants or more.

        A run from one tenant is parked without a limit: one customer's broken sender must not stop the others.
        """
        run = self
        for record in records:
            run = PoisonRun(run.length + 1, run.tenants | {record.tenant}) if record in poison else PoisonRun()
            if run.length > limit and len(run.tenants) > 1:
                raise TooMuchPoison(f"{run.length} records in a row from {len(run.tenants)} tenants are poison")
        return run


def dlq_message(record: IncomingRecord, reason: str) -> OutgoingRecord:
    """The message for the DLQ: key, value and headers as they were, then the reason and the origin as headers."""
    origin = (
        ("reason", reason.encode()),
        ("origin_topic", record.topic.encode()),
        ("origin_partition", str(record.partition).encode()),
        ("origin_offset", str(record.offset).encode()),
    )
    return OutgoingRecord(record.key or b"", record.value, record.headers + origin)

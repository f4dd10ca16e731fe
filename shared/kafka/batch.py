"""One batch through the handler: what can't be understood is set aside, the rest is done."""

from collections.abc import Awaitable, Callable, Sequence

from shared.kafka.records import Poison, Record

Handler = Callable[[Sequence[Record]], Awaitable[None]]


async def apply(handler: Handler, records: Sequence[Record]) -> dict[Record, str]:
    """Call `handler` until all that it can understand is done; returns the poison with its reasons, in the batch's order.

    Raises what the handler raises besides Poison, and Poison itself when it names none of the records that it was given.
    """
    reasons: dict[Record, str] = {}
    rest = list(records)
    while rest:
        try:
            await handler(rest)
            break
        except Poison as poison:
            found = {record: poison.reasons[record] for record in rest if record in poison.reasons}
            if not found:
                raise
            reasons |= found
            rest = [record for record in rest if record not in found]
    return {record: reasons[record] for record in records if record in reasons}

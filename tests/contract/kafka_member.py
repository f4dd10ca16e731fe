"""A consumer as a process, for tests that kill or stop it: `python -m tests.contract.kafka_member '[…]'`."""

import asyncio
import json
import sys
from collections.abc import Sequence

from shared.kafka import Consumer, IncomingRecord, Timing
from shared.topics import Topic


async def main(bootstrap: str, topic: str, group: str, notes: str, session: float, instance: str | None) -> None:
    def note(records: Sequence[IncomingRecord]) -> None:
        with open(notes, "a") as lines:
            lines.writelines(f"{int(record.value)}\n" for record in records)

    async def handler(records: Sequence[IncomingRecord]) -> None:
        await asyncio.to_thread(note, records)

    definition, timing = Topic(topic, object, "", 0, 0, ""), Timing(session=session)
    consumer = Consumer(bootstrap=bootstrap, group=group, topics=[definition], handler=handler, instance=instance, timing=timing)
    await consumer.run()


if __name__ == "__main__":
    asyncio.run(main(*json.loads(sys.argv[1])))

"""Java's ahead-of-time cache of Kafka: a broker's classes, loaded and linked. A start then takes half of the processor time.

As a program it writes the cache if there is none, in about the time of three starts. `make test`, which starts many brokers,
runs it first. Java ignores a cache of other jars.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from deploy.local.kafka import Kafka
from deploy.local.kafka_jars import aot_cache
from deploy.local.ports import free_port_base
from deploy.local.processes import StartFailed

WRITE_SECONDS = 120.0
"""Java writes the cache when the broker has ended."""


async def write(file: Path) -> None:
    """Run a broker once, and let Java write the cache to `file`. Raises StartFailed."""
    with tempfile.TemporaryDirectory(prefix="earshot-kafka-") as name:
        folder, base = Path(name), free_port_base(2)
        written = folder / "kafka.aot"
        broker = Kafka(folder / "kafka", base, base + 1, jvm_options=[f"-XX:AOTCacheOutput={written}"])
        await broker.start(print)
        await broker.stop(patience=WRITE_SECONDS)
        if not written.is_file():
            raise StartFailed(f"Java wrote no cache; {broker.log} ends with:\n{broker.log.read_text()[-1000:]}")
        staging = file.with_name(f"{file.name}.{os.getpid()}")
        shutil.copyfile(written, staging)
        staging.replace(file)


def main() -> None:
    """Write the cache if it is missing; exit with 1 and a message on failure."""
    file = aot_cache()
    if file.exists():
        return
    print(f"Writing Java's cache of Kafka to {file} (once)", flush=True)
    try:
        asyncio.run(write(file))
    except StartFailed as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()

"""Race writers against sealers, with the whole sealing protocol and without each step: when does a reader see a wrong answer?

python -m bench.sealing_race [--seconds 20]
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from deploy.local.servers import Postgres, free_port
from services.metrics import migrate
from shared.migrations import upgrade
from shared.telemetry import configure_logging
from tests.contract.sealing_race import FAULTS, SOUND, Race, invalidate_and_sleep, prepare
from tests.service.metrics.database import open_metrics_db


async def main(seconds: float) -> None:
    configure_logging("bench", "WARNING", "console")
    with tempfile.TemporaryDirectory(prefix="earshot-race-") as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)
        server = Postgres(Path(folder) / "postgres", free_port())
        await server.start()
        try:
            await report(server, "the whole protocol", Race("", SOUND, invalidate_and_sleep), seconds)
            for name, (protocol, invalidate, sealer) in FAULTS.items():
                await report(server, name, Race("", protocol, invalidate, sealer), seconds)
        finally:
            await server.stop()


async def report(server: Postgres, name: str, race: Race, seconds: float) -> None:
    """Run one race on a fresh database and print its result."""
    race.url = await server.create_database(name.replace(" ", "_"))
    await asyncio.to_thread(upgrade, race.url, migrate.SCRIPTS)
    async with open_metrics_db(race.url) as metrics:
        await prepare(metrics)
    began = time.perf_counter()
    await race.run(seconds)
    result = f"wrong at comparison {race.compared}" if race.wrong else f"{race.compared} comparisons, none wrong"
    print(f"{name}: {result}, after {time.perf_counter() - began:.1f} s", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    asyncio.run(main(parser.parse_args().seconds))

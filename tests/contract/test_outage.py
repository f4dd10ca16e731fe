"""However PostgreSQL stops, its clients get only exceptions of OUTAGE, so workers that wait through an outage survive it."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from deploy.local.servers import Postgres, free_port
from shared.database import OUTAGE, open_pool

CLIENTS = 24
ROUNDS = 4


async def test_a_server_that_stops_and_starts_raises_only_outages() -> None:
    with tempfile.TemporaryDirectory(prefix="earshot-outage-") as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "postgres", free_port())
        await server.start()
        met: Counter[type[BaseException]] = Counter()
        async with open_pool(server.url("postgres"), CLIENTS) as pool:

            async def client() -> None:
                while True:
                    try:
                        async with pool.acquire(timeout=2) as connection, connection.transaction():
                            await connection.execute("SELECT $1::int", 1)
                        await asyncio.sleep(0)
                    except Exception as error:
                        met[type(error)] += 1
                        await asyncio.sleep(0.05)

            clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
            for _ in range(ROUNDS):
                await asyncio.sleep(0.5)
                await server.stop()
                await asyncio.sleep(0.2)
                await server.start()
            for task in clients:
                task.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
        await server.stop()
    assert met
    assert {kind.__name__ for kind in met if not issubclass(kind, OUTAGE)} == set()

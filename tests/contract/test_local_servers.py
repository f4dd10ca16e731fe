"""The servers of the local stack: they serve, restart after a kill, and never outlive the process that started them."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.kafka_jars import aot_cache, ensure_jars
from deploy.local.ports import free_port_base, is_free
from deploy.local.postgres import is_postmaster
from deploy.local.processes import Child, StartFailed, run_command, wait_until_ready
from deploy.local.servers import Kafka, Postgres, free_port
from shared.database import dsn
from tests.contract.local_processes import has_ended, until

OWNER = """
import asyncio, sys
from pathlib import Path
from deploy.local.servers import Kafka, Postgres

async def main(folder, port):
    postgres, kafka = Postgres(folder / "postgres", port), Kafka(folder / "kafka", port + 1, port + 2)
    await asyncio.gather(postgres.start(), kafka.start())
    (folder / "pids").write_text(f"{postgres.pid} {kafka.pid}")
    await asyncio.sleep(600)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="earshot-") as name:
        yield Path(name)


async def with_damaged_aot_cache(folder: Path) -> dict[str, str]:
    """The environment of a process for which Java's cache of Kafka is damaged."""
    jars = await ensure_jars(print)
    (folder / "earshot").mkdir()
    (folder / "earshot" / jars.name).symlink_to(jars)
    (folder / "earshot" / aot_cache().name).write_text("damaged")
    return {**os.environ, "XDG_CACHE_HOME": str(folder)}


async def test_both_die_with_a_killed_owner_and_start_again_on_its_data(folder: Path) -> None:
    base = free_port_base()
    environment = await with_damaged_aot_cache(folder)
    owner = await Child.spawn("owner", [sys.executable, "-c", OWNER, folder, str(base)], folder / "owner.log", env=environment)

    async def started() -> bool:
        return (folder / "pids").exists() and len((folder / "pids").read_text().split()) == 2

    await wait_until_ready(owner, started, seconds=120)
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    assert f"-XX:AOTCache={folder / 'earshot'}" in Path(f"/proc/{pids[1]}/cmdline").read_text()
    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    await until(lambda: all(map(has_ended, pids)) and all(map(is_free, range(base, base + 3))))

    postgres, kafka = Postgres(folder / "postgres", base), Kafka(folder / "kafka", base + 1, base + 2)
    await asyncio.gather(postgres.start(), kafka.start())
    await asyncio.gather(postgres.stop(), kafka.stop())
    assert postgres.pid
    assert kafka.pid
    assert has_ended(postgres.pid)
    assert has_ended(kafka.pid)


async def durability(postgres: Postgres) -> list[str]:
    """The settings on which it depends that commits survive a loss of power."""
    connection = await asyncpg.connect(dsn(postgres.url("postgres")))
    try:
        return [await connection.fetchval(f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")]
    finally:
        await connection.close()


async def test_a_stale_lock_file_with_the_number_of_a_living_process_does_not_stop_the_next_start(folder: Path) -> None:
    postgres = Postgres(folder, free_port())
    await postgres.start()
    assert await durability(postgres) == ["on", "on", "on"]
    lock = folder / "data" / "postmaster.pid"
    stale = lock.read_text().split("\n", 1)[1]
    assert postgres.pid
    assert is_postmaster(postgres.pid, folder / "data")
    await postgres.stop()
    lock.write_text(f"{os.getpid()}\n{stale}")
    await postgres.start()
    assert int(lock.read_text().split("\n", 1)[0]) == postgres.pid
    await postgres.stop()


async def test_a_database_is_created_once_and_can_be_a_copy(postgres: Postgres) -> None:
    url = await postgres.create_database("made_once")
    assert await postgres.create_database("made_once") == url
    connection = await asyncpg.connect(dsn(url))
    await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)")
    await connection.close()
    connection = await asyncpg.connect(dsn(await postgres.create_database("made_from_it", template="made_once")))
    assert await connection.fetchval("SELECT n FROM kept") == 7
    await connection.close()


async def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host="127.0.0.1", port=postgres.port, user="earshot", password="guess", database="postgres")


async def test_the_random_password_is_hashed_once(postgres: Postgres) -> None:
    connection = await asyncpg.connect(dsn(postgres.url("postgres")))
    assert (await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolcanlogin")).startswith("SCRAM-SHA-256$1:")
    await connection.close()


async def test_a_port_in_use_is_named(postgres: Postgres, folder: Path) -> None:
    with pytest.raises(StartFailed, match=str(postgres.port)):
        await Postgres(folder, postgres.port).start()


async def test_the_error_of_a_failed_command_ends_with_its_log(folder: Path) -> None:
    program = [sys.executable, "-c", "print('no such luck'); raise SystemExit(3)"]
    with pytest.raises(StartFailed, match="no such luck"):
        await run_command("luck", program, folder / "luck.log")


async def test_a_child_that_ignores_sigterm_is_killed(folder: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    child = await Child.spawn("deaf", [sys.executable, "-c", deaf], folder / "deaf.log")

    async def up() -> bool:
        return "up" in child.log_tail()

    await wait_until_ready(child, up, seconds=10)
    await child.stop(patience=0.1)
    assert await child.wait() == -signal.SIGKILL

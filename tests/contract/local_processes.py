"""Watching processes that may be nobody's children any more."""

import asyncio
from collections.abc import Callable
from pathlib import Path


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has reaped yet has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def until(truth: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what happens in other processes."""
    async with asyncio.timeout(seconds):
        while not truth():  # noqa: ASYNC110 - nothing here could tell us
            await asyncio.sleep(0.05)

"""Observe processes that may no longer be children of the test process."""

import asyncio
from collections.abc import Callable
from pathlib import Path


def has_ended(pid: int) -> bool:
    """Whether the process has ended. A zombie has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until `condition()` is true of other processes. Raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)

"""A service of Earshot as a child process."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from deploy.local.processes import Child, wait_until_ready

MAX_FAILED_PROBES = 3
"""Failed liveness probes in a row after which the service is restarted."""


class Service:
    """A process that serves at `url`. `start()` returns when it is alive, `wait_until_serving()` when it is ready."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        url: str,
        environment: Mapping[str, str],
        log: Path,
        http: httpx.AsyncClient,
        probe_interval: float = 5.0,
    ) -> None:
        self.name = name
        self._command = command
        self._url = url
        self._environment = {**os.environ, **environment}
        self._log = log
        self._http = http
        self._probe_interval = probe_interval
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None before the first start."""
        return self._child.pid if self._child else None

    async def start(self, progress: Callable[[str], None] = lambda line: None) -> None:
        """Start the process and wait until it is alive. Raises StartFailed."""
        self._child = await Child.spawn(self.name, self._command, self._log, env=self._environment)
        await wait_until_ready(self._child, self._is_alive, seconds=60)

    async def wait(self) -> int:
        """Wait for its end. Returns its exit status. A service that repeatedly fails its liveness probe is stopped."""
        assert self._child
        failed_probes = 0
        while failed_probes < MAX_FAILED_PROBES:
            with suppress(TimeoutError):
                return await asyncio.wait_for(self._child.wait(), self._probe_interval)
            failed_probes = failed_probes + 1 if await self._status("/livez") == 503 else 0
        await self.stop()
        return await self._child.wait()

    async def stop(self) -> None:
        """Stop the process, and kill it after 15 seconds. No effect before the first start."""
        if self._child:
            await self._child.stop(patience=15)

    async def wait_until_serving(self) -> None:
        """Return when it is ready. Raises StartFailed if it dies or is not ready in time."""
        assert self._child
        await wait_until_ready(self._child, self._is_ready, seconds=60)

    async def _is_ready(self) -> bool:
        return await self._status("/readyz") == 200

    async def _is_alive(self) -> bool:
        return await self._status("/livez") is not None

    async def _status(self, path: str) -> int | None:
        try:
            return (await self._http.get(self._url + path)).status_code
        except httpx.HTTPError:
            return None

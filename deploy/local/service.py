"""One of our services as a child process."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from deploy.local.processes import Child, until_ready

AILING_LIMIT = 3
"""How many probes in a row must find it unwell before it is restarted."""


class Service:
    """A process that serves at `url`; `start()` returns when it answers at all, `until_serving()` when it can serve."""

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
        return self._child.pid if self._child else None

    async def start(self, progress: Callable[[str], None] = lambda line: None) -> None:
        self._child = await Child.spawn(self.name, self._command, self._log, env=self._environment)
        await until_ready(self._child, self._answers, seconds=60)

    async def wait(self) -> int:
        """Its exit status, once it has ended. One that says itself that it is not well is ended, as an orchestrator would."""
        assert self._child
        ailing = 0
        while ailing < AILING_LIMIT:
            with suppress(TimeoutError):
                return await asyncio.wait_for(self._child.wait(), self._probe_interval)
            ailing = ailing + 1 if await self._status("/livez") == 503 else 0
        await self.stop()
        return await self._child.wait()

    async def stop(self) -> None:
        if self._child:
            await self._child.stop(patience=15)

    async def until_serving(self) -> None:
        """Return when it has all that it needs; raises StartFailed when it dies instead, or never gets it."""
        assert self._child
        await until_ready(self._child, self._ready, seconds=60)

    async def _ready(self) -> bool:
        return await self._status("/readyz") == 200

    async def _answers(self) -> bool:
        return await self._status("/livez") is not None

    async def _status(self, path: str) -> int | None:
        try:
            return (await self._http.get(self._url + path)).status_code
        except httpx.HTTPError:
            return None

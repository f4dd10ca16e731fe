"""A client of a running stack: the contents of `demo.json`, signed deliveries to ingest, and requests to the gateway."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

from deploy.local.environment import read_environment
from tests.signing import SIGN

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Stack:
    """Reads `demo.json` at each use, since pids change when a process is killed."""

    def __init__(self, data: Path) -> None:
        self.data = data

    async def __aenter__(self) -> Self:
        self._exits = AsyncExitStack()
        self.http = await self._exits.enter_async_context(httpx.AsyncClient(timeout=15))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    @staticmethod
    def wait_for_file(path: Path, process: subprocess.Popen[bytes], seconds: float = 240) -> None:
        """Wait until `path` exists. The first start on a machine downloads Kafka."""
        deadline = time.monotonic() + seconds
        while not path.exists():
            assert process.poll() is None, "make run ended before the stack was ready"
            assert time.monotonic() < deadline, f"{path} did not appear within {seconds} s"
            time.sleep(0.2)

    # --- demo.json
    @property
    def demo(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.data / "demo.json").read_text())
        return content

    @property
    def gateway_url(self) -> str:
        return str(self.demo["gateway_url"])

    @property
    def ingest_url(self) -> str:
        return str(self.demo["ingest_url"])

    @property
    def api_key(self) -> str:
        return str(self.demo["api_key"])

    @property
    def admin_key(self) -> str:
        return str(self.demo["admin_key"])

    @property
    def connections(self) -> list[dict[str, str]]:
        return list(self.demo["connections"])

    def connection(self, provider: str) -> dict[str, str]:
        return next(c for c in self.connections if c["provider"] == provider)

    # --- deliveries to ingest
    async def deliver(
        self, provider: str, payload: object, *, connection: dict[str, str] | None = None, **signing: Any
    ) -> httpx.Response:
        """Post `payload` (bytes unchanged, anything else as JSON) to the provider's connection, signed like the tool signs."""
        connection = connection or self.connection(provider)
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = SIGN[provider](connection["secret"], body, **signing)
        return await self.http.post(connection["hook_url"], content=body, headers=headers)

    async def post_standard(self, record: dict[str, Any], **signing: Any) -> httpx.Response:
        """A canonical record in a Standard Webhooks envelope."""
        return await self.deliver("standard", envelope(record), **signing)

    # --- the gateway
    async def get(self, path: str, *, key: str | None = None, **params: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {key or self.api_key}"}
        return await self.http.get(f"{self.gateway_url}{path}", params=params, headers=headers)

    async def row(self, kpi: str, **params: Any) -> dict[str, Any]:
        """The one row of an ungrouped query, by default over the last 24 hours."""
        answer = await self.get(f"/v1/kpis/{kpi}", **{"window": "24h", **params})
        assert answer.status_code == 200, answer.text
        [row] = answer.json()["rows"]
        return dict(row)

    async def admin(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.admin_key}"} | arguments.pop("headers", {})
        return await self.http.request(method, f"{self.gateway_url}{path}", headers=headers, **arguments)

    async def new_connection(self, provider: str, **fields: Any) -> dict[str, str]:
        """Create a connection for one test, which filters its KPIs by it."""
        answer = await self.admin("POST", "/v1/connections", json={"provider": provider, "name": uuid4().hex, **fields})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    # --- operations
    def kill(self, name: str) -> int:
        """SIGKILL one process of this stack; returns its pid."""
        pid = int(self.demo["pids"][name])
        os.kill(pid, signal.SIGKILL)
        return pid

    async def restarted(self, name: str, old_pid: int) -> None:
        """Wait until the supervisor has started `name` again."""

        async def has_new_pid() -> bool:
            return self.demo["pids"][name] not in (None, old_pid)

        await until(has_new_pid, description=f"{name} restarted")

    async def new_tenant(self, name: str) -> tuple[str, str]:
        """Create a tenant by the operator's command; returns its id and a key with all scopes."""
        tenant = f"{name}-{uuid4().hex[:8]}"
        await self.earshot("tenant", "create", tenant, "--zone", "Europe/Paris")
        key = await self.earshot("key", "create", tenant, "--scopes", "admin metrics:read records:read ingest:write", "--json")
        return tenant, str(json.loads(key)["key"])

    async def earshot(self, *arguments: str) -> str:
        """Run the `earshot` command against this stack; returns its output."""
        command = [sys.executable, "-m", "services.gateway.cli", *arguments]
        environment = os.environ | read_environment(self.data / "services.env")
        result = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    async def verify(self, tenant: str = "demo") -> subprocess.CompletedProcess[str]:
        """`make verify` of one tenant, by default that of `demo.json`. The test of the README verifies all tenants."""
        command = [sys.executable, "-m", "deploy.local.verify", "--tenant", tenant]
        environment = os.environ | {"DATA": str(self.data)}
        return await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240
        )


def envelope(record: dict[str, Any]) -> dict[str, Any]:
    return {"type": "feedback", "timestamp": datetime.now(UTC).isoformat(), "data": record}


def nps_response(value: int, *, id: str | None = None, comment: str | None = None, **fields: Any) -> dict[str, Any]:
    """A canonical survey response with the current time."""
    answers: list[dict[str, Any]] = [{"question": "q1", "kind": "nps", "value": value}]
    if comment:
        answers.append({"question": "q2", "kind": "comment", "text": comment, "language": "en"})
    at = datetime.now(UTC).isoformat()
    return {"type": "response", "id": id or uuid4().hex, "at": at, "answers": answers, **fields}


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE, description: str = "it") -> None:
    """Wait until `await condition()` is true. Raises AssertionError with `description` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"{description} did not happen within {seconds} s"
        await asyncio.sleep(0.1)

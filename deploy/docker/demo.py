"""The demo beside a stack of containers: the tenant, its history, then live events until stopped. `make run`'s, from inside.

Reads the gateway's settings, and DATA (a volume, so that a restart goes on where it was) and DEMO as `make run` does.
"""

import asyncio
import os
import signal
import sys

import httpx

from deploy.local.demo.load import load_history
from deploy.local.demo.tenant import DemoTenant, ensure_tenant
from deploy.local.demo.trickle import trickle
from deploy.local.environment import write_environment
from deploy.local.files import replace_json
from deploy.local.processes import StartFailed
from deploy.local.settings import SERVICES, Settings
from deploy.local.terminal import Terminal

GIVEN = ("INTERNAL_TOKEN", "GATEWAY_DATABASE_URL", "GATEWAY_INGEST_URL", "GATEWAY_METRICS_URL", "GATEWAY_SENTIMENT_URL")
"""What of our environment is the gateway's, for making the tenant as an operator does."""


class Network(Settings):
    """The stack as seen from inside its network, where each service is a host of its own."""

    def url(self, service: str) -> str:
        return f"http://{service}:{self.port(service)}"


async def run(settings: Network, terminal: Terminal) -> None:
    """Make what is missing, say where the page is, then post until cancelled."""
    write_environment(settings.environment_file, {name: value for name, value in os.environ.items() if name in GIVEN})
    async with httpx.AsyncClient(timeout=30) as http:
        tenant = await ensure_tenant(settings, http)
        terminal.done(f"tenant {tenant.id} with {len(tenant.connections)} connections")
        until = await load_history(settings, tenant, http, terminal) if settings.demo else None
        replace_json(settings.demo_file, seen_from_outside(settings, tenant))
        terminal.say(f"Earshot is ready. Open\n  http://localhost:{settings.port('gateway')}/#key={tenant.api_key}")
        if until:
            await trickle(settings, tenant, until, http)


def seen_from_outside(settings: Network, tenant: DemoTenant) -> dict[str, object]:
    """demo.json as the host needs it: with the published ports. There are no pids to tell."""
    urls = {f"{name}_url": f"http://localhost:{settings.port(name)}" for name in SERVICES}
    connections = [
        {**connection, "hook_url": connection["hook_url"].replace(settings.url("ingest"), urls["ingest_url"])}
        for connection in tenant.connections
    ]
    return {**urls, **tenant.description(), "connections": connections}


async def until_told(settings: Network, terminal: Terminal) -> None:
    """`run`, ended by SIGTERM."""
    work = asyncio.create_task(run(settings, terminal))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        terminal.done("stopped")


def main() -> int:
    with Terminal() as terminal:
        try:
            asyncio.run(until_told(Network(), terminal))
        except StartFailed as error:
            terminal.failed(str(error))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The demo of `make run` for a stack of containers: create the tenant, load its history, then post live events until stopped.

Reads the gateway's settings, and DATA (a volume, so that a restart continues) and DEMO as `make run` does.
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

GATEWAY_VARIABLES = (
    "INTERNAL_TOKEN",
    "GATEWAY_DATABASE_URL",
    "GATEWAY_INGEST_URL",
    "GATEWAY_METRICS_URL",
    "GATEWAY_SENTIMENT_URL",
)
"""The gateway's settings, with which the tenant is created."""


class Network(Settings):
    """The settings inside the containers' network, where each service is a host."""

    def url(self, service: str) -> str:
        """The base URL of a service, whose host in the network is its name."""
        return f"http://{service}:{self.port(service)}"


async def run(settings: Network, terminal: Terminal) -> None:
    """Create what is missing, print the address of the page, then post events until cancelled."""
    write_environment(settings.environment_file, {name: value for name, value in os.environ.items() if name in GATEWAY_VARIABLES})
    async with httpx.AsyncClient(timeout=30) as http:
        tenant = await ensure_tenant(settings, http)
        terminal.done(f"tenant {tenant.id} with {len(tenant.connections)} connections")
        until = await load_history(settings, tenant, http, terminal) if settings.demo else None
        replace_json(settings.demo_file, demo_json(settings, tenant))
        terminal.say(f"Earshot is ready. Open\n  http://localhost:{settings.port('gateway')}/#key={tenant.api_key}")
        if until:
            await trickle(settings, tenant, until, http)


def demo_json(settings: Network, tenant: DemoTenant) -> dict[str, object]:
    """The content of demo.json for the host: with the published ports, without pids."""
    urls = {f"{name}_url": f"http://localhost:{settings.port(name)}" for name in SERVICES}
    connections = [
        {**connection, "hook_url": connection["hook_url"].replace(settings.url("ingest"), urls["ingest_url"])}
        for connection in tenant.connections
    ]
    return {**urls, **tenant.description(), "connections": connections}


async def run_until_signal(settings: Network, terminal: Terminal) -> None:
    """`run` until SIGINT or SIGTERM."""
    work = asyncio.create_task(run(settings, terminal))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        terminal.done("stopped")


def main() -> int:
    """Run the demo until a signal. Returns the exit status."""
    with Terminal() as terminal:
        try:
            asyncio.run(run_until_signal(Network(), terminal))
        except StartFailed as error:
            terminal.failed(str(error))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

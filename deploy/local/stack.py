"""The whole local stack: servers, databases and topics, services, demo."""

import asyncio
import os
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

import httpx

from deploy.local.databases import create_databases, migrate
from deploy.local.demo.load import load_history
from deploy.local.demo.tenant import DemoTenant, ensure_tenant
from deploy.local.demo.trickle import trickle
from deploy.local.environment import services_environment, stack_secrets, write_environment
from deploy.local.files import replace_json
from deploy.local.kafka import Kafka
from deploy.local.ports import is_free
from deploy.local.postgres import Postgres
from deploy.local.processes import StartFailed
from deploy.local.scorers import promoted_models, scorer_settings
from deploy.local.service import Service
from deploy.local.settings import DATABASES, SERVICES, Settings
from deploy.local.supervisor import Supervisor
from deploy.local.terminal import Terminal
from shared.kafka import Broken, ensure_topics

SERVERS = ("postgres", "kafka")


class Stack:
    """Everything that `make run` starts. `run()` runs until cancelled; `stop()` must be called after it."""

    def __init__(self, settings: Settings, terminal: Terminal, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._terminal = terminal
        self._http = http
        self._supervisor = Supervisor(terminal.doing, terminal.note, self._write_demo_file)
        self._postgres = Postgres(settings.folder / "postgres", settings.port("postgres"), settings.log("postgres"))
        self._kafka = Kafka(
            settings.folder / "kafka", settings.port("kafka"), settings.port("kafka controller"), settings.log("kafka")
        )
        self._tenant: DemoTenant | None = None

    async def run(self) -> None:
        """Start everything, then post demo events until cancelled. Raises StartFailed if a part does not start."""
        self._remove_demo_file()
        self._check_ports()
        topics = asyncio.Event()
        await run_together(self._start_kafka(topics), self._start_services(topics))
        tenant = await ensure_tenant(self._settings, self._http)
        self._terminal.done(f"tenant {tenant.id} with {len(tenant.connections)} connections")
        until = await load_history(self._settings, tenant, self._http, self._terminal) if self._settings.demo else None
        self._tenant = tenant
        self._write_demo_file()
        self._print_address(tenant)
        if until:
            await trickle(self._settings, tenant, until, self._http)
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Stop the services, then the servers."""
        self._remove_demo_file()
        await self._supervisor.stop(last=SERVERS)

    # --- servers
    def _check_ports(self) -> None:
        base = self._settings.port_base
        for name, port in self._settings.own_ports().items():
            if not is_free(port):
                raise StartFailed(
                    f"port {port} for {name} is in use. "
                    f"Stop the process that uses it, or use other ports: make run PORT_BASE={base + 100}"
                )

    async def _start_kafka(self, topics: asyncio.Event) -> None:
        """Start Kafka, create the topics, and set the event `topics`."""
        bootstrap = self._settings.kafka_bootstrap_servers or self._kafka.bootstrap
        if not self._settings.kafka_bootstrap_servers:
            self._terminal.doing("starting Kafka")
            await self._supervisor.start(self._kafka)
        try:
            await ensure_topics(bootstrap)
        except (Broken, TimeoutError) as error:
            raise StartFailed(f"the topics could not be created at {bootstrap}: {error or 'no answer'}") from error
        topics.set()
        self._terminal.done(f"Kafka at {bootstrap}")

    async def _start_databases(self) -> dict[str, str]:
        """Service → URL of its database."""
        if base := self._settings.database_url_base:
            urls = await create_databases(base)
            self._terminal.done("databases at the given PostgreSQL")
            return urls
        await self._supervisor.start(self._postgres)
        urls = {name: await self._postgres.create_database(name) for name in DATABASES}
        self._terminal.done(f"PostgreSQL on port {self._postgres.port}")
        return urls

    # --- services
    async def _start_services(self, topics: asyncio.Event) -> None:
        """Start PostgreSQL, and each service when its database and the topics exist."""
        settings = self._settings
        bootstrap = settings.kafka_bootstrap_servers or self._kafka.bootstrap
        secrets = stack_secrets(settings.secrets_file)
        urls = await self._start_databases()
        scorers = scorer_settings(await promoted_models(urls["metrics"]), os.environ)
        if scorers:
            former = scorers["SENTIMENT_SCORER"]
            self._terminal.note(f"tenants use {former}, so it scores beside the default model until you promote the latter")
        environment = services_environment(settings, secrets, urls, bootstrap) | scorers
        write_environment(settings.environment_file, environment)
        await run_together(*(self._start_service(self._service(name, environment), environment, topics) for name in SERVICES))
        self._terminal.done(", ".join(SERVICES))

    def _service(self, name: str, environment: Mapping[str, str]) -> Service:
        command = [sys.executable, "-m", f"services.{name}"]
        return Service(name, command, self._settings.url(name), environment, self._settings.log(name), self._http)

    async def _start_service(self, service: Service, environment: Mapping[str, str], topics: asyncio.Event) -> None:
        """Migrate the service's database, if it has one, start the service, and wait until it is ready."""
        if service.name in DATABASES:
            await migrate(service.name, environment, self._settings, self._terminal.doing)
        await topics.wait()
        self._terminal.doing("starting the services")
        await self._supervisor.start(service)
        await service.wait_until_serving()

    # --- demo.json and the terminal
    def _write_demo_file(self) -> None:
        """Write demo.json when everything is ready, and again after a pid has changed."""
        if self._tenant:
            pids = {name: self._supervisor.pids.get(name) for name in (*SERVICES, "kafka", "postgres")}
            urls = {f"{name}_url": self._settings.url(name) for name in ("gateway", "ingest", "sentiment", "metrics")}
            replace_json(self._settings.demo_file, {**urls, **self._tenant.description(), "pids": pids})

    def _remove_demo_file(self) -> None:
        """demo.json exists only while the stack is ready."""
        self._tenant = None
        self._settings.demo_file.unlink(missing_ok=True)

    def _print_address(self, tenant: DemoTenant) -> None:
        say = self._terminal.say
        say(f"\n[bold]Earshot is ready[/] after {self._terminal.elapsed:.1f} s. Open")
        say(f"  [bold cyan]{self._settings.url('gateway')}/#key={tenant.api_key}[/]")
        say("[dim]Ctrl-C stops everything; the data stays.[/]")


async def run_together(*steps: Coroutine[Any, Any, None]) -> None:
    """Run the steps concurrently. The first error cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None

"""Builds the parts of ingest over its pools and clients, and starts their workers."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.back_filler import WORKERS as BACK_FILL_WORKERS
from services.ingest.back_filler import BackFiller
from services.ingest.body_encrypter import BodyEncrypter
from services.ingest.enricher import Enricher
from services.ingest.eraser import Eraser
from services.ingest.expirer import Expirer
from services.ingest.import_process import CONNECTIONS as IMPORT_CONNECTIONS
from services.ingest.import_process import ImportProcesses
from services.ingest.importer import Importer
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.quarantine import Quarantine
from services.ingest.job_runner import JobKind, JobRunner
from services.ingest.names import NameSender
from services.ingest.pace import Pace
from services.ingest.quarantine_jobs import Discarder, Retrier
from services.ingest.relay import SWEEPERS, EventProducer, Relay
from services.ingest.releaser import Releaser
from services.ingest.replayer import Replayer
from services.ingest.rereader import Rereader
from services.ingest.settings import Settings
from services.ingest.storage import Storage, open_storage
from services.ingest.store.import_progress import ImportProgress
from services.ingest.store.imports import Imports
from services.ingest.store.tool_apis import ToolApis
from services.ingest.threads import FairThreads
from services.ingest.tool_calls import ToolCalls
from services.ingest.tool_client import ToolClient
from shared.database import open_pool
from shared.ingest import service_client
from shared.kafka import CommittedOffsets, Producer
from shared.settings import trimmed
from shared.topics import EVENTS
from shared.workers import Workers

COMMIT_SECONDS = 4.0
"""Time limit of one statement of the inbox. After it the callers get 503 and retry."""


@dataclass(frozen=True, slots=True)
class Resources:
    """Pools and clients that the parts share. The pool `reads` is for all statements that commit no delivery of a request."""

    settings: Settings
    engine: AsyncEngine
    threads: FairThreads
    now: Callable[[], datetime]
    commits: asyncpg.Pool
    reads: asyncpg.Pool
    keys: asyncpg.Pool
    imports: asyncpg.Pool
    kafka: Producer
    offsets: CommittedOffsets
    metrics: httpx.AsyncClient

    @property
    def pools(self) -> Mapping[str, asyncpg.Pool]:
        """The observed pools, by the name in their measurements."""
        return {"commits": self.commits, "reads": self.reads, "keys": self.keys}


async def open_resources(
    stack: AsyncExitStack, settings: Settings, engine: AsyncEngine, threads: FairThreads, now: Callable[[], datetime]
) -> Resources:
    """Open the pools and the clients. `stack` closes them, and the engine at the end."""
    stack.push_async_callback(engine.dispose)
    return Resources(
        settings,
        engine,
        threads,
        now,
        commits=await stack.enter_async_context(open_pool(settings.database, settings.committers + 2, COMMIT_SECONDS)),
        reads=await stack.enter_async_context(open_pool(settings.database, 6)),
        keys=await stack.enter_async_context(open_pool(settings.keys_database, 4, COMMIT_SECONDS)),
        imports=await stack.enter_async_context(open_pool(settings.database, IMPORT_CONNECTIONS)),
        kafka=await stack.enter_async_context(Producer(settings.brokers)),
        offsets=await stack.enter_async_context(CommittedOffsets(settings.brokers)),
        metrics=await stack.enter_async_context(service_client(settings.metrics_url, settings.internal_token)),
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts with workers, and what routes need of the others. `importer` imports in child processes, or in this one."""

    storage: Storage
    pace: Pace
    relay: Relay
    committer: Committer
    releaser: Releaser
    apis: ToolApis
    enricher: Enricher
    back_filler: BackFiller
    quarantine: Quarantine
    jobs: JobRunner
    replays: Replayer
    importer: Importer | ImportProcesses
    expirer: Expirer


def build_parts(
    stack: AsyncExitStack, resources: Resources, producer: EventProducer | None = None, *, import_process: bool = False
) -> Parts:
    """Build the parts. `stack` closes them.

    `producer` replaces that of Kafka; `import_process`: imports run in child processes.
    """
    settings, reads, threads, now = resources.settings, resources.reads, resources.threads, resources.now
    pace = Pace()
    relay = Relay(reads, producer or resources.kafka, pace)
    storage = open_storage(stack, settings, resources.engine, reads, resources.keys, now)
    connections, observer, vault = storage.connections, storage.observer, storage.vault
    committer = Committer(resources.commits, relay.offer, settings.queue_limit, vault)
    apis = ToolApis(reads)
    client = ToolClient(threads, now, trimmed(settings.tool_api_url) if settings.tool_api_url else None)
    stack.push_async_callback(client.close)
    calls = ToolCalls(client)
    enricher = Enricher(reads, connections, apis, calls, relay.offer, threads, now, observer.stored, vault)
    rereader = Rereader(reads, connections, relay.offer, threads, now, observer.read_again, vault)
    retrier = Retrier(reads, connections, committer, relay.offer, threads, now, observer.stored, enricher.wake, vault)
    quarantine = Quarantine(reads, vault)
    return Parts(
        storage=storage,
        pace=pace,
        relay=relay,
        committer=committer,
        releaser=Releaser(reads, connections, committer, relay.offer, threads, now, observer.stored, vault),
        apis=apis,
        enricher=enricher,
        back_filler=BackFiller(reads, connections, apis, calls, threads, now, observer.back_filled, vault),
        quarantine=quarantine,
        jobs=JobRunner(
            reads,
            {
                "reread": JobKind(rereader.measure, rereader.step),
                "retry": JobKind(quarantine.extent, retrier.step),
                "discard": JobKind(quarantine.extent, Discarder(reads).step),
            },
        ),
        replays=Replayer(reads),
        importer=build_importer(resources, storage, import_process=import_process),
        expirer=Expirer(reads, now),
    )


def build_importer(resources: Resources, storage: Storage, *, import_process: bool) -> Importer | ImportProcesses:
    """The worker of imports: it starts child processes (`import_process`), or imports in this one."""
    if import_process:
        return ImportProcesses(ImportProgress(resources.reads), resources.settings.import_processes)
    uploads = Imports(resources.imports, storage.cipher)
    return Importer(resources.imports, uploads, storage.connections, resources.now, storage.observer.read_again, storage.vault)


def start_workers(workers: Workers, resources: Resources, parts: Parts, *, paced: bool) -> None:
    """Start the workers of all parts. `paced`: consumers' progress is read from Kafka, and replays wait for it."""
    storage, reads = parts.storage, resources.reads
    storage.start(workers)
    for number in range(resources.settings.committers):
        workers.start(f"committer-{number}", parts.committer.run)
    workers.start("relay", parts.relay.run)
    for number in range(SWEEPERS):
        workers.start(f"sweeper-{number}", parts.relay.sweep)
    workers.start("releaser", parts.releaser.run)
    workers.start("jobs", parts.jobs.run)
    workers.start("replays", parts.replays.run)
    workers.start("enricher", parts.enricher.run)
    for number in range(BACK_FILL_WORKERS):
        workers.start(f"back-fill-{number}", parts.back_filler.run)
    workers.start("importer", parts.importer.run)
    workers.start("name sender", NameSender(storage.names, resources.metrics).run)
    workers.start("eraser", Eraser(reads, storage.connections, storage.vault).run)
    workers.start("expirer", parts.expirer.run)
    workers.start("body encrypter", BodyEncrypter(reads, storage.vault).run)
    if paced:
        offsets = resources.offsets
        workers.start("pace", lambda: parts.pace.run(lambda group, partitions: offsets.of(group, EVENTS, partitions)))

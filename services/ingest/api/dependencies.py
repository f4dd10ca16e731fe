"""Dependencies of the routes: the running service, and who requests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg
from fastapi import Depends, Request

from services.ingest.api.admission import Admission
from services.ingest.back_filler import BackFiller
from services.ingest.enricher import Enricher
from services.ingest.expirer import Expirer
from services.ingest.health import DeliveryObserver
from services.ingest.inbox.committer import Committer
from services.ingest.inbox.customers import Customers
from services.ingest.inbox.quarantine import Quarantine
from services.ingest.job_runner import JobRunner
from services.ingest.releaser import Releaser
from services.ingest.replayer import Replayer
from services.ingest.store.connection_cache import ConnectionCache
from services.ingest.store.connections import Connections
from services.ingest.store.deliveries import Deliveries
from services.ingest.store.event_log import EventLog
from services.ingest.store.health import HealthStore
from services.ingest.store.imports import Imports
from services.ingest.store.taxonomies import Taxonomies
from services.ingest.store.tenants import Tenants
from services.ingest.store.tool_apis import ToolApis
from services.ingest.threads import FairThreads
from shared.bodies import BodyMemory
from shared.deadlines import TaskDeadlines
from shared.http import KEY_HEADER


@dataclass(frozen=True, slots=True)
class Ingest:
    """The running service. `now` is the clock; tests replace it. `hook_seconds` is the time limit for answering a webhook;
    `hook_deadlines` enforces it."""

    committer: Committer
    releaser: Releaser
    jobs: JobRunner
    replays: Replayer
    expirer: Expirer
    reads: asyncpg.Pool
    enricher: Enricher
    back_filler: BackFiller
    apis: ToolApis
    observer: DeliveryObserver
    threads: FairThreads
    body_memory: BodyMemory
    admission: Admission
    hook_seconds: float
    hook_deadlines: TaskDeadlines
    cache: ConnectionCache
    connections: Connections
    tenants: Tenants
    taxonomies: Taxonomies
    deliveries: Deliveries
    quarantine: Quarantine
    customers: Customers
    event_log: EventLog
    health: HealthStore
    imports: Imports
    wake_importer: Callable[[], None]
    public_url: str
    now: Callable[[], datetime]


async def ingest_of(request: Request) -> Ingest:
    """The running service of a request."""
    ingest: Ingest = request.app.state.ingest
    return ingest


IngestState = Annotated[Ingest, Depends(ingest_of)]
"""A parameter of a route: the running service."""


async def requesting_key(request: Request) -> str | None:
    """The id of the API key behind the call; None: the operator."""
    return request.headers.get(KEY_HEADER)


Requester = Annotated[str | None, Depends(requesting_key)]
"""A parameter of a route, for records of who did what: the id of the API key behind the call; None: the operator."""

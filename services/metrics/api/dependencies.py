"""Dependencies of the routes: the running service, a tenant's turn in the queue of queries, and common parameters."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import Depends, Path, Query, Request
from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.types import Receive

from services.metrics.announcer import Announcer
from services.metrics.domain.kpis import KPIS, Kpi
from services.metrics.domain.query import Query as KpiQuery
from services.metrics.domain.windows import BadQuery
from services.metrics.evaluation.scans import TooSlow, depends_on_zone, reason_to_scan
from services.metrics.evaluation.source import Source
from services.metrics.store.cursors import Cursor
from services.metrics.store.versions import Version, Versions
from shared.database import outage_is_503
from shared.disconnects import cancelled_on_disconnect
from shared.fair_queue import FairQueue
from shared.problems import NotFound
from shared.routes import require_digits
from shared.suggestions import closest

WAIT_SECONDS, WORK_SECONDS = 8.0, 20.0
"""How long a query may wait for its turn, and how long it may take then: together less than the 30 s that the gateway waits."""

OptionalText = str | SkipJsonSchema[None]
"""Text, or None if the parameter is left out; null is not a value of a query parameter."""

DEFAULT_PAGE, MAX_PAGE = 50, 500


class UnknownKpi(NotFound):
    title = "Unknown KPI"


class UnknownTenant(NotFound):
    title = "Unknown tenant"


async def find_tenant(connection: asyncpg.pool.PoolConnectionProxy, tenant: str) -> int | None:
    """The number of a tenant; None if it is not known yet."""
    return await connection.fetchval("SELECT id FROM tenants WHERE slug = $1", tenant)  # type: ignore[no-any-return]


async def tenant_number(connection: asyncpg.pool.PoolConnectionProxy, tenant: str) -> int:
    """The number of a tenant. Raises UnknownTenant if ingest has not announced it yet."""
    number = await find_tenant(connection, tenant)
    if number is None:
        raise UnknownTenant("the tenant is not known yet; try again in a minute")
    return number


async def zone_of(pool: asyncpg.Pool, tenant: str) -> ZoneInfo:
    """The zone of the tenant's days; UTC if it is not known yet. Raises Unavailable during an outage of the database."""
    async with outage_is_503(), pool.acquire() as connection:
        return ZoneInfo(await connection.fetchval("SELECT zone FROM tenants WHERE slug = $1", tenant) or "UTC")


async def read_history(pool: asyncpg.Pool, versions: Versions[Version], tenant: str) -> list[tuple[Version, datetime]]:
    """All versions of a term of the tenant, each with the time at which it was added. Empty if the tenant is not known yet.

    Raises Unavailable during an outage of the database.
    """
    async with outage_is_503(), pool.acquire() as connection:
        number = await find_tenant(connection, tenant)
        return [] if number is None else await versions.history(connection, number)


# --- the service ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Metrics:
    """The running service. `clock` returns the `now` of a request; `queue` bounds the queries in progress per tenant.

    Queries that read contributions one by one have a source and a queue of their own.
    """

    source: Source
    clock: Callable[[], datetime]
    announcer: Announcer
    queue: FairQueue
    scan_source: Source
    scan_queue: FairQueue


async def metrics_of(request: Request) -> Metrics:
    """The running service of a request."""
    metrics: Metrics = request.app.state.metrics
    return metrics


MetricsState = Annotated[Metrics, Depends(metrics_of)]
"""A parameter of a route: the running service."""


@asynccontextmanager
async def turn(client: Receive, state: Metrics, tenant: str) -> AsyncIterator[None]:
    """The turn of a tenant's query, from its first statement to its encoded result.

    Raises Unavailable if the tenant has too many queries waiting, TooSlow if the work takes more than WORK_SECONDS, and
    ClientDisconnect if the client leaves. Either cancels the work, and its statement in the database too.
    """
    async with turn_in(state.queue, client, tenant, "use a shorter window, a coarser grain or fewer groups"):
        yield


@asynccontextmanager
async def kpi_turn(
    client: Receive, state: Metrics, tenant: str, query: KpiQuery, otherwise: str | None = None
) -> AsyncIterator[Source]:
    """The turn of a KPI query, with the source to evaluate it on. A query that no stored counts answer gets the queue and the
    source of scans.

    `otherwise`: why a query that stored counts answer has the limits of a scan too. Raises as `turn`.
    """
    zone = await zone_of(state.source.pool, tenant) if depends_on_zone(query) else None
    reason = reason_to_scan(query, zone, state.clock()) or otherwise
    if reason is None:
        async with turn(client, state, tenant):
            yield state.source
    else:
        async with turn_in(state.scan_queue, client, tenant, reason):
            yield replace(state.scan_source, scan_reason=reason)


@asynccontextmanager
async def turn_in(queue: FairQueue, client: Receive, tenant: str, remedy: str) -> AsyncIterator[None]:
    """A turn in one of the queues; TooSlow states the remedy."""
    async with cancelled_on_disconnect(client), queue.turn(tenant, WAIT_SECONDS):
        try:
            async with asyncio.timeout(WORK_SECONDS):
                yield
        except TimeoutError as error:
            raise TooSlow(f"no result within {WORK_SECONDS:g} s; {remedy}", retry_after=10) from error


# --- parameters -----------------------------------------------------------------------------------------------------------
async def kpi_of_path(kpi: Annotated[str, Path(description="The id of a KPI", examples=["nps"])]) -> Kpi:
    """The definition of the KPI in the path. Raises UnknownKpi."""
    if kpi not in KPIS:
        suggestion = "".join(f'; did you mean "{match}"?' for match in closest(kpi, KPIS))
        raise UnknownKpi(f'there is no KPI "{kpi}"{suggestion or "."} GET /v1/kpis lists them all')
    return KPIS[kpi]


KpiOfPath = Annotated[Kpi, Depends(kpi_of_path)]

Model = Annotated[str, Path(description="The name of a sentiment model", examples=["e5-7"])]

Limit = Annotated[int, Field(ge=1, le=MAX_PAGE), BeforeValidator(require_digits)]
PageLimit = Annotated[Limit, Query(description="Entries on a page")]
PageCursor = Annotated[OptionalText, Query(description="`next` of the page before; left out: the first page")]

Place = TypeVar("Place", bound=Cursor)


def parse_cursor(text: str | None, kind: type[Place]) -> Place | None:
    """The place that a cursor encodes; None without one. Raises BadQuery."""
    try:
        return None if text is None else kind.read(text)
    except ValueError:
        raise BadQuery("cursor", "is not a cursor of this list") from None

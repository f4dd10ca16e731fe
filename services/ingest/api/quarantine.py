"""`/v1/quarantine`: list, show and retry deliveries that could not be read. `/v1/replay`: publish stored events again."""

from typing import Any

from fastapi import APIRouter, Request

from services.ingest.api.requests import Tenant, known_query, read_model
from services.ingest.api.state import ingest_of
from services.ingest.domain.delivery import StoredDelivery
from services.ingest.domain.fields import Model, Name, Time
from services.ingest.domain.receive import receive_again
from services.ingest.domain.tombstone import CUSTOMER_ERASED
from services.ingest.store.deliveries import QuarantinedSummary
from services.ingest.store.event_log import MAX_SEQ
from shared.database import outage_is_503
from shared.problems import BadRequest, NotFound

routes = APIRouter()

PAGE = 100


class Replay(Model):
    """Receipt times from `since` to before `until`, of one connection, of one subject; what is left out doesn't narrow."""

    since: Time | None = None
    until: Time | None = None
    connection: Name | None = None
    subject: Name | None = None


@routes.get("/v1/quarantine")
async def list_all(request: Request, tenant: Tenant) -> dict[str, Any]:
    known_query(request, {"cursor", "connection"})
    before = number(request.query_params.get("cursor"), "cursor")
    async with outage_is_503():
        found = await ingest_of(request).deliveries.list_quarantined(tenant, before, request.query_params.get("connection"), PAGE)
    return {"items": [shown(one) for one in found], "cursor": str(found[-1].seq) if len(found) == PAGE else None}


@routes.get("/v1/quarantine/{quarantined}")
async def show(request: Request, tenant: Tenant, quarantined: str) -> dict[str, Any]:
    known_query(request, set())
    async with outage_is_503():
        found = await ingest_of(request).deliveries.find_quarantined(tenant, number(quarantined, "id"))
    if found is None:
        raise NotFound("no such delivery in quarantine")
    return shown(found) | {"body": found.raw.decode(errors="replace")}


@routes.post("/v1/quarantine/{quarantined}:retry")
async def retry(request: Request, tenant: Tenant, quarantined: str) -> dict[str, Any]:
    """Read it again under the connection's present mapping. While the connection is paused it becomes `held`."""
    known_query(request, set())
    ingest = ingest_of(request)
    async with outage_is_503():
        found = await ingest.deliveries.find_quarantined(tenant, number(quarantined, "id"))
        connection = await ingest.connections.find(found.connection) if found else None
    if found is None or connection is None or connection.state == "deleted":
        raise NotFound("no such delivery in quarantine")
    delivery = await ingest.threads.read(tenant, len(found.raw), lambda: receive_again(connection, found, ingest.now()))
    outcome = await ingest.committer.commit_again(found.seq, delivery)
    return {"id": quarantined, "status": outcome, "reason": CUSTOMER_ERASED if outcome == "erased" else delivery.reason}


@routes.post("/v1/replay", status_code=202)
async def replay(request: Request, tenant: Tenant) -> dict[str, Any]:
    known_query(request, set())
    asked = await read_model(request, Replay)
    async with outage_is_503():
        queued = await ingest_of(request).event_log.replay(tenant, asked.since, asked.until, asked.connection, asked.subject)
    return {"deliveries": queued}


def shown(one: QuarantinedSummary | StoredDelivery) -> dict[str, Any]:
    return {
        "id": str(one.seq),
        "connection": one.connection,
        "delivery": one.delivery,
        "received_at": one.received_at,
        "reason": one.reason,
        "revision": one.revision,
    }


def number(text: str | None, name: str) -> int:
    if text is None:
        return MAX_SEQ
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(invalid_params=[{"name": name, "reason": "not one of ours"}])
    return int(text)

"""KPIs over HTTP: the catalogue, a KPI's value, breakdown or series, and the records behind it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import asyncpg
import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import SecretStr

from services.metrics.api.answers import BEGINNING, counted, local, rows
from services.metrics.api.parameters import cursor_of, limit_of, only, refusing
from services.metrics.api.questions import Question, read
from services.metrics.api.records import shown
from services.metrics.api.state import metrics_of
from services.metrics.domain.kpis import KPIS, Kpi
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import asker_of
from services.metrics.store.query import snapshot
from services.metrics.store.records import Place, Record, records
from services.metrics.store.selection import Scope, resolve
from shared.database import outage_is_503
from shared.http import internal_tenant
from shared.problems import NotFound

REVISION = "X-Earshot-Revision"
WATERMARK = "X-Earshot-Watermark"


class UnknownKpi(NotFound):
    title = "Unknown KPI"


def router(token: SecretStr) -> APIRouter:
    """The KPI routes; whom they are asked for, the tenant header says."""
    routes = APIRouter(prefix="/v1/kpis", tags=["kpis"])
    asked_by = Annotated[str, Depends(internal_tenant(token))]

    @routes.get("")
    async def catalogue(request: Request, asked_by: asked_by) -> Response:
        with refusing():
            only(request.query_params)
        return answer({"kpis": [kpi.entry() for kpi in KPIS.values()]})

    @routes.get("/{kpi}")
    async def value(request: Request, kpi: str, asked_by: asked_by) -> Response:
        metrics, definition = metrics_of(request), known(kpi)
        now = metrics.clock()
        async with outage_is_503(), snapshot(metrics.pool) as connection:
            asker = await asker_of(connection, asked_by, metrics.model)
            question = read(definition, request.query_params.multi_items(), now=now, zone=asker.zone, model=asker.model)
            scope = await resolve(connection, asked_by, question.selection)
            main = await counted(connection, question, scope, question.period, now)
            others = [await counted(connection, question, scope, period, now) for period in question.compare]
            fresh = await freshness(connection, asker, definition, metrics.partitions)
        return answer(head(question, fresh) | {"rows": rows(question, main, others)}, fresh)

    @routes.get("/{kpi}/records")
    async def behind(request: Request, kpi: str, asked_by: asked_by) -> Response:
        metrics, definition = metrics_of(request), known(kpi)
        now = metrics.clock()
        async with outage_is_503(), snapshot(metrics.pool) as connection:
            asker = await asker_of(connection, asked_by, metrics.model)
            params = request.query_params.multi_items()
            question = read(definition, params, now=now, zone=asker.zone, model=asker.model, extra=("cursor", "limit"))
            scope = await resolve(connection, asked_by, question.selection)
            page, following = await page_of(connection, question, scope, now) if scope else ([], None)
            fresh = await freshness(connection, asker, definition, metrics.partitions)
        told = shown(page, question.period.window.zone, asker.model)
        return answer(head(question, fresh) | {"records": told, "next": str(following) if following else None}, fresh)

    return routes


async def page_of(
    connection: asyncpg.Connection, question: Question, scope: Scope, now: datetime
) -> tuple[list[Record], Place | None]:
    """The page of records that a question asks for: of its whole window, whatever its grain."""
    window, instant = question.period.window, question.kpi.instant
    limit, after = paging(question.extra)
    start, end = BEGINNING if instant else window.start, min(window.end, now)
    return await records(connection, scope, start, end, limit, after, standing=instant)


def paging(extra: Mapping[str, str]) -> tuple[int, Place | None]:
    """`limit` and `cursor`; raises BadRequest."""
    with refusing():
        return limit_of(extra.get("limit")), cursor_of(extra.get("cursor"), Place)


def known(kpi: str) -> Kpi:
    """The definition of that id."""
    if kpi not in KPIS:
        raise UnknownKpi("there is no KPI of this name; GET /v1/kpis lists them all")
    return KPIS[kpi]


def head(question: Question, fresh: Freshness) -> dict[str, Any]:
    """What an answer says of itself before its rows."""
    window, kpi = question.period.window, question.kpi
    return {
        "kpi": kpi.id,
        "version": kpi.version,
        "unit": kpi.unit,
        "window": {
            "from": local(window.start, window.zone),
            "to": local(window.end, window.zone),
            "tz": window.zone.key,
        },
        "watermark": told(fresh.watermark),
    }


def told(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def answer(body: dict[str, Any], fresh: Freshness | None = None) -> Response:
    """The body as JSON, with the revision that it was made of and the watermark as headers."""
    headers = {REVISION: fresh.revision} if fresh else {}
    if fresh and fresh.watermark:
        headers[WATERMARK] = fresh.watermark.isoformat()
    return Response(msgspec.json.encode(body), media_type="application/json", headers=headers)

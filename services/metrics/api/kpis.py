"""KPIs over HTTP: the catalogue, a KPI's value, breakdown or series, and the records behind it."""

from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import SecretStr

from services.metrics.api.answers import BEGINNING, counted, encoded, local
from services.metrics.api.parameters import cursor_of, limit_of, only, refusing
from services.metrics.api.questions import Question, read
from services.metrics.api.records import shown
from services.metrics.api.state import metrics_of
from services.metrics.api.turns import turn
from services.metrics.domain.kpis import KPIS, Kpi
from services.metrics.store.progress import Freshness, freshness
from services.metrics.store.promotions import asker_of
from services.metrics.store.query import snapshot
from services.metrics.store.records import Place, Record, loaded, records
from services.metrics.store.selection import Scope, resolve, unknown_values
from shared.database import outage_is_503
from shared.http import internal_tenant
from shared.problems import NotFound

REVISION = "X-Earshot-Revision"
WATERMARK = "X-Earshot-Watermark"

SLICE = 25
"""Records whose subjects are in memory at a time."""


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
        return answer(msgspec.json.encode({"kpis": [kpi.entry() for kpi in KPIS.values()]}))

    @routes.get("/{kpi}")
    async def value(request: Request, kpi: str, asked_by: asked_by) -> Response:
        metrics, definition = metrics_of(request), known(kpi)
        now, params = metrics.clock(), request.query_params.multi_items()
        async with turn(request, asked_by):
            async with outage_is_503(), snapshot(metrics.pool) as connection:
                asker = await asker_of(connection, asked_by, metrics.model)
                question = read(definition, params, now=now, zone=asker.zone, model=asker.model)
                scope = await resolve(connection, asked_by, question.selection)
                found = await counted(connection, question, scope, now)
                fresh = await freshness(connection, asker, definition, metrics.partitions)
            body = await encoded(question, found, head(question, scope, fresh))
        return answer(body, fresh)

    @routes.get("/{kpi}/records")
    async def behind(request: Request, kpi: str, asked_by: asked_by) -> Response:
        metrics, definition = metrics_of(request), known(kpi)
        now, params = metrics.clock(), request.query_params.multi_items()
        extra = ("cursor", "limit")
        async with turn(request, asked_by), outage_is_503(), snapshot(metrics.pool) as connection:
            asker = await asker_of(connection, asked_by, metrics.model)
            question = read(definition, params, now=now, zone=asker.zone, model=asker.model, extra=extra)
            scope = await resolve(connection, asked_by, question.selection)
            page, following = await page_of(connection, question, scope, now) if scope else ([], None)
            lines = await encoded_records(connection, page, question.period.window.zone, asker.model)
            fresh = await freshness(connection, asker, definition, metrics.partitions)
        told = head(question, scope, fresh) | {"next": str(following) if following else None}
        return answer(msgspec.json.encode(told)[:-1] + b',"records":[' + lines + b"]}", fresh)

    return routes


async def encoded_records(connection: asyncpg.Connection, page: Iterable[Record], zone: ZoneInfo, model: str) -> bytes:
    """The records as JSON, separated by commas. Their subjects are loaded, and folded in a thread, a few at a time, so that a
    page
    of long histories neither fills the memory nor blocks the event loop."""
    parts = [await to_thread(lines, await loaded(connection, part), zone, model) for part in slices(page)]
    return b",".join(parts)


def slices(page: Iterable[Record]) -> Iterator[list[Record]]:
    """The page in parts of about SLICE records. Records of one subject and instant stay together, since `shown` tells them
    apart by
    what it has shown already."""
    part: list[Record] = []
    for _, together in groupby(page, key=lambda record: (record.at, record.subject.id)):
        part += together
        if len(part) >= SLICE:
            yield part
            part = []
    if part:
        yield part


def lines(page: Sequence[Record], zone: ZoneInfo, model: str) -> bytes:
    """These records, whose subjects are loaded, as JSON. Pure."""
    return b",".join(msgspec.json.encode(record) for record in shown(page, zone, model))


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


def head(question: Question, scope: Scope | None, fresh: Freshness) -> dict[str, Any]:
    """The fields of an answer beside its rows or records."""
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
        "unknown_filter_values": scope.unknown_filter_values if scope else unknown_values(question.selection),
    }


def told(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def answer(body: bytes, fresh: Freshness | None = None) -> Response:
    """The body, which is JSON, with the revision that it was made of and the watermark as headers."""
    headers = {REVISION: fresh.revision} if fresh else {}
    if fresh and fresh.watermark:
        headers[WATERMARK] = fresh.watermark.isoformat()
    return Response(body, media_type="application/json", headers=headers)

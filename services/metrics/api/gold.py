"""`/v1/gold`: what humans judged, as rows to teach and to measure models with."""

from asyncio import to_thread
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import SecretStr

from services.metrics.api.parameters import cursor_of, limit_of, refusing, scalars
from services.metrics.api.state import metrics_of
from services.metrics.api.turns import turn
from services.metrics.store.gold import BEGINNING, Found, Place, page
from services.metrics.store.promotions import asker_of
from services.metrics.store.query import snapshot
from shared.database import outage_is_503
from shared.http import internal_tenant

PARAMETERS = frozenset({"cursor", "limit"})


def router(token: SecretStr) -> APIRouter:
    """The route of gold; whose it is, the tenant header says."""
    routes = APIRouter(tags=["gold"])
    asked_by = Annotated[str, Depends(internal_tenant(token))]

    @routes.get("/v1/gold")
    async def gold(request: Request, asked_by: asked_by) -> Response:
        metrics = metrics_of(request)
        after, limit = asked(request)
        async with turn(request, asked_by), outage_is_503(), snapshot(metrics.pool) as connection:
            asker = await asker_of(connection, asked_by, metrics.model)
            rows, following = await page(connection, asked_by, asker.model, after, limit)
            body = await to_thread(encoded, rows, following)
        return Response(body, media_type="application/json")

    return routes


def encoded(rows: Sequence[Found], following: Place | None) -> bytes:
    """A page of gold as JSON. Pure."""
    return msgspec.json.encode({"rows": [shown(row) for row in rows], "next": str(following) if following else None})


def asked(request: Request) -> tuple[Place, int]:
    """`cursor` and `limit`; raises BadRequest."""
    with refusing():
        given = scalars(request.query_params.multi_items(), PARAMETERS)
        return cursor_of(given.get("cursor"), Place) or BEGINNING, limit_of(given.get("limit"))


def shown(found: Found) -> dict[str, Any]:
    """A row as it is exported; `at` in UTC."""
    row = found.gold
    return {
        "subject": found.subject.name,
        "comment": row.comment,
        "at": row.at.isoformat(),
        "text": row.text,
        "language": row.language,
        "label": row.label,
        "themes": row.themes,
        "model": row.model,
        "model_label": row.model_label,
    }

"""`/v1/gold`: what humans judged, as rows to teach and to measure models with."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import SecretStr

from services.metrics.api.kpis import LARGEST_PAGE, PAGE
from services.metrics.api.state import metrics_of
from services.metrics.store.gold import BEGINNING, Found, Place, page, place
from services.metrics.store.promotions import asker_of
from services.metrics.store.query import snapshot
from shared.database import outage_is_503
from shared.http import internal_tenant
from shared.problems import BadRequest

PARAMETERS = frozenset({"cursor", "limit"})


def router(token: SecretStr) -> APIRouter:
    """The route of gold; whose it is, the tenant header says."""
    routes = APIRouter(tags=["gold"])
    asked_by = Annotated[str, Depends(internal_tenant(token))]

    @routes.get("/v1/gold")
    async def gold(request: Request, asked_by: asked_by) -> Response:
        metrics = metrics_of(request)
        after, limit = asked(request)
        async with outage_is_503(), snapshot(metrics.pool) as connection:
            asker = await asker_of(connection, asked_by, metrics.model)
            rows, following = await page(connection, asked_by, asker.model, after, limit)
        told = {"rows": [shown(row) for row in rows], "next": str(following) if following else None}
        return Response(msgspec.json.encode(told), media_type="application/json")

    return routes


def asked(request: Request) -> tuple[Place, int]:
    """`cursor` and `limit`; raises BadRequest."""
    given = request.query_params
    wrong = [{"name": name, "reason": "is not a parameter of this call"} for name in given if name not in PARAMETERS]
    limit = given.get("limit", str(PAGE))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= LARGEST_PAGE):
        wrong.append({"name": "limit", "reason": f"is not a number from 1 to {LARGEST_PAGE}"})
    after = BEGINNING
    try:
        after = place(given["cursor"]) if "cursor" in given else BEGINNING
    except ValueError:
        wrong.append({"name": "cursor", "reason": "is not one that was given"})
    if wrong:
        raise BadRequest(invalid_params=wrong)
    return after, int(limit)


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

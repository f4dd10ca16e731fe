"""`/v1/gold`: humans' judgements of comments, for training and measuring models."""

from asyncio import to_thread
from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, Response

from services.metrics.api.dependencies import DEFAULT_PAGE, MetricsState, PageCursor, PageLimit, parse_cursor, turn
from services.metrics.api.schemas import GoldPage
from services.metrics.evaluation.scans import TooSlow
from services.metrics.store.gold import BEGINNING, GoldCursor, GoldRow, page
from services.metrics.store.promotions import current_tenant
from services.metrics.store.query import snapshot
from shared.database import outage_is_503
from shared.disconnects import ClientMessages
from shared.http import TenantName
from shared.problems import BadRequest, NotAuthenticated, responses
from shared.routes import TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["gold"])


@routes.get(
    "/v1/gold",
    operation_id="list_gold",
    summary="List humans' judgements of comments, for training and measuring models",
    description="One row for each current judgement of a current comment: judgements that were taken back, and those of comments "
    "that were edited or erased since, are left out.",
    response_class=Response,
    responses={**responses(NotAuthenticated, BadRequest, TooSlow), 200: {"model": GoldPage}},
)
async def list_gold(
    tenant: TenantName, client: ClientMessages, state: MetricsState, cursor: PageCursor = None, limit: PageLimit = DEFAULT_PAGE
) -> Response:
    """A page of the tenant's judgements, in the order of their places."""
    after = parse_cursor(cursor, GoldCursor) or BEGINNING
    source = state.source
    async with turn(client, state, tenant), outage_is_503(), snapshot(source.pool) as connection:
        current = await current_tenant(connection, tenant, source.default_model)
        rows, following = await page(connection, tenant, current.model, after, limit)
        body = await to_thread(encode_page, rows, following)
    return Response(body, media_type="application/json")


def encode_page(rows: Sequence[GoldRow], following: GoldCursor | None) -> bytes:
    """A page of gold as JSON."""
    return msgspec.json.encode({"rows": [row_of(row) for row in rows], "next": str(following) if following else None})


def row_of(row: GoldRow) -> dict[str, Any]:
    """A row of gold; `at` in UTC."""
    gold = row.gold
    return {
        "subject": row.subject.name,
        "comment": gold.comment,
        "at": gold.at.isoformat(),
        "text": gold.text,
        "language": gold.language,
        "label": gold.label,
        "themes": gold.themes,
        "model": gold.model,
        "model_label": gold.model_label,
    }

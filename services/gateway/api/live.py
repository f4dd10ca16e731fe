"""`GET /v1/live`: server-sent events with the newest state of some KPIs, now and whenever one changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.gateway.api import requests
from services.gateway.api.callers import BEARER, caller_with, known
from services.gateway.api.document import LAST_EVENT_ID, QUESTION, WATCHED, refusals
from services.gateway.api.state import gateway_of
from services.gateway.domain.keys import Key
from services.gateway.domain.watch import Watch, watch
from services.gateway.live.reader import Reader
from shared.problems import BadRequest, NotAuthenticated, Unavailable

routes = APIRouter(dependencies=[Depends(BEARER)], tags=["kpis"])

STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "One `snapshot`, then a `kpi` for every change", "content": {"text/event-stream": {}}}
}
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
LOOK = 1.0
"""How often a stream looks whether its key still works and whether we are stopping."""


@routes.get(
    "/v1/live",
    summary="KPIs as server-sent events: a snapshot, then every change",
    response_class=StreamingResponse,
    responses=STREAM | refusals(),
    openapi_extra={"parameters": [*WATCHED, *QUESTION, LAST_EVENT_ID]},
)
async def live(request: Request, caller: Annotated[Key, Depends(caller_with("metrics:read"))]) -> Response:
    watching = gateway_of(request).hub.watching(caller.tenant, caller.id, wish(request))
    stack = AsyncExitStack()
    try:
        reader = await requests.while_connected(request, stack.enter_async_context(watching))
    except BaseException:
        await stack.aclose()  # the client may have left just as its first states were there
        raise
    return Stream(frames(request, reader), stack)


def wish(request: Request) -> Watch:
    """What the request's query asks to watch."""
    try:
        wanted = watch(request.query_params.multi_items())
    except ValueError as error:
        raise BadRequest(invalid_params=[{"name": "kpis", "reason": str(error)}]) from None
    for kpi in wanted.kpis:
        requests.clean(kpi)
    return wanted


class Stream(StreamingResponse):
    """A stream of events that frees its reader however it ends: the client gone, we stopping, or never begun."""

    def __init__(self, frames: AsyncIterator[bytes], reader: AsyncExitStack) -> None:
        super().__init__(frames, headers=HEADERS, media_type="text/event-stream")
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._reader:
            await super().__call__(scope, receive, send)


async def frames(request: Request, reader: Reader) -> AsyncIterator[bytes]:
    """The events, each whole in its bytes. The next is made only when the last has been taken, so the slow get the newest."""
    clock = asyncio.get_running_loop().time
    silence = gateway_of(request).ping - LOOK
    yield opening(reader, request.headers.get("last-event-id"))
    spoke = clock()
    while await welcome(request) and not reader.over:
        if state := await reader.news(LOOK):
            yield format_sse_event(event="kpi", data_str=state.body, id=reader.tell(state))
            spoke = clock()
        elif clock() - spoke >= silence:
            yield KEEPALIVE_COMMENT
            spoke = clock()


def opening(reader: Reader, last_id: str | None) -> bytes:
    """A snapshot, unless `last_id` shows that the client has just that state."""
    states = reader.everything()
    if last_id == reader.id:
        return KEEPALIVE_COMMENT
    whole = ",".join(state.body for state in states)
    return format_sse_event(event="snapshot", data_str=f'{{"kpis":[{whole}]}}', id=reader.id)


async def welcome(request: Request) -> bool:
    """Whether the stream may go on: we aren't stopping, and its key hasn't been revoked. An outage ends no stream."""
    if getattr(request.app.state, "stopping", False):
        return False
    try:
        await known(gateway_of(request), request.headers.get("authorization", ""))
    except NotAuthenticated:
        return False
    except Unavailable:
        pass
    return True

"""`GET /v1/live`: server-sent events with the newest results of some KPIs, or the list of upcoming SLA deadlines.

The first event is a snapshot, then there is one for each change.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.gateway.api.auth import authenticate_again, require
from services.gateway.api.dependencies import Gateway, GatewayState
from services.gateway.api.forwarding import checked_id
from services.gateway.api.openapi import UpstreamRoute, import_query
from services.gateway.clients.metrics import UnknownKpi, UnknownTenant
from services.gateway.domain.keys import Key
from services.gateway.domain.watch import UPCOMING, Watch, parse_watch
from services.gateway.live.query import State
from services.gateway.live.subscription import Subscription
from shared.disconnects import cancelled_on_disconnect
from shared.problems import BadRequest, Forbidden, NotAuthenticated, TooManyRequests, Unavailable, responses

routes = APIRouter(route_class=UpstreamRoute, tags=["kpis"])

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An event `snapshot` with all results, then an event `kpi` with a result for each change; with"
        " `sla=upcoming` the event `sla` with the list",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
PROBLEMS = responses(BadRequest, NotAuthenticated, Forbidden, UnknownKpi, UnknownTenant, TooManyRequests)
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
CHECK_SECONDS = 1.0
"""How often a stream checks that its key is active and that the server is not stopping."""


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A request for a stream."""

    app: FastAPI
    gateway: Gateway
    authorization: str
    parameters: Sequence[tuple[str, str]]
    client: Receive
    """The client's further messages, for `cancelled_on_disconnect`."""

    async def may_continue(self) -> bool:
        """Whether the server is not stopping and the stream's key is active. A database outage ends no stream."""
        if getattr(self.app.state, "stopping", False):
            return False
        try:
            await authenticate_again(self.gateway, self.authorization)
        except NotAuthenticated:
            return False
        except Unavailable:
            pass
        return True


async def stream_request(request: Request, gateway: GatewayState) -> StreamRequest:
    """The request as a StreamRequest. Its parameters are not checked."""
    authorization, parameters = request.headers.get("authorization", ""), request.query_params.multi_items()
    return StreamRequest(request.app, gateway, authorization, parameters, request.receive)


@routes.get(
    "/v1/live",
    operation_id="stream_kpis",
    summary="KPIs, or upcoming SLA deadlines, as server-sent events: a snapshot, then every change",
    description="With `kpis` all other parameters are those of `/v1/kpis/{kpi}`, and hold for each KPI. With `sla=upcoming`"
    " they are those of `/v1/sla/upcoming`, and the key needs the scope `records:read` too.",
    response_class=StreamingResponse,
    responses=EVENTS | PROBLEMS,
    openapi_extra=import_query("metrics", "/v1/kpis/{kpi}", "/v1/sla/upcoming"),
)
async def stream_kpis(
    caller: Annotated[Key, Depends(require("metrics:read"))],
    requested: Annotated[StreamRequest, Depends(stream_request)],
    kpis: Annotated[
        list[str] | SkipJsonSchema[None], Query(description="Ids of KPIs, separated by commas", examples=[["nps,csat"]])
    ] = None,
    sla: Annotated[
        Literal["upcoming"] | SkipJsonSchema[None], Query(description="The list of upcoming SLA deadlines, in place of KPIs")
    ] = None,
    last_event_id: Annotated[
        str | None, Header(description="The `id` of the last event received: no event is sent until there is a newer state")
    ] = None,
) -> Response:
    """Subscribe before the first byte of the response, so that an error is a problem document."""
    if sla is not None and not caller.has("records:read"):
        raise Forbidden("this key lacks the scope records:read, which sla=upcoming needs")
    subscribing = requested.gateway.hub.subscribe(caller.tenant, caller.id, watch_of(requested.parameters))
    stack = AsyncExitStack()
    try:
        async with cancelled_on_disconnect(requested.client):
            subscription = await stack.enter_async_context(subscribing)
    except BaseException:
        await stack.aclose()  # the client may have left just after the subscription was complete
        raise
    return EventStream(events(requested, subscription, last_event_id), stack)


def watch_of(parameters: Sequence[tuple[str, str]]) -> Watch:
    """Parse the parameters. Raises BadRequest, or UnknownKpi for an id that no KPI can have."""
    try:
        watch = parse_watch(parameters)
    except ValueError as error:
        raise BadRequest(invalid_params=[{"name": "kpis", "reason": str(error)}]) from None
    if all(name != "sla" for name, _ in parameters):
        for kpi in watch.kpis:
            checked_id(kpi, UnknownKpi)
    return watch


class EventStream(StreamingResponse):
    """A stream of events that closes its subscription however it ends: also if it was never started."""

    def __init__(self, events: AsyncIterator[bytes], subscription: AsyncExitStack) -> None:
        super().__init__(events, headers=HEADERS, media_type="text/event-stream")
        self._subscription = subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._subscription:
            await super().__call__(scope, receive, send)


async def events(requested: StreamRequest, subscription: Subscription, last_event_id: str | None) -> AsyncIterator[bytes]:
    """The stream's events. The next one is made only when the last was sent, so that slow clients get the newest state."""
    clock = asyncio.get_running_loop().time
    max_silence = requested.gateway.ping_seconds - CHECK_SECONDS
    yield first_event(subscription, last_event_id)
    sent_at = clock()
    while await requested.may_continue() and not subscription.closed:
        if state := await subscription.next_change(CHECK_SECONDS):
            event = "sla" if state.kpi == UPCOMING else "kpi"
            yield format_sse_event(event=event, data_str=state.body, id=subscription.mark_sent(state))
            sent_at = clock()
        elif clock() - sent_at >= max_silence:
            yield KEEPALIVE_COMMENT
            sent_at = clock()


def first_event(subscription: Subscription, last_event_id: str | None) -> bytes:
    """A snapshot, or a comment if `last_event_id` shows that the client has the same states."""
    states = subscription.snapshot()
    if last_event_id == subscription.id:
        return KEEPALIVE_COMMENT
    return format_sse_event(event="snapshot", data_str=snapshot_of(states), id=subscription.id)


def snapshot_of(states: Sequence[State]) -> str:
    """The first states of a stream as JSON: the results of KPIs, or the list of upcoming deadlines."""
    bodies = ",".join(state.body for state in states)
    return f'{{"sla":{bodies}}}' if states[0].kpi == UPCOMING else f'{{"kpis":[{bodies}]}}'

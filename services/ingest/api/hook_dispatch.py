"""Serves webhooks before FastAPI, whose layers would cost a sixth of a delivery's processor time."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.api.hooks import answer_handshake, receive_post, to_response
from services.ingest.api.state import Ingest
from services.ingest.domain.delivery import Outcome
from services.ingest.domain.providers import Reply
from shared import tracing
from shared.bodies import headers_of
from shared.request_context import REQUEST_ID_HEADER, TRACEPARENT_HEADER, bind, unbind, valid_context
from shared.request_telemetry import RequestMetrics

PREFIX = "/v1/hooks/"
ROUTE = Route(PREFIX + "{connection}", Response)
"""Names the route in metrics, traces and logs, as FastAPI's router does for the others. Its endpoint is never called."""

ACCEPTED = 202
REQUEST_ID = REQUEST_ID_HEADER.encode()


def outcome_message(outcome: Outcome) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The body and the headers of the answer to a delivery."""
    body = b'{"status":"%b"}' % outcome.encode()
    return body, [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]


ANSWERS: dict[Outcome, tuple[bytes, list[tuple[bytes, bytes]]]] = {
    outcome: outcome_message(outcome) for outcome in ("accepted", "duplicate", "quarantined", "ignored", "held", "pending")
}


class HookDispatch:
    """ASGI application: requests to hooks are answered here, all others by `app`, the stack of FastAPI's middleware.

    `handlers` are the application's handlers of exceptions.
    """

    def __init__(self, app: ASGIApp, handlers: Mapping[Any, Any]) -> None:
        self.app = app
        self._handlers = handlers
        self._metrics = RequestMetrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        headers = headers_of(scope)
        context = tracing.server_context(valid_context(headers.get(REQUEST_ID_HEADER, ""), headers.get(TRACEPARENT_HEADER, "")))
        token = bind(context)
        try:
            result = await self._answer(headers, scope, receive)
        finally:
            unbind(token)
        if isinstance(result, str):
            self._metrics.observe("POST", ROUTE.path, ACCEPTED, perf_counter() - began)
            body, answer_headers = ANSWERS[result]
            with_id = [*answer_headers, (REQUEST_ID, context.request_id.encode())]
            await send({"type": "http.response.start", "status": ACCEPTED, "headers": with_id})
            await send({"type": "http.response.body", "body": body})
        else:
            result.headers[REQUEST_ID_HEADER] = context.request_id
            self._metrics.observe(scope["method"], ROUTE.path, result.status_code, perf_counter() - began)
            await result(scope, receive, send)

    async def _answer(self, headers: dict[str, str], scope: Scope, receive: Receive) -> Outcome | Response:
        scope["route"] = ROUTE
        ingest, name = cast(Ingest, scope["app"].state.ingest), scope["path"][len(PREFIX) :]
        try:
            if scope["method"] != "POST":
                return await answer_handshake(ingest, name, scope)
            result = await receive_post(ingest, name, headers, scope, receive)
            return to_response(result) if isinstance(result, Reply) else result
        except Exception as error:
            handler = next(self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers)
            return cast(Response, await handler(Request(scope), error))

"""Serves webhooks before FastAPI, whose layers would cost a sixth of a delivery's processor time.

Small ones come directly from the server (`shared/direct_requests.py`), without ASGI; all others by ASGI, before FastAPI.
"""

from time import perf_counter
from typing import Any, cast

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.ingest.api.dependencies import Ingest
from services.ingest.api.hooks import answer_handshake, receive_post, to_response
from services.ingest.domain.delivery import Outcome
from services.ingest.domain.providers import Reply
from shared import tracing
from shared.bodies import headers_of
from shared.direct_requests import DirectResponse, Header
from shared.request_context import REQUEST_ID_HEADER, TRACEPARENT_HEADER, bind, unbind, valid_context
from shared.request_telemetry import RequestMetrics

PREFIX = "/v1/hooks/"
ROUTE = Route(PREFIX + "{connection}", Response)
"""Names the route in metrics, traces and logs, as FastAPI's router does for the others. Its endpoint is never called."""

ACCEPTED = 202
REQUEST_ID = REQUEST_ID_HEADER.encode()


def outcome_message(outcome: Outcome) -> tuple[bytes, list[Header]]:
    """The body and the headers of the answer to a delivery."""
    body = b'{"status":"%b"}' % outcome.encode()
    return body, [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]


ANSWERS: dict[Outcome, tuple[bytes, list[Header]]] = {
    outcome: outcome_message(outcome) for outcome in ("accepted", "duplicate", "quarantined", "ignored", "held", "pending")
}


class HookDispatch:
    """ASGI application: requests to hooks are answered here, all others by `app`, the stack of middleware of `application`."""

    def __init__(self, app: ASGIApp, application: FastAPI) -> None:
        self.app = app
        self._application = application
        self._metrics = RequestMetrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        status, headers, body = await self._answer(scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def answer(self, path: str, query: bytes, headers: list[Header], body: bytes) -> DirectResponse:
        """The answer to a POST to a hook, whose body has arrived."""

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "query_string": query, "headers": headers}
        return await self._answer(scope, receive)

    async def _answer(self, scope: Scope, receive: Receive) -> DirectResponse:
        began = perf_counter()
        headers = headers_of(scope)
        context = tracing.server_context(valid_context(headers.get(REQUEST_ID_HEADER, ""), headers.get(TRACEPARENT_HEADER, "")))
        token = bind(context)
        try:
            result = await self._result(headers, scope, receive)
        finally:
            unbind(token)
        request_id = (REQUEST_ID, context.request_id.encode())
        if isinstance(result, str):
            self._metrics.observe("POST", ROUTE.path, ACCEPTED, perf_counter() - began)
            body, answer_headers = ANSWERS[result]
            return DirectResponse(ACCEPTED, [*answer_headers, request_id], body)
        self._metrics.observe(scope["method"], ROUTE.path, result.status_code, perf_counter() - began)
        others = [header for header in result.raw_headers if header[0] != REQUEST_ID]
        return DirectResponse(result.status_code, [*others, request_id], bytes(result.body))

    async def _result(self, headers: dict[str, str], scope: Scope, receive: Receive) -> Outcome | Response:
        scope["route"] = ROUTE
        ingest, name = cast(Ingest, self._application.state.ingest), scope["path"][len(PREFIX) :]
        try:
            if scope["method"] != "POST":
                return await answer_handshake(ingest, name, scope)
            result = await receive_post(ingest, name, headers, scope, receive)
            return to_response(result) if isinstance(result, Reply) else result
        except Exception as error:
            handlers: dict[Any, Any] = self._application.exception_handlers
            handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
            return cast(Response, await handler(Request(scope), error))

"""`/v1/hooks/{connection}`: the public route to which tools deliver. The signature authenticates them.

A plain ASGI endpoint, since this is the hot path. Nothing is parsed before the signature is verified, and no delivery is answered
before it is on disk.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.api.state import Ingest
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.providers import PROVIDERS, Headers, NotVerified, Reply, Request
from services.ingest.domain.receive import receive_all
from shared.bodies import declared_length, headers_of, read_body, refuse_compressed
from shared.database import outage_is_503
from shared.problems import NotAuthenticated, NotFound, Problem, UnsupportedMedia

BODIES: dict[Outcome, bytes] = {
    "accepted": b'{"status":"accepted"}',
    "duplicate": b'{"status":"duplicate"}',
    "quarantined": b'{"status":"quarantined"}',
    "ignored": b'{"status":"ignored"}',
    "held": b'{"status":"held"}',
    "pending": b'{"status":"pending"}',
}
BATCH_DELIVERIES = 100
"""Deliveries of one request that wait for the committer at the same time, so that a batch does not fill its queue."""

ALLOWED_METHODS = "POST, GET, HEAD, OPTIONS"
PREFIX = "/v1/hooks/"
ROUTE = Route(PREFIX + "{connection}", Response)
"""Names the route in metrics, traces and logs, as FastAPI's router does for the others; its endpoint is never called."""


class MethodNotAllowed(Problem):
    status, title = 405, "Method not allowed"


class ConnectionDeleted(Problem):
    status, title = 410, "Gone"


class HookDispatch:
    """ASGI middleware that passes hooks to `Hook` directly.

    FastAPI's router and its layers would cost a tenth of a delivery's processor time.
    `handlers` are the application's handlers of exceptions.
    """

    def __init__(self, app: ASGIApp, handlers: Mapping[Any, Any]) -> None:
        self.app = app
        self.hook = ExceptionMiddleware(Hook(), {kind: handler for kind, handler in handlers.items() if kind is not Exception})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            scope["path_params"] = {"connection": scope["path"][len(PREFIX) :]}
            scope["route"] = ROUTE
            await self.hook(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Hook:
    """The ASGI application of a connection's hook."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ingest = cast(Ingest, scope["app"].state.ingest)
        if scope["method"] == "POST":
            result = await receive_post(ingest, scope, receive)
            await (to_response(result)(scope, receive, send) if isinstance(result, Reply) else send_outcome(result, send))
            return
        connection = await find_connection(ingest, scope["path_params"]["connection"])
        match scope["method"]:
            case "GET" | "HEAD":
                reply = respond(connection, request_of(ingest, connection, scope, headers_of(scope), b""), ingest.now())
                await (to_response(reply) if reply else JSONResponse({"status": "ready"}))(scope, receive, send)
            case "OPTIONS":
                refuse_deleted(connection)
                await handshake(headers_of(scope))(scope, receive, send)
            case _:
                raise MethodNotAllowed(headers={"Allow": ALLOWED_METHODS})


async def receive_post(ingest: Ingest, scope: Scope, receive: Receive) -> Outcome | Reply:
    """Store a delivery, or answer a handshake; a refusal is counted and logged."""
    connection: Connection | None = None
    try:
        connection = await find_connection(ingest, scope["path_params"]["connection"])
        return await deliver(ingest, connection, scope, receive)
    except Problem as problem:
        ingest.observer.refused(problem, connection, size=declared_length(headers_of(scope)))
        raise


async def find_connection(ingest: Ingest, name: str) -> Connection:
    """The connection, nearly always from the cache. Raises NotFound if there is none, or it has no hook."""
    connection = ingest.cache.cached(name)
    if connection is None:
        async with outage_is_503():
            connection = await ingest.cache.find(name)
    if connection is None or connection.provider not in PROVIDERS:
        raise NotFound("the connection does not exist")
    return connection


def refuse_deleted(connection: Connection) -> None:
    """Raise ConnectionDeleted for a deleted connection whose tool stops sending on 410."""
    if connection.state == "deleted" and PROVIDERS[connection.provider].ends_with_410:
        raise ConnectionDeleted("the connection is deleted: stop sending to this URL")


def request_of(ingest: Ingest, connection: Connection, scope: Scope, headers: dict[str, str], body: bytes) -> Request:
    """The request as the tool sent it to the public URL of the hook."""
    query = scope["query_string"].decode("latin-1")
    url = hook_url(ingest, connection) + (f"?{query}" if query else "")
    return Request(scope["method"], url, Headers.in_lower_case(headers), body)


def hook_url(ingest: Ingest, connection: Connection) -> str:
    """The public URL to which the tool posts."""
    return f"{ingest.public_url}/v1/hooks/{connection.id}"


def respond(connection: Connection, request: Request, now: datetime) -> Reply | None:
    """The provider's answer to a handshake; None if the request is none. Raises NotAuthenticated if it is not verified."""
    provider = PROVIDERS[connection.provider]
    try:
        return provider.respond(request, connection.secrets, now) if provider.respond else None
    except NotVerified as error:
        raise NotAuthenticated(str(error)) from None


def to_response(reply: Reply) -> Response:
    """The HTTP response of a provider's own answer."""
    return Response(reply.body, reply.status, media_type=reply.content_type)


async def deliver(ingest: Ingest, connection: Connection, scope: Scope, receive: Receive) -> Outcome | Reply:
    """Store a delivery or a batch, or answer a handshake. The outcome is returned once all of it is on disk."""
    headers = headers_of(scope)
    with ingest.body_memory.reserve(connection.tenant) as reservation:
        body = await read_body(headers, receive, reservation)
        if connection.state == "deleted":
            refuse_deleted(connection)
            return "ignored"
        provider, request = PROVIDERS[connection.provider], request_of(ingest, connection, scope, headers, body)
        now = ingest.now()
        refuse_compressed(headers)
        if not provider.accepts(request):
            raise UnsupportedMedia(f"the body must be {' or '.join(provider.body_types)}")
        if reply := respond(connection, request, now):
            return reply
        try:
            provider.verify(request, connection.secrets, now)
        except NotVerified as error:
            raise NotAuthenticated(str(error)) from None
        deliveries = await ingest.threads.read(connection.tenant, len(body), lambda: receive_all(connection, request, now))
        if len(deliveries) > 1:
            return to_reply(await store_batch(ingest, connection, deliveries))
        outcome = await ingest.committer.commit(deliveries[0])
        ingest.observer.stored(connection, deliveries[0], outcome)
        if outcome == "pending":
            ingest.enricher.wake()
        return outcome


async def store_batch(ingest: Ingest, connection: Connection, deliveries: Sequence[Delivery]) -> list[Outcome]:
    """Store the deliveries of one request. Raises Unavailable if one could not be stored: the tool must send all again."""
    outcomes: list[Outcome] = []
    for first in range(0, len(deliveries), BATCH_DELIVERIES):
        part = deliveries[first : first + BATCH_DELIVERIES]
        for delivery, outcome in zip(part, await ingest.committer.commit_all(part), strict=True):
            if isinstance(outcome, Problem):
                raise outcome
            ingest.observer.stored(connection, delivery, outcome)
            outcomes.append(outcome)
    if "pending" in outcomes:
        ingest.enricher.wake()
    return outcomes


def to_reply(outcomes: Sequence[Outcome]) -> Reply:
    """The answer to a batch: the outcome of all its events, or `mixed`, and the number of each."""
    counts = Counter(outcomes)
    status = outcomes[0] if len(counts) == 1 else "mixed"
    return Reply(202, "application/json", json.dumps({"status": status, "events": counts}).encode())


async def send_outcome(outcome: Outcome, send: Send) -> None:
    """Answer 202, without building a response object."""
    body = BODIES[outcome]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def handshake(headers: dict[str, str]) -> Response:
    """Answer the CloudEvents handshake: a sender asks before its first delivery whether its origin may post here."""
    answer = {"Allow": ALLOWED_METHODS}
    if origin := headers.get("webhook-request-origin"):
        answer |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
    return Response(status_code=200, headers=answer)

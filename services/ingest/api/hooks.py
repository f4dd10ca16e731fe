"""`/v1/hooks/{connection}`: the public route to which tools deliver. The signature authenticates them.

Nothing is parsed before the signature is verified, and no delivery is answered before it is on disk.
`services/ingest/api/hook_dispatch.py` serves these functions.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope

from services.ingest.api.dependencies import Ingest
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Delivery, Outcome
from services.ingest.domain.providers import PROVIDERS, Headers, NotVerified, Reply, Request
from services.ingest.domain.receive import receive_all
from shared.bodies import declared_length, headers_of, read_body, refuse_compressed
from shared.database import outage_is_503
from shared.deadlines import too_late
from shared.problems import NotAuthenticated, NotFound, Problem, UnsupportedMedia

BATCH_DELIVERIES = 100
"""Deliveries of one request that wait for the committer at the same time, so that a batch does not fill its queue."""

ALLOWED_METHODS = "POST, GET, HEAD, OPTIONS"


class MethodNotAllowed(Problem):
    status, title = 405, "Method not allowed"


class ConnectionDeleted(Problem):
    status, title = 410, "Gone"


async def answer_handshake(ingest: Ingest, name: str, scope: Scope) -> Response:
    """Answer a request other than POST. Raises a Problem."""
    connection = await find_connection(ingest, name)
    headers = headers_of(scope)
    match scope["method"]:
        case "GET" | "HEAD":
            reply = respond(connection, request_of(ingest, connection, scope, headers, b""), ingest.now())
            return to_response(reply) if reply else JSONResponse({"status": "ready"})
        case "OPTIONS":
            refuse_deleted(connection)
            return allow_origin(headers)
        case _:
            raise MethodNotAllowed(headers={"Allow": ALLOWED_METHODS})


async def receive_post(ingest: Ingest, name: str, headers: dict[str, str], scope: Scope, receive: Receive) -> Outcome | Reply:
    """Store a delivery to the connection `name`, or answer a handshake. A refusal is counted and logged.

    Raises a Problem: Unavailable also if the delivery is not stored within `hook_seconds` after its body has arrived. The limits
    of `shared/heads.py` end slow uploads.
    """
    connection: Connection | None = None
    try:
        connection = await find_connection(ingest, name)
        with ingest.admission.admit(connection.id), ingest.body_memory.reserve(connection.tenant, connection.id) as reservation:
            body = await read_body(headers, receive, reservation)
            request = request_of(ingest, connection, scope, headers, body)
            with ingest.hook_deadlines.limit():
                return await deliver(ingest, connection, request)
    except (Problem, TimeoutError) as error:
        problem = error if isinstance(error, Problem) else too_late(ingest.hook_seconds)
        ingest.observer.refused(problem, connection, size=declared_length(headers))
        raise problem from None


async def find_connection(ingest: Ingest, name: str) -> Connection:
    """The connection, nearly always from the cache.

    Raises NotFound if it does not exist or has no hook, Unavailable if it can't be loaded, also if that takes too long.
    """
    connection = ingest.cache.cached(name)
    if connection is None:
        try:
            async with asyncio.timeout(ingest.hook_seconds), outage_is_503():
                connection = await ingest.cache.find(name)
        except TimeoutError:
            raise too_late(ingest.hook_seconds) from None
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
    """The provider's answer to a handshake; None if the request is not a handshake. Raises NotAuthenticated if it is not
    verified."""
    provider = PROVIDERS[connection.provider]
    try:
        return provider.respond(request, connection.secrets, now) if provider.respond else None
    except NotVerified as error:
        raise NotAuthenticated(str(error)) from None


def to_response(reply: Reply) -> Response:
    """The HTTP response of a provider's own answer."""
    return Response(reply.body, reply.status, media_type=reply.content_type)


async def deliver(ingest: Ingest, connection: Connection, request: Request) -> Outcome | Reply:
    """Store a delivery or a batch, or answer a handshake. The outcome is returned once all of it is on disk."""
    if connection.state == "deleted":
        refuse_deleted(connection)
        return "ignored"
    provider, now = PROVIDERS[connection.provider], ingest.now()
    refuse_compressed(request.headers.get("content-encoding"))
    if not provider.accepts(request):
        raise UnsupportedMedia(f"the body must be {' or '.join(provider.body_types)}")
    if reply := respond(connection, request, now):
        return reply
    try:
        provider.verify(request, connection.secrets, now)
    except NotVerified as error:
        raise NotAuthenticated(str(error)) from None
    deliveries = await ingest.threads.read(connection.tenant, len(request.body), lambda: receive_all(connection, request, now))
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


def allow_origin(headers: dict[str, str]) -> Response:
    """The answer to the CloudEvents handshake, by which a sender learns before its first delivery that it may post here."""
    answer = {"Allow": ALLOWED_METHODS}
    if origin := headers.get("webhook-request-origin"):
        answer |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
    return Response(status_code=200, headers=answer)

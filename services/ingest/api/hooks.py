"""The public door of ingest: `/v1/hooks/{connection}`, where a signature is the key.

A plain ASGI endpoint, since this is the hot path: nothing is parsed before the signature is checked, and nothing is answered
before the delivery is on disk.
"""

from typing import cast

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from services.ingest.api.body import expect_json, headers_of, read_body
from services.ingest.api.state import Ingest
from services.ingest.domain.connection import Connection
from services.ingest.domain.providers import PROVIDERS, NotVerified
from services.ingest.domain.receive import receive as receive_delivery
from shared.database import outage_is_503
from shared.problems import NotAuthenticated, NotFound, Problem

ALLOWED = "POST, GET, HEAD, OPTIONS"


class NoSuchMethod(Problem):
    status, title = 405, "Method not allowed"


class Hook:
    """Answers every request to a connection's hook."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ingest = cast(Ingest, scope["app"].state.ingest)
        async with outage_is_503():
            connection = await ingest.directory.find(scope["path_params"]["connection"])
        if connection is None or (connection.provider not in PROVIDERS):
            raise NotFound("no such connection")
        match scope["method"]:
            case "POST":
                try:
                    response = await deliver(ingest, connection, scope, receive)
                except ClientDisconnect:
                    return
            case "GET" | "HEAD":
                response = JSONResponse({"status": "ready"})
            case "OPTIONS":
                response = handshake(headers_of(scope))
            case _:
                raise NoSuchMethod(headers={"Allow": ALLOWED})
        await response(scope, receive, send)


async def deliver(ingest: Ingest, connection: Connection, scope: Scope, receive: Receive) -> Response:
    headers = headers_of(scope)
    body = await read_body(headers, receive)
    if connection.state == "deleted":
        return accepted("ignored")
    expect_json(headers)
    now = ingest.now()
    try:
        PROVIDERS[connection.provider].verify(headers, body, connection.secrets, now)
    except NotVerified as refusal:
        raise NotAuthenticated(str(refusal)) from None
    return accepted(await ingest.committer.take(receive_delivery(connection, headers, body, now)))


def accepted(outcome: str) -> Response:
    return Response(b'{"status":"%b"}' % outcome.encode(), 202, media_type="application/json")


def handshake(headers: dict[str, str]) -> Response:
    """What CloudEvents' senders ask before their first delivery: whether their origin may post here, and how often."""
    answer = {"Allow": ALLOWED}
    if origin := headers.get("webhook-request-origin"):
        answer |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
    return Response(status_code=200, headers=answer)

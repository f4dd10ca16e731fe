"""The public door of ingest: `/v1/hooks/{connection}`, where a signature is the key.

A plain ASGI endpoint, since this is the hot path: nothing is parsed before the signature is checked, and nothing is answered
before the delivery is on disk.
"""

from typing import cast

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from services.ingest.api.body import expect_json, headers_of, read_body
from services.ingest.api.state import Ingest
from services.ingest.domain.connection import Connection
from services.ingest.domain.delivery import Outcome
from services.ingest.domain.providers import PROVIDERS, NotVerified
from services.ingest.domain.receive import receive as receive_delivery
from shared.database import outage_is_503
from shared.problems import NotAuthenticated, NotFound, Problem

TOLD: dict[Outcome, bytes] = {
    "accepted": b'{"status":"accepted"}',
    "duplicate": b'{"status":"duplicate"}',
    "quarantined": b'{"status":"quarantined"}',
    "ignored": b'{"status":"ignored"}',
    "held": b'{"status":"held"}',
}
ALLOWED = "POST, GET, HEAD, OPTIONS"


class NoSuchMethod(Problem):
    status, title = 405, "Method not allowed"


class Hook:
    """Answers every request to a connection's hook."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ingest = cast(Ingest, scope["app"].state.ingest)
        connection = await known(ingest, scope["path_params"]["connection"])
        if connection is None or (connection.provider not in PROVIDERS):
            raise NotFound("no such connection")
        match scope["method"]:
            case "POST":
                await tell(await deliver(ingest, connection, scope, receive), send)
            case "GET" | "HEAD":
                await JSONResponse({"status": "ready"})(scope, receive, send)
            case "OPTIONS":
                await handshake(headers_of(scope))(scope, receive, send)
            case _:
                raise NoSuchMethod(headers={"Allow": ALLOWED})


async def known(ingest: Ingest, name: str) -> Connection | None:
    """The connection, which is nearly always remembered."""
    remembered = ingest.cache.cached(name)
    if remembered is not None:
        return remembered
    async with outage_is_503():
        return await ingest.cache.find(name)


async def deliver(ingest: Ingest, connection: Connection, scope: Scope, receive: Receive) -> Outcome:
    """What became of the delivery, which is then on disk."""
    headers = headers_of(scope)
    with ingest.bodies.share(connection.tenant) as share:
        body = await read_body(headers, receive, share)
        if connection.state == "deleted":
            return "ignored"
        expect_json(headers)
        now = ingest.now()
        try:
            PROVIDERS[connection.provider].verify(headers, body, connection.secrets, now)
        except NotVerified as refusal:
            raise NotAuthenticated(str(refusal)) from None
        delivery = await ingest.threads.read(
            connection.tenant, len(body), lambda: receive_delivery(connection, headers, body, now)
        )
        return await ingest.committer.commit(delivery)


async def tell(outcome: Outcome, send: Send) -> None:
    """202, without building a response object."""
    body = TOLD[outcome]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def handshake(headers: dict[str, str]) -> Response:
    """What CloudEvents' senders ask before their first delivery: whether their origin may post here, and how often."""
    answer = {"Allow": ALLOWED}
    if origin := headers.get("webhook-request-origin"):
        answer |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
    return Response(status_code=200, headers=answer)

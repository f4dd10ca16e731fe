"""The errors that clients receive, as problem documents (RFC 9457): a tree of exceptions with a status, and their handlers.

Problem
├── NotAuthenticated 401   ├── NotFound 404        ├── Unprocessable 422
├── Forbidden 403          ├── TooLarge 413        ├── TooManyRequests 429
├── BadRequest 400         ├── UnsupportedMedia 415└── Unavailable 503
Services derive their own problems from these.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.instruments import CLIENTS_LEFT
from shared.request_context import current_context
from shared.validation import reason_of, schema_of_model

log = structlog.get_logger()
InvalidParams = Sequence[dict[str, str]]

MAX_INVALID_PARAMS = 20
"""Entries of `invalid_params` in one problem; `more_invalid_params` counts the others."""
MAX_LISTED = 10_000
"""Validation errors of one body that are listed; pydantic can list all of them or none."""
MAX_NAME, MAX_REASON, MAX_DETAIL = 200, 500, 1_000
"""Characters of the name of an invalid parameter, which may hold keys that the client chose; of its reason; of a detail."""

PROBLEM_JSON = "application/problem+json"

METHOD_NOT_ALLOWED = 405
ROUTER_TITLES = {404: "Not found", METHOD_NOT_ALLOWED: "Method not allowed"}
"""Titles of the errors that the router raises, in place of its own, which are spelled differently."""

CLIENT_CLOSED_REQUEST = 499
"""The status in logs and metrics of a request whose client disconnected (nginx's convention); no client receives it."""


class Problem(Exception):
    """An error that the client receives. `detail` must not hold a secret, a customer's words or a customer's identity."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str = "",
        *,
        invalid_params: InvalidParams = (),
        headers: dict[str, str] | None = None,
        more_invalid_params: int = 0,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = shorten(detail, MAX_DETAIL)
        self.invalid_params, more = limit_params(invalid_params)
        self.more_invalid_params = more + more_invalid_params
        self.headers = headers or {}


class BadRequest(Problem):
    status, title = 400, "Bad request"


class NotAuthenticated(Problem):
    status, title = 401, "Not authenticated"


class Forbidden(Problem):
    status, title = 403, "Forbidden"


class NotFound(Problem):
    status, title = 404, "Not found"


class Conflict(Problem):
    status, title = 409, "Conflict"


class TooLarge(Problem):
    status, title = 413, "Body too large"


class UnsupportedMedia(Problem):
    status, title = 415, "Unsupported media type"


class Unprocessable(Problem):
    status, title = 422, "Unprocessable"


class TooManyRequests(Problem):
    status, title = 429, "Too many requests"


class Unavailable(Problem):
    """An outage or a fault of ours; the client should retry after `retry_after` seconds."""

    status, title = 503, "Unavailable"

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class InvalidParam(BaseModel):
    """A place in the request that is wrong."""

    name: str = Field(description="The query parameter, header, or path into the body", examples=["window"])
    reason: str = Field(
        description="Why it is refused, and often the closest allowed value; never the refused part of a body",
        examples=['is not allowed; did you mean "P1D"? Allowed: PT15M, PT1H, P1D, P1W, P1M'],
    )


class ProblemDocument(BaseModel):
    """An error, as RFC 9457 defines it (`application/problem+json`)."""

    type: str = Field(description="A stable URN of the kind of error", examples=["urn:earshot:problem:not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str | None = Field(None, description="What was wrong in this request")
    invalid_params: list[InvalidParam] | None = Field(None, description=f"Up to {MAX_INVALID_PARAMS} places that are wrong")
    more_invalid_params: int | None = Field(None, description="Number of wrong places that are not listed")


DESCRIPTIONS: dict[int, str] = {
    400: "The query or the body can't be parsed; `invalid_params` names the places",
    401: "No key, or a key that does not work",
    403: "The key lacks the scope",
    404: "It does not exist, or belongs to another tenant",
    409: "It conflicts with the current state",
    413: "The body is too large",
    415: "The media type or the encoding of the body is not supported",
    422: "The body is invalid; `invalid_params` names the places",
    429: "Too many requests; retry after `Retry-After` seconds",
    503: "An outage or a fault of Earshot; retry after `Retry-After` seconds",
}


def responses(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that raises these problems. Every route may raise Unavailable, so it is always included.

    Problems with a title of their own, such as `Scores missing`, are named in the description of their status.
    """
    titles: dict[int, list[str]] = {Unavailable.status: []}
    for kind in kinds:
        titles.setdefault(kind.status, [])
        if kind.title not in {base.title for base in Problem.__subclasses__()}:
            titles[kind.status].append(kind.title)
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {status: {"description": describe_status(status, titles[status]), "content": content} for status in sorted(titles)}


def describe_status(status: int, titles: list[str]) -> str:
    """The description of a status in OpenAPI, followed by the titles of its problems."""
    named = f" ({', '.join(titles)})" if titles else ""
    return DESCRIPTIONS[status] + named


def render(
    status: int,
    title: str,
    detail: str = "",
    invalid_params: InvalidParams = (),
    headers: dict[str, str] | None = None,
    more_invalid_params: int = 0,
) -> JSONResponse:
    """Return a problem document. Its `type` is stable: `urn:earshot:problem:<title-in-kebab-case>`."""
    body: dict[str, Any] = {
        "type": f"urn:earshot:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
    }
    if detail:
        body["detail"] = detail
    if invalid_params:
        body["invalid_params"] = list(invalid_params)
    if more_invalid_params:
        body["more_invalid_params"] = more_invalid_params
    nosniff = {"X-Content-Type-Options": "nosniff"}
    return JSONResponse(body, status, nosniff | (headers or {}), media_type=PROBLEM_JSON)


def install(app: FastAPI) -> None:
    """Let `app` answer every error with a problem document. An unexpected exception is our fault: 503, never 4xx."""

    @app.exception_handler(Problem)
    async def handle_problem(request: Request, problem: Problem) -> JSONResponse:
        return to_response(problem)

    @app.exception_handler(HTTPException)
    async def handle_http_exception(request: Request, error: HTTPException) -> JSONResponse:
        title = ROUTER_TITLES.get(error.status_code) or shorten(str(error.detail), MAX_DETAIL)
        headers = dict(error.headers or {})
        if error.status_code == METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(allowed_methods(app, request.url.path))
        return render(error.status_code, title, headers=headers)

    @app.exception_handler(RequestValidationError)
    async def handle_validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = error.errors()
        query_only = all(e["loc"][:1] == ("query",) for e in errors)
        parameters = [e | {"loc": e["loc"][1:]} for e in errors]  # "limit" instead of "query.limit"
        return to_response((BadRequest if query_only else Unprocessable)(invalid_params=to_invalid_params(parameters)))

    @app.exception_handler(ClientDisconnect)
    async def handle_disconnect(request: Request, error: ClientDisconnect) -> Response:
        CLIENTS_LEFT.inc()
        log.info("client.left", method=request.method, route=getattr(request.scope.get("route"), "path", "unknown"))
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    @app.exception_handler(Exception)
    async def handle_unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("request.failed", path=request.url.path, error=type(error).__name__, exc_info=error)
        context = current_context()  # this handler runs outside of the middleware that adds the header
        # uvicorn closes the connection after an exception: tell the client, or its next request on it fails.
        headers = {"Retry-After": "5", "Connection": "close"} | ({"X-Request-Id": context.request_id} if context else {})
        return render(503, "Unavailable", "an unexpected error in Earshot", headers=headers)


def allowed_methods(app: FastAPI, path: str) -> list[str]:
    """The methods of all routes with this path. The router's own `Allow` names those of the first one alone."""
    contexts = (route for route in iter_route_contexts(app.routes) if route.path_regex.match(path))
    return sorted({method for route in contexts for method in route.methods or ()})


def to_response(problem: Problem) -> JSONResponse:
    """The response of a Problem."""
    params, more = problem.invalid_params, problem.more_invalid_params
    return render(problem.status, problem.title, problem.detail, params, problem.headers, more)


def limit_params(params: InvalidParams) -> tuple[list[dict[str, str]], int]:
    """The first MAX_INVALID_PARAMS of `params`, with their texts shortened, and the number of the others."""
    listed = [
        param | {"name": shorten(param.get("name", ""), MAX_NAME), "reason": shorten(param.get("reason", ""), MAX_REASON)}
        for param in params[:MAX_INVALID_PARAMS]
    ]
    return listed, max(0, len(params) - MAX_INVALID_PARAMS)


def shorten(text: str, length: int) -> str:
    """`text`, shortened to `length` characters with an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "…"


def validation_problem(kind: type[Problem], error: ValidationError, model: Any = None) -> Problem:
    """Convert pydantic's error to a Problem of `kind` that says where and why, never the value.

    `model`, which refused the value, names the fields that are allowed in place of an unknown one. More than MAX_LISTED errors
    are counted and not listed.
    """
    count = error.error_count()
    if count > MAX_LISTED:
        return kind(f"{count} places are wrong", more_invalid_params=count)
    errors = error.errors(include_url=False)[:MAX_INVALID_PARAMS]
    return kind(invalid_params=to_invalid_params(errors, model), more_invalid_params=count - len(errors))


def to_invalid_params(errors: Sequence[Any], model: Any = None) -> list[dict[str, str]]:
    """Convert pydantic's errors to `invalid_params`: where and why, never the value."""
    schema = None if model is None else schema_of_model(model)
    return [{"name": ".".join(str(part) for part in e["loc"]), "reason": reason_of(e, schema)} for e in errors]

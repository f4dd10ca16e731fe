"""Errors that a caller is told of: nouns of the situation, one base with a status, one renderer (RFC 9457).

Problem
├── NotAuthenticated 401   ├── NotFound 404        ├── Unprocessable 422
├── Forbidden 403          ├── TooLarge 413        ├── TooManyRequests 429
├── BadRequest 400         ├── UnsupportedMedia 415└── Unavailable 503
Services derive their own from these.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

log = structlog.get_logger()
InvalidParams = Sequence[dict[str, str]]


class Problem(Exception):
    """A fault to be told to the caller. `detail` must hold no secret and no customer's words or identity."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str = "", *, invalid_params: InvalidParams = (), headers: dict[str, str] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.invalid_params = list(invalid_params)
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
    """We can't serve now and it is our fault; the caller should try again after `retry_after` seconds."""

    status, title = 503, "Unavailable"

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


def render(
    status: int, title: str, detail: str = "", invalid_params: InvalidParams = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem document; its `type` is stable: `urn:earshot:problem:<title-in-kebab-case>`."""
    body: dict[str, Any] = {
        "type": f"urn:earshot:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
    }
    if detail:
        body["detail"] = detail
    if invalid_params:
        body["invalid_params"] = list(invalid_params)
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Let `app` answer every error as a problem document. What is not foreseen is our fault: 503, never 4xx."""

    @app.exception_handler(Problem)
    async def of_problem(request: Request, problem: Problem) -> JSONResponse:
        return render(problem.status, problem.title, problem.detail, problem.invalid_params, problem.headers)

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        return render(error.status_code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> JSONResponse:
        query_only = all(e["loc"][:1] == ("query",) for e in error.errors())
        kind = BadRequest if query_only else Unprocessable
        return render(kind.status, kind.title, invalid_params=places(error.errors()))

    @app.exception_handler(Exception)
    async def of_surprise(request: Request, error: Exception) -> JSONResponse:
        log.error("request.failed", path=request.url.path, error=type(error).__name__, exc_info=error)
        # The server ends a connection whose request failed unforeseen: say so, lest the client sends the next one into the void.
        headers = {"Retry-After": "5", "Connection": "close"}
        return render(503, "Unavailable", "an unexpected fault of ours", headers=headers)


def places(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Pydantic's errors as `invalid_params`: where and why, never the value itself."""
    return [{"name": ".".join(str(part) for part in e["loc"]), "reason": str(e["msg"])} for e in errors]

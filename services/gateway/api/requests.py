"""Reading requests: bounded bodies, and queries and ids that may be forwarded."""

import re
from collections.abc import Collection
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from services.gateway.api.rooms import Room
from shared.problems import BadRequest, NotFound, Problem, TooLarge, Unprocessable, refused
from shared.strict_json import OutOfBounds, check_bounds

KIB = 1024
MIB = 1024 * KIB
DRAINED = 8 * MIB
"""How much of a body that is too large is read and dropped, so that the client hears the answer instead of a reset."""

MOST_VALUES = 100
"""Values of a JSON body that the gateway itself reads; a new key has 10."""

CLEAN_QUERY = re.compile(r"[\x21-\x7e]*")
CLEAN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{0,127}")

Model = TypeVar("Model", bound=BaseModel)


async def body(request: Request, limit: int, room: Room | None = None) -> bytes:
    """The request's body, at most `limit` bytes of it, for which `room` must have space. Raises TooLarge or the room's Problem,
    but only when the client has sent everything, or DRAINED bytes too many: else it would see a reset in place of the answer."""
    parts: list[bytes] = []
    size = 0
    refusal: Problem | None = None
    async for part in request.stream():
        size += len(part)
        if size > limit:
            refusal = TooLarge(f"at most {limit} bytes")
        elif refusal is None and room is not None:
            refusal = room.take(len(part))
        if refusal is None:
            parts.append(part)
        else:
            parts.clear()
        if size > limit + DRAINED:
            break
    if refusal:
        raise refusal
    return b"".join(parts)


async def parsed(request: Request, model: type[Model], limit: int = 64 * KIB) -> Model:
    """The request's JSON body as `model`, an empty one as `{}`; raises BadRequest where it is no JSON or has too many values,
    else Unprocessable."""
    raw = await body(request, limit) or b"{}"
    try:
        check_bounds(raw, MOST_VALUES)
        return model.model_validate_json(raw)
    except OutOfBounds as error:
        raise BadRequest(str(error)) from None
    except ValidationError as error:
        broken = error.error_count() == 1 and error.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid"
        raise refused(BadRequest if broken else Unprocessable, error) from None


def query(request: Request) -> str:
    """The query as it came, for passing on; raises BadRequest where it holds what no URL may hold."""
    raw: str = request.scope["query_string"].decode("latin-1")
    if not CLEAN_QUERY.fullmatch(raw):
        raise BadRequest("the query holds bytes that must be percent-encoded")
    return raw


def only(request: Request, allowed: Collection[str] = ()) -> None:
    """Refuse query parameters that a route doesn't know."""
    if unknown := [name for name in request.query_params if name not in allowed]:
        raise BadRequest(invalid_params=[{"name": name, "reason": "unknown parameter"} for name in unknown])


def clean(identifier: str) -> str:
    """An id from a path, safe to put into another path; what can't be an id of ours is not found."""
    if not CLEAN_ID.fullmatch(identifier):
        raise NotFound
    return identifier

"""What the internal routes ask of every request."""

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from services.ingest.api.body import expect_json, headers_of, read_body
from services.ingest.domain import json
from shared.http import internal_only, internal_tenant
from shared.problems import BadRequest, Unprocessable, refused

M = TypeVar("M", bound=BaseModel)


def tenant_of(request: Request) -> str:
    """The tenant that the gateway speaks for."""
    return internal_tenant(request.app.state.token)(request)


def inside(request: Request) -> None:
    """Only Earshot's own services get past this."""
    internal_only(request.app.state.token)(request)


Tenant = Annotated[str, Depends(tenant_of)]


def known_query(request: Request, names: set[str]) -> None:
    """BadRequest: a query parameter is unknown, given twice, or holds NUL, which is in no id."""
    items = request.query_params.multi_items()
    given = [name for name, _ in items]
    wrong = [{"name": name, "reason": "unknown parameter"} for name in given if name not in names]
    wrong += [{"name": name, "reason": "given more than once"} for name in set(given) & names if given.count(name) > 1]
    wrong += [{"name": name, "reason": "holds NUL"} for name, value in items if "\0" in value]
    if wrong:
        raise BadRequest("the query can't be used", invalid_params=wrong)


def whole(request: Request, name: str) -> int | None:
    """A query parameter that is a number; None where it isn't given. BadRequest: it is something else."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(invalid_params=[{"name": name, "reason": "a whole number"}])
    return int(text)


async def read_json(request: Request) -> Any:
    """The body as a JSON value. BadRequest: it is none."""
    headers = headers_of(request.scope)
    expect_json(headers)
    try:
        return json.parse(await read_body(headers, request.receive, 2 * 1024 * 1024))
    except json.Malformed as error:
        raise BadRequest(str(error)) from None


async def read_model(request: Request, model: type[M]) -> M:
    """The body as `model`. Unprocessable: with the places that don't fit."""
    value = await read_json(request)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise refused(Unprocessable, error) from None

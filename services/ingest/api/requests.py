"""Checks and reads the requests of the internal routes."""

from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from services.ingest.api.body import MIB, expect_json, headers_of, read_body
from services.ingest.api.state import ingest_of
from shared import strict_json as json
from shared.http import TENANT_HEADER, internal_only, internal_tenant
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


async def read_model(request: Request, model: type[M]) -> M:
    """The body as `model`. BadRequest: it is no JSON. Unprocessable: with the places that don't fit."""
    headers, ingest = headers_of(request.scope), ingest_of(request)
    tenant = request.headers.get(TENANT_HEADER, "")
    expect_json(headers)
    with ingest.bodies.share(tenant) as share:
        raw = await read_body(headers, request.receive, share, 2 * MIB)
        try:
            return await ingest.threads.read(tenant, len(raw), lambda: model.model_validate(json.parse(raw)))
        except json.Malformed as error:
            raise BadRequest(str(error)) from None
        except ValidationError as error:
            raise refused(Unprocessable, error) from None

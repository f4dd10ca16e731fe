"""A tenant's API keys: create, list, rotate, revoke. A secret is part of the response that creates it and of no other."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from services.gateway.admin import issue_key
from services.gateway.api import requests
from services.gateway.api.auth import BEARER, require
from services.gateway.api.openapi import refusals
from services.gateway.api.state import gateway_of
from services.gateway.domain.keys import Key, Scope, expand_scopes
from shared.problems import Conflict, Forbidden, NotFound

routes = APIRouter(dependencies=[Depends(BEARER)], prefix="/v1/keys", tags=["keys"], responses=refusals())

Admin = Annotated[Key, Depends(require("admin"))]
Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


def storable(at: datetime) -> datetime:
    """In UTC, where the calendar's first and last day lack some hours of other zones."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("no time of the calendar") from None


Instant = Annotated[AwareDatetime, AfterValidator(storable)]


class NewKey(BaseModel):
    """What a key shall be able to do."""

    model_config = ConfigDict(extra="forbid")
    scopes: list[Scope] = Field(min_length=1, max_length=5)
    name: Name = ""
    expires_at: Instant | None = None

    @field_validator("expires_at")
    @classmethod
    def plausible(cls, at: datetime | None) -> datetime | None:
        """At the calendar's edges an instant has no UTC, and the database no place for it."""
        if at and not 2000 <= at.year < 3000:
            raise ValueError("must lie in this millennium")
        return at


class Rotation(BaseModel):
    """How a key is replaced: the old one works for `overlap` more seconds."""

    model_config = ConfigDict(extra="forbid")
    overlap: int = Field(0, ge=0, le=30 * 24 * 3600)


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


@routes.get("", summary="The tenant's keys, without their secrets")
async def list_keys(request: Request, caller: Admin) -> Response:
    requests.only(request)
    return JSONResponse({"keys": [to_json(key) for key in await gateway_of(request).keys.list_for(caller.tenant)]})


@routes.get("/self", summary="The calling key, and all that it may do")
async def own_key(request: Request, caller: Annotated[Key, Depends(require(None))]) -> Response:
    requests.only(request)
    return JSONResponse(to_json(caller) | {"may": sorted(expand_scopes(caller.scopes))}, headers={"Cache-Control": "no-store"})


@routes.post("", summary="Make a key; its secret is shown this once", status_code=201, openapi_extra=body_of(NewKey))
async def create_key(request: Request, caller: Admin) -> Response:
    requests.only(request)
    wanted = await requests.parsed(request, NewKey)
    check_grant(caller, wanted.scopes)
    gateway = gateway_of(request)
    options = {"expires_at": wanted.expires_at, "limit": gateway.keys_per_tenant}
    return created(*await issue_key(gateway.keys, caller.tenant, set(wanted.scopes), wanted.name, **options))


@routes.post("/{key_id}:rotate", summary="Replace a key by a new one", status_code=201, openapi_extra=body_of(Rotation))
async def rotate_key(request: Request, key_id: str, caller: Admin) -> Response:
    requests.only(request)
    rotation = await requests.parsed(request, Rotation)
    gateway = gateway_of(request)
    keys = gateway.keys
    now = datetime.now(UTC)
    old = await keys.get(caller.tenant, requests.clean(key_id))
    if old is None:
        raise NotFound("there is no such key")
    if not old.is_active(now):
        raise Conflict("the key has ended; create another")
    check_grant(caller, old.scopes)
    end = now + timedelta(seconds=rotation.overlap)
    options = {"expires_at": old.expires_at, "replaces": (old.id, end), "limit": gateway.keys_per_tenant}
    return created(*await issue_key(keys, caller.tenant, old.scopes, old.name, **options))


@routes.delete("/{key_id}", summary="Revoke a key, heard within a second", status_code=204)
async def revoke_key(request: Request, key_id: str, caller: Admin) -> Response:
    requests.only(request)
    if not await gateway_of(request).keys.revoke(caller.tenant, requests.clean(key_id), datetime.now(UTC)):
        raise NotFound("there is no such key")
    return Response(status_code=204)


def check_grant(caller: Key, scopes: list[Scope] | frozenset[str]) -> None:
    """Nobody hands out what they don't hold: an admin without `pii:read` can't make a key that has it."""
    if missing := sorted(set(scopes) - expand_scopes(caller.scopes)):
        raise Forbidden(f"this key can't give the scope {' '.join(missing)}")


def created(key: Key, secret: str) -> Response:
    return JSONResponse(to_json(key) | {"key": secret}, 201, {"Cache-Control": "no-store"})


def to_json(key: Key) -> dict[str, Any]:
    """A key as the API tells of it."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }

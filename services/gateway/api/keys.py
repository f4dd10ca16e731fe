"""A tenant's API keys: create, list, rotate, revoke. A secret is part of the response that creates it and of no other."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from services.gateway.admin import issue_key
from services.gateway.api.auth import require
from services.gateway.api.dependencies import GatewayState
from services.gateway.api.forwarding import checked_id
from services.gateway.domain.keys import Key, Scope, expand_scopes
from shared.bodies import KIB
from shared.problems import (
    BadRequest,
    Conflict,
    Forbidden,
    NotAuthenticated,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unprocessable,
    UnsupportedMedia,
    responses,
)
from shared.routes import JsonBody, TypedRoute

CALLER_PROBLEMS = (BadRequest, NotAuthenticated, Forbidden, TooManyRequests)
BODY_PROBLEMS = (TooLarge, UnsupportedMedia, Unprocessable)
NOT_STORED = {"Cache-Control": "no-store"}

routes = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=TypedRoute)

Admin = Annotated[Key, Depends(require("admin"))]
Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


def to_utc(at: datetime) -> datetime:
    """The instant in UTC. Raises ValueError if UTC has no such date: the calendar's first and last day are shorter there."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("not in the calendar") from None


Instant = Annotated[AwareDatetime, AfterValidator(to_utc)]


class NewKey(BaseModel):
    """The scopes, name and end of a new key."""

    model_config = ConfigDict(extra="forbid")
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=5,
        description="What the key may do. `admin` includes every scope but `pii:read`. A key can't grant a scope that it lacks",
        examples=[["metrics:read", "records:read"]],
    )
    name: Name = Field("", description="What the key is for", examples=["Wallboard"])
    expires_at: Instant | None = Field(
        None, description="When the key expires, within the years 2000 to 2999; null: never", examples=["2030-01-01T00:00:00Z"]
    )

    @field_validator("expires_at")
    @classmethod
    def _is_plausible(cls, at: datetime | None) -> datetime | None:
        if at and not 2000 <= at.year < 3000:
            raise ValueError("must be in the years 2000 to 2999")
        return at


class Rotation(BaseModel):
    """How a key is replaced."""

    model_config = ConfigDict(extra="forbid")
    overlap: int = Field(0, ge=0, le=30 * 24 * 3600, description="Seconds for which the old key stays active", examples=[86_400])


def small_body(model: type[BaseModel]) -> Any:
    """A dependency that reads a small JSON body as `model`. The media type is not checked, and an empty body is `{}`."""
    return JsonBody(model, max_bytes=64 * KIB, max_values=100, any_media_type=True, empty=b"{}")


class KeyInfo(BaseModel):
    """An API key without its secret."""

    id: str = Field(examples=["key_3f9a"])
    name: str = Field(examples=["Wallboard"])
    prefix: str = Field(description="The beginning of the secret, which tells keys apart", examples=["esk_Zm9vYm"])
    scopes: list[Scope] = Field(examples=[["metrics:read"]])
    created_at: str = Field(description="RFC 3339", json_schema_extra={"format": "date-time"})
    expires_at: str | None = Field(description="RFC 3339; null: never", json_schema_extra={"format": "date-time"})
    revoked_at: str | None = Field(description="RFC 3339; null: not revoked", json_schema_extra={"format": "date-time"})


class CallingKey(KeyInfo):
    """The key of the request."""

    may: list[Scope] = Field(description="All scopes that `scopes` include", examples=[["metrics:read"]])


class KeyWithSecret(KeyInfo):
    """A new API key."""

    key: str = Field(description="The secret, which no other response holds", examples=["esk_" + 43 * "x"])


class KeyList(BaseModel):
    """The tenant's keys, oldest first; of those that have ended the newest 1,000."""

    keys: list[KeyInfo]


@routes.get(
    "",
    operation_id="list_keys",
    summary="List the tenant's keys, without their secrets",
    responses=responses(*CALLER_PROBLEMS),
)
async def list_keys(gateway: GatewayState, caller: Admin) -> KeyList:
    """Active keys, and of the expired and revoked ones the newest 1,000."""
    return KeyList(keys=[KeyInfo(**to_json(key)) for key in await gateway.keys.list_for(caller.tenant)])


@routes.get(
    "/self",
    operation_id="get_own_key",
    summary="The calling key and its scopes",
    responses=responses(*CALLER_PROBLEMS),
)
async def get_own_key(response: Response, caller: Annotated[Key, Depends(require(None))]) -> CallingKey:
    """Any active key may call this."""
    response.headers.update(NOT_STORED)
    return CallingKey(**to_json(caller), may=sorted(expand_scopes(caller.scopes)))


@routes.post(
    "",
    operation_id="create_key",
    status_code=201,
    summary="Create a key",
    responses=responses(*CALLER_PROBLEMS, *BODY_PROBLEMS, Conflict),
)
async def create_key(
    gateway: GatewayState,
    response: Response,
    caller: Admin,
    new: Annotated[NewKey, small_body(NewKey)],
) -> KeyWithSecret:
    """Only this response holds the secret. 409: the tenant has as many active keys as it may have."""
    check_grant(caller, new.scopes)
    options = {"expires_at": new.expires_at, "limit": gateway.keys_per_tenant}
    key, secret = await issue_key(gateway.keys, caller.tenant, set(new.scopes), new.name, **options)
    response.headers.update(NOT_STORED)
    return KeyWithSecret(**to_json(key), key=secret)


@routes.post(
    "/{key_id}:rotate",
    operation_id="rotate_key",
    status_code=201,
    summary="Replace a key by a new one with the same name, scopes and expiry",
    responses=responses(*CALLER_PROBLEMS, *BODY_PROBLEMS, NotFound, Conflict),
)
async def rotate_key(
    gateway: GatewayState,
    response: Response,
    key_id: str,
    caller: Admin,
    rotation: Annotated[Rotation, small_body(Rotation)],
) -> KeyWithSecret:
    """Only this response holds the secret. 409: the key has expired or was revoked, or the tenant has as many active keys as it
    may have."""
    now = datetime.now(UTC)
    old = await gateway.keys.get(caller.tenant, checked_id(key_id))
    if old is None:
        raise NotFound("there is no such key")
    if not old.is_active(now):
        raise Conflict("the key has expired or was revoked; create another")
    check_grant(caller, old.scopes)
    end = now + timedelta(seconds=rotation.overlap)
    options = {"expires_at": old.expires_at, "replaces": (old.id, end), "limit": gateway.keys_per_tenant}
    key, secret = await issue_key(gateway.keys, caller.tenant, old.scopes, old.name, **options)
    response.headers.update(NOT_STORED)
    return KeyWithSecret(**to_json(key), key=secret)


@routes.delete(
    "/{key_id}",
    operation_id="revoke_key",
    status_code=204,
    summary="Revoke a key",
    responses=responses(*CALLER_PROBLEMS, NotFound),
)
async def revoke_key(gateway: GatewayState, key_id: str, caller: Admin) -> Response:
    """The key stops working within a second. Revoking it again changes nothing."""
    if not await gateway.keys.revoke(caller.tenant, checked_id(key_id), datetime.now(UTC)):
        raise NotFound("there is no such key")
    return Response(status_code=204)


def check_grant(caller: Key, scopes: list[Scope] | frozenset[str]) -> None:
    """Raises Forbidden if the caller lacks one of `scopes`: an admin without `pii:read` can't create a key that has it."""
    if missing := sorted(set(scopes) - expand_scopes(caller.scopes)):
        raise Forbidden(f"this key can't grant the scope {' '.join(missing)}")


def to_json(key: Key) -> dict[str, object]:
    """The fields of KeyInfo."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }

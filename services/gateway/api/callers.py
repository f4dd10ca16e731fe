"""The caller of a request: the key in `Authorization`, its tenant, its scopes."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fastapi import Request
from fastapi.security import HTTPBearer

from services.gateway.api.limits import client_network
from services.gateway.api.state import Gateway, gateway_of
from services.gateway.domain.keys import Key, Scope, bearer, digest
from shared.problems import Forbidden, NotAuthenticated

BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="An API key, `esk_…`")
"""Only for the OpenAPI document; the check is `caller_with`'s."""


def caller_with(scope: Scope | None) -> Callable[[Request], Awaitable[Key]]:
    """A dependency: the caller's key, which must carry `scope`; None: any key. Raises 401 without a working key, 429, or 403."""

    async def dependency(request: Request) -> Key:
        gateway = gateway_of(request)
        key = await authenticated(request, gateway)
        request.state.caller = key
        request.state.rate_limit = gateway.limits.take(key.tenant, key.id)
        if scope and not key.may(scope):
            raise Forbidden(f"this key lacks the scope {scope}")
        return key

    return dependency


async def authenticated(request: Request, gateway: Gateway) -> Key:
    """The usable key of a request. Guessing is slowed by address: raises TooManyRequests before a look-up. A key that has ended
    is no guess, since whoever sends it knows a secret of ours."""
    authorization = request.headers.get("authorization", "")
    if not authorization:
        return usable(None)
    secret = bearer(authorization)
    hashed = digest(secret) if secret else None
    address = client_network(request.client.host if request.client else "")
    gateway.guesses.begin(address, hashed)
    key = await gateway.keyring.look_up(hashed) if hashed else None
    if key and hashed:
        gateway.guesses.succeed(address, hashed)
    return usable(key)


async def known(gateway: Gateway, authorization: str) -> Key:
    """The usable key of an `Authorization` header that was authenticated before. Raises NotAuthenticated when it has ended."""
    secret = bearer(authorization)
    return usable(await gateway.keyring.look_up(digest(secret)) if secret else None)


def usable(key: Key | None) -> Key:
    """The key, if it works now. The caller does not learn why one does not."""
    if key is None or not key.usable(datetime.now(UTC)):
        raise NotAuthenticated("send a valid API key: Authorization: Bearer esk_…", headers={"WWW-Authenticate": "Bearer"})
    return key

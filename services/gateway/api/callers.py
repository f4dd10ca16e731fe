"""Who calls: the key in `Authorization`, its tenant, its scopes."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fastapi import Request
from fastapi.security import HTTPBearer

from services.gateway.api.state import Gateway, gateway_of
from services.gateway.domain.keys import Key, Scope, bearer, digest
from shared.problems import Forbidden, NotAuthenticated

BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="An API key, `esk_…`")
"""Only for the OpenAPI document; the check is `caller_with`'s."""


def caller_with(scope: Scope | None) -> Callable[[Request], Awaitable[Key]]:
    """A dependency: the caller's key, which must carry `scope`; None: any key. Raises 401 without a working key, 429, or 403."""

    async def dependency(request: Request) -> Key:
        key = await known(gateway_of(request), request.headers.get("authorization", ""))
        request.state.caller = key
        request.state.rate_limit = gateway_of(request).limits.take(key.id)
        if scope and not key.may(scope):
            raise Forbidden(f"this key lacks the scope {scope}")
        return key

    return dependency


async def known(gateway: Gateway, authorization: str) -> Key:
    """The usable key of an `Authorization` header. Why one doesn't work is not told."""
    secret = bearer(authorization)
    key = await gateway.keyring.look_up(digest(secret)) if secret else None
    if key is None or not key.usable(datetime.now(UTC)):
        raise NotAuthenticated("send a valid API key: Authorization: Bearer esk_…", headers={"WWW-Authenticate": "Bearer"})
    return key

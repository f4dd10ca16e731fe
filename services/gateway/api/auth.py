"""Authentication and authorisation by API key, within rate limits."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fastapi import Request

from services.gateway.api.dependencies import Gateway, gateway_of
from services.gateway.api.limits import client_network
from services.gateway.domain.keys import Key, Scope, digest, parse_bearer
from shared.problems import Forbidden, NotAuthenticated


def require(scope: Scope | None) -> Callable[[Request], Awaitable[Key]]:
    """A dependency that returns the caller's key, which must have `scope` (None: any active key). The OpenAPI document names it.

    Raises NotAuthenticated without an active key, TooManyRequests at a rate limit, Forbidden without the scope.
    """

    async def dependency(request: Request) -> Key:
        gateway = await gateway_of(request)  # a dependency of its own would cost each request some microseconds
        key = await authenticate(request, gateway)
        request.state.caller = key
        request.state.tenant = key.tenant
        request.state.rate_limit = gateway.limits.take(key.tenant, key.id)
        if scope and not key.has(scope):
            raise Forbidden(f"this key lacks the scope {scope}")
        return key

    dependency.required_scope = scope  # type: ignore[attr-defined]
    return dependency


async def authenticate(request: Request, gateway: Gateway) -> Key:
    """The active key of a request.

    Failed attempts are limited by client address, before the look-up. An expired or revoked key is not a failed attempt: its
    holder knows a secret that we issued.
    """
    authorization = request.headers.get("authorization", "")
    if not authorization:
        return _active(None)
    secret = parse_bearer(authorization)
    hashed = digest(secret) if secret else None
    address = client_network(request.client.host if request.client else "")
    gateway.guesses.begin(address, hashed)
    key = await gateway.key_cache.get(hashed) if hashed else None
    if key and hashed:
        gateway.guesses.succeed(address, hashed)
    return _active(key)


async def authenticate_again(gateway: Gateway, authorization: str) -> Key:
    """The active key of an `Authorization` header that was authenticated before. Raises NotAuthenticated if the key has ended."""
    secret = parse_bearer(authorization)
    return _active(await gateway.key_cache.get(digest(secret)) if secret else None)


def _active(key: Key | None) -> Key:
    """The key if it is active now. The error doesn't say why it is not."""
    if key is None or not key.is_active(datetime.now(UTC)):
        raise NotAuthenticated("send a valid API key: Authorization: Bearer esk_…", headers={"WWW-Authenticate": "Bearer"})
    return key

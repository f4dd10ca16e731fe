"""How often a key, a tenant and an address may call: token buckets in this process. With several replicas each has its own, so
that a caller may use up to so many times the rate as there are replicas."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.domain.bucket import Bucket, Rate, give_back, take, wait
from shared.problems import TooManyRequests

CAPACITY = 10_000
"""Buckets that are remembered of each kind. One that is forgotten starts full again."""


class Buckets:
    """The token buckets of the names seen last, all with one rate."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, name: str) -> tuple[Bucket, bool]:
        """Take a token: the bucket after it, and whether there was one."""
        bucket, allowed = take(self._buckets.get(name), self.rate, self._clock())
        self._buckets[name] = bucket
        self._buckets.move_to_end(name)
        if len(self._buckets) > CAPACITY:
            self._buckets.popitem(last=False)
        return bucket, allowed

    def give_back(self, name: str) -> None:
        """Put a token back that was taken for nothing."""
        if bucket := self._buckets.get(name):
            self._buckets[name] = give_back(bucket, self.rate)

    def __len__(self) -> int:
        return len(self._buckets)


class Limits:
    """The rates of keys and of tenants, told in the `RateLimit` headers of draft-ietf-httpapi-ratelimit-headers."""

    def __init__(self, of_key: Rate, of_tenant: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = Buckets(of_key, clock)
        self._tenants = Buckets(of_tenant, clock)

    def take(self, tenant: str, key_id: str) -> dict[str, str]:
        """Count a request of this key; returns the headers that tell how many are left. Raises TooManyRequests when the key, or
        all keys of the tenant together, call too often."""
        of_key, key_may = self._keys.take(key_id)
        if not key_may:
            headers = told([("key", of_key, self._keys.rate)])
            raise TooManyRequests("this key calls too often", headers=headers | retry_after(of_key, self._keys.rate))
        of_tenant, tenant_may = self._tenants.take(tenant)
        headers = told([("key", of_key, self._keys.rate), ("tenant", of_tenant, self._tenants.rate)])
        if not tenant_may:
            self._keys.give_back(key_id)
            refusal = "the keys of this tenant together call too often"
            raise TooManyRequests(refusal, headers=headers | retry_after(of_tenant, self._tenants.rate))
        return headers


def told(buckets: list[tuple[str, Bucket, Rate]]) -> dict[str, str]:
    """The `RateLimit` headers of these policies: how many requests are left, and the seconds until the bucket is full again."""
    policies, left = [], []
    for name, bucket, rate in buckets:
        policies.append(f'"{name}";q={rate.burst};w={math.ceil(rate.burst / rate.per_second)}')
        full = math.ceil((rate.burst - bucket.tokens) / rate.per_second)
        left.append(f'"{name}";r={int(bucket.tokens)};t={full}')
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}


def retry_after(bucket: Bucket, rate: Rate) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(wait(bucket, rate)) or 1)}


class Guesses:
    """How many unknown keys an address may send. A key that was recently found to be a key is exempt, so that whoever guesses
    from behind the same proxy or router does not shut out its users."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses = Buckets(rate, clock)
        self._found: OrderedDict[bytes, None] = OrderedDict()

    def begin(self, address: str, digest: bytes | None) -> None:
        """Take a token for a look-up of the key with this digest (None: it can't be a key). Raises TooManyRequests before any
        look-up, so that it costs next to nothing. `succeed` gives the token back."""
        if digest in self._found:
            return
        bucket, may = self._addresses.take(address)
        if not may:
            headers = retry_after(bucket, self._addresses.rate)
            raise TooManyRequests("too many invalid keys from this address", headers=headers)

    def succeed(self, address: str, digest: bytes) -> None:
        """The key is known: it was no guess."""
        if digest not in self._found:
            self._addresses.give_back(address)
        self._found[digest] = None
        self._found.move_to_end(digest)
        if len(self._found) > CAPACITY:
            self._found.popitem(last=False)


def client_network(host: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 network of 64 bits, of which one customer has all."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


class RateLimitHeaders:
    """ASGI middleware: adds the headers that `Limits.take` returned, kept in the request's state, to the response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name, value in scope.get("state", {}).get("rate_limit", {}).items():
                    MutableHeaders(scope=message)[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)

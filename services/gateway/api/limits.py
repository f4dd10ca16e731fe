"""Rate limits of keys, tenants and client addresses: token buckets in this process.

Each replica has its own buckets, so with n replicas a caller may use up to n times the rate.
"""

import math
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from cachetools import LRUCache

from services.gateway.domain.bucket import Bucket, Rate, give_back, seconds_until_token, take
from shared.problems import TooManyRequests

CAPACITY = 10_000
"""Buckets of each kind in memory. The least recently used one is dropped, and starts full again."""


class Buckets:
    """Token buckets by name, all with one rate."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._buckets: LRUCache[str, Bucket] = LRUCache(CAPACITY)

    def take(self, name: str) -> tuple[Bucket, bool]:
        """Take a token: the bucket after it, and whether there was one."""
        bucket, allowed = take(self._buckets.get(name), self.rate, self._clock())
        self._buckets[name] = bucket
        return bucket, allowed

    def give_back(self, name: str) -> None:
        """Return a token."""
        if bucket := self._buckets.get(name):
            self._buckets[name] = give_back(bucket, self.rate)

    def __len__(self) -> int:
        return len(self._buckets)


class RateLimits:
    """Rate limits of keys and of tenants, with the `RateLimit` headers of draft-ietf-httpapi-ratelimit-headers."""

    def __init__(self, per_key: Rate, per_tenant: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = Buckets(per_key, clock)
        self._tenants = Buckets(per_tenant, clock)

    def take(self, tenant: str, key_id: str) -> dict[str, str]:
        """Count a request of this key; returns the `RateLimit` headers.

        Raises TooManyRequests if the key, or all keys of the tenant together, exceed their rate.
        """
        of_key, key_allowed = self._keys.take(key_id)
        if not key_allowed:
            headers = _headers([("key", of_key, self._keys.rate)])
            detail = "rate limit of this key exceeded; retry after Retry-After seconds"
            raise TooManyRequests(detail, headers=headers | _retry_after(of_key, self._keys.rate))
        of_tenant, tenant_allowed = self._tenants.take(tenant)
        headers = _headers([("key", of_key, self._keys.rate), ("tenant", of_tenant, self._tenants.rate)])
        if not tenant_allowed:
            self._keys.give_back(key_id)
            detail = "rate limit of all keys of this tenant exceeded; retry after Retry-After seconds"
            raise TooManyRequests(detail, headers=headers | _retry_after(of_tenant, self._tenants.rate))
        return headers


def _headers(policies: list[tuple[str, Bucket, Rate]]) -> dict[str, str]:
    """The `RateLimit` headers: for each policy the remaining requests, and the seconds until the bucket is full again."""
    quotas, remaining = [], []
    for name, bucket, rate in policies:
        quotas.append(f'"{name}";q={rate.burst};w={math.ceil(rate.burst / rate.per_second)}')
        full = math.ceil((rate.burst - bucket.tokens) / rate.per_second)
        remaining.append(f'"{name}";r={int(bucket.tokens)};t={full}')
    return {"RateLimit-Policy": ", ".join(quotas), "RateLimit": ", ".join(remaining)}


def _retry_after(bucket: Bucket, rate: Rate) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(seconds_until_token(bucket, rate)) or 1)}


class GuessLimit:
    """Limits how many unknown keys an address may send. Keys that were recently valid are exempt, so that guesses from
    behind a proxy don't lock out its other users."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses = Buckets(rate, clock)
        self._known: LRUCache[bytes, bool] = LRUCache(CAPACITY)

    def begin(self, address: str, digest: bytes | None) -> None:
        """Take a token for the look-up of a key with this digest (None: not the format of a key). `succeed` returns it.

        Raises TooManyRequests before the look-up, so that a refusal costs next to nothing.
        """
        if digest and self._known.get(digest):
            return
        bucket, allowed = self._addresses.take(address)
        if not allowed:
            headers = _retry_after(bucket, self._addresses.rate)
            raise TooManyRequests("too many invalid keys from this address", headers=headers)

    def succeed(self, address: str, digest: bytes) -> None:
        """The key exists: return the token, and exempt the key."""
        if digest not in self._known:
            self._addresses.give_back(address)
        self._known[digest] = True


def client_network(host: str) -> str:
    """The unit that counts as one address: an IPv4 address, or an IPv6 network of 64 bits, because one customer has all of it."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)

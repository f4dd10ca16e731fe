"""How often a key may come: a token bucket for each, in this process, told in the `RateLimit` headers of
draft-ietf-httpapi-ratelimit-headers."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.domain.bucket import Bucket, Rate, take, wait
from shared.problems import TooManyRequests

CAPACITY = 10_000


class Limits:
    """The buckets of the keys seen last. One that is forgotten starts full again, which only a flood of keys can bring about."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key_id: str) -> dict[str, str]:
        """Take a token for this key; returns the headers that tell how many are left. Raises TooManyRequests."""
        bucket, allowed = take(self._buckets.get(key_id), self._rate, self._clock())
        self._buckets[key_id] = bucket
        self._buckets.move_to_end(key_id)
        if len(self._buckets) > CAPACITY:
            self._buckets.popitem(last=False)
        headers = self._headers(bucket)
        if not allowed:
            seconds = math.ceil(wait(bucket, self._rate)) or 1
            raise TooManyRequests("this key comes too often", headers={**headers, "Retry-After": str(seconds)})
        return headers

    def _headers(self, bucket: Bucket) -> dict[str, str]:
        rate = self._rate
        window = math.ceil(rate.burst / rate.per_second)
        full = math.ceil((rate.burst - bucket.tokens) / rate.per_second)
        return {
            "RateLimit-Policy": f'"key";q={rate.burst};w={window}',
            "RateLimit": f'"key";r={int(bucket.tokens)};t={full}',
        }


class RateLimitHeaders:
    """ASGI middleware: puts what `Limits.take` said, kept in the request's state, on whatever answer the request gets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                for name, value in scope.get("state", {}).get("rate_limit", {}).items():
                    MutableHeaders(scope=message)[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)

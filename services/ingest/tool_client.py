"""Calls the APIs of tools: one request at a time, with time-outs, a bounded answer and no redirects.

It logs no URL and no body.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from cachetools import TTLCache

from services.ingest.domain.api_outcome import Failure, failure_of_status
from services.ingest.domain.providers.tool_api import Fetch, TokenRequest
from services.ingest.instruments import API_CALL_SECONDS
from services.ingest.threads import FairThreads
from shared import strict_json
from shared.version import VERSION

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 10.0
"""Longest wait for the next bytes of an answer."""
CALL_SECONDS = 20.0
"""Longest whole call, so that a tool that sends one byte at a time does not delay others."""
MAX_ANSWER_BYTES = 2 * 1024 * 1024
"""Of the decoded body. The details of a survey with 1,000 questions have about 1 MB."""

ANSWERS = (httpx.codes.OK, httpx.codes.MULTI_STATUS)
"""Statuses of usable answers; 207: some of the objects that a batch names do not exist."""

SHARED_SECONDS = 60.0
"""How long an answer that many deliveries share is cached."""
SHARED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf a call is made. `headers` authorize it, so they are never shown."""

    tenant: str
    connection: str
    provider: str
    base_url: str
    headers: Mapping[str, str] = field(repr=False)


class ToolClient:
    """One HTTP client for all tools. `override` replaces the base URL of every tool, for tests."""

    def __init__(
        self,
        threads: FairThreads,
        now: Callable[[], datetime],
        override: str | None = None,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._threads = threads
        self._now = now
        self._override = override
        self._call_seconds = call_seconds
        self._shared: TTLCache[tuple[str, str], bytes] = TTLCache(SHARED_BYTES, SHARED_SECONDS, getsizeof=len)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(min(SILENCE_SECONDS, call_seconds), connect=min(CONNECT_SECONDS, call_seconds)),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30),
            headers={"user-agent": f"Earshot/{VERSION}", "accept": "application/json"},
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(self, caller: Caller, fetch: Fetch) -> Any:
        """The JSON document, which may come from the cache if it is shared.

        Raises Failure, with the outcome of the call, if there is none.
        """
        url = self._url(caller.base_url, fetch)
        key = (caller.connection, url)
        cached = self._shared.get(key) if fetch.shared else None
        if cached is not None:
            return await self._parse(caller, cached)
        outcome, began = "ok", time.perf_counter()
        try:
            raw = await self._read(url, caller.headers, fetch.body)
            document = await self._parse(caller, raw)
        except Failure as failure:
            outcome = failure.label
            raise
        finally:
            API_CALL_SECONDS.labels(caller.provider, outcome).observe(time.perf_counter() - began)
        if fetch.shared:
            self._shared[key] = raw
        return document

    async def exchange(self, caller: Caller, request: TokenRequest) -> Any:
        """The JSON answer of a token endpoint. Raises Failure if there is none: `stop` if it refuses the credentials."""
        url = f"{self._override or request.base_url}{request.path}"
        outcome, began = "ok", time.perf_counter()
        try:
            return await self._parse(caller, await self._read(url, {}, form=request.form))
        except Failure as failure:
            outcome = failure.label
            if failure.action in ("retry", "wait"):
                raise
            raise Failure(
                "stop", "unauthorized", f"{failure.reason}: the tool gives no access token for the credentials"
            ) from None
        finally:
            API_CALL_SECONDS.labels(caller.provider, outcome).observe(time.perf_counter() - began)

    def _url(self, base_url: str, fetch: Fetch) -> str:
        query = f"?{urlencode(fetch.query)}" if fetch.query else ""
        return f"{self._override or base_url}{fetch.path}{query}"

    async def _read(
        self,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body of the answer to a GET, or to a POST if there is a body or a form. Raises Failure."""
        method = "GET" if body is None and form is None else "POST"
        content = {"json": body} if body is not None else {"data": form}
        try:
            async with (
                asyncio.timeout(self._call_seconds),
                self._http.stream(method, url, headers=dict(headers), **content) as response,
            ):
                if response.status_code not in ANSWERS:
                    raise failure_of_status(response.status_code, response.headers.get("retry-after", ""), self._now())
                return await read_bounded(response)
        except (httpx.TimeoutException, TimeoutError):
            raise Failure("retry", "timeout", "the tool's API did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Failure("retry", "broken", f"the call to the tool's API broke ({type(error).__name__})") from None

    async def _parse(self, caller: Caller, raw: bytes) -> Any:
        return await self._threads.read(caller.tenant, len(raw), lambda: parse_answer(raw))


async def read_bounded(response: httpx.Response) -> bytes:
    """The decoded body. Raises Failure if it is longer than MAX_ANSWER_BYTES."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise Failure("quarantine", "too_large", f"the answer of the tool's API is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def parse_answer(raw: bytes) -> Any:
    """The JSON of an answer. Raises Failure if it is not JSON: a truncated answer may be complete at the next attempt."""
    try:
        return strict_json.parse(raw)
    except strict_json.OutOfBounds:
        raise Failure("quarantine", "too_large", "the answer of the tool's API has too many values") from None
    except strict_json.Malformed:
        raise Failure("retry", "malformed", "the answer of the tool's API is no JSON") from None

"""Fetches the documents of a tool's API on behalf of a connection, with an access token if its credentials are exchanged for one.

Access tokens are kept in memory until they expire, never in the database: only the credentials are stored, encrypted.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakValueDictionary

from cachetools import TTLCache
from pydantic import ValidationError

from services.ingest.domain.api_outcome import Failure
from services.ingest.domain.connection import Connection
from services.ingest.domain.providers.payload import Unusable
from services.ingest.domain.providers.provider import ToolApi, ToolHistory
from services.ingest.domain.providers.tool_api import Documents, Fetch, TokenRequest
from services.ingest.store.connections import StoredCredentials
from services.ingest.tool_client import Caller, ToolClient

MOST_TOKENS = 10_000
LONGEST_SECONDS = 3600.0
"""A new token is requested after this time, even if the former one would be valid for longer."""
DEFAULT_SECONDS = 300.0
"""How long a token is used if the response of the token endpoint does not state its lifetime."""
EARLY_SECONDS = 60.0
"""A token is not used in its last minute."""

Missing = Callable[[Documents], Sequence[Fetch]]
"""The calls that are still missing, given the documents of earlier ones."""
Api = ToolApi[Any] | ToolHistory[Any]


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and until when it is used, by the monotonic clock."""

    text: str = field(repr=False)
    ends_at: float


class ToolCalls:
    """The calls of all connections of a process."""

    def __init__(self, client: ToolClient) -> None:
        self._client = client
        self._tokens: TTLCache[tuple[str, bytes], Token] = TTLCache(MOST_TOKENS, LONGEST_SECONDS)
        self._exchanging: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def documents(
        self, connection: Connection, credentials: StoredCredentials, api: Api, missing: Missing, most: int
    ) -> Documents:
        """All documents that the provider asks for, step by step. Raises Failure or Unusable if the tool does not give them."""
        documents: dict[str, object] = {}
        caller = await self._caller(connection, credentials, api)
        is_renewed = False
        while fetches := missing(documents):
            if len(documents) + len(fetches) > most:
                raise Unusable(f"more than {most} calls are needed")
            for fetch in fetches:
                try:
                    documents[fetch.name] = await self._document(caller, fetch)
                except Failure as failure:
                    if failure.label != "unauthorized" or is_renewed or not self._forget_token(connection, credentials):
                        raise
                    is_renewed, caller = True, await self._caller(connection, credentials, api)
                    documents[fetch.name] = await self._document(caller, fetch)
        return documents

    async def _document(self, caller: Caller, fetch: Fetch) -> object:
        try:
            return await self._client.get(caller, fetch)
        except Failure as failure:
            if fetch.optional and failure.label in ("forbidden", "not_found", "too_large"):
                return None
            raise

    async def _caller(self, connection: Connection, stored: StoredCredentials, api: Api) -> Caller:
        """The base URL and the headers of calls. Raises Failure if the credentials can't be used."""
        try:
            credentials = api.credentials.model_validate(stored.values)
        except ValidationError:
            reason = "the stored credentials are not those that this version needs: set `credentials` anew"
            raise Failure("stop", "unauthorized", reason) from None
        caller = Caller(connection.tenant, connection.id, connection.provider, api.base_url(credentials), {})
        if request := credentials.token_request():
            credentials = credentials.with_token(await self._token(caller, stored, request))
        return replace(caller, headers=api.headers(credentials))

    async def _token(self, caller: Caller, stored: StoredCredentials, request: TokenRequest) -> str:
        """The access token of the credentials, from memory or by an exchange. One exchange of a connection runs at a time."""
        lock = self._exchanging.setdefault(caller.connection, asyncio.Lock())
        key = (caller.connection, stored.encrypted)
        async with lock:
            token = self._tokens.get(key)
            if token is None or token.ends_at <= time.monotonic():
                token = self._tokens[key] = read_token(await self._client.exchange(caller, request), time.monotonic())
            return token.text

    def _forget_token(self, connection: Connection, stored: StoredCredentials) -> bool:
        """Forget a token that the tool refuses. False if the credentials are not exchanged for one."""
        return self._tokens.pop((connection.id, stored.encrypted), None) is not None


def read_token(answer: Any, now: float) -> Token:
    """The token in the answer of a token endpoint. Raises Failure if it has none."""
    match answer:
        case {"access_token": str(text)} if text.isascii() and text.isprintable() and text:
            seconds = answer.get("expires_in")
            valid = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else DEFAULT_SECONDS
            return Token(text, now + max(valid - EARLY_SECONDS, valid / 2))
        case _:
            raise Failure("retry", "malformed", "the answer of the tool's token endpoint has no `access_token`")

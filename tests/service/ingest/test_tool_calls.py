"""Calls of a tool's API with an access token, against a local server that answers as Help Scout's does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.domain.api_outcome import Failure
from services.ingest.domain.providers import PROVIDERS
from services.ingest.domain.providers.helpscout.threads import HelpScoutSettings
from services.ingest.domain.providers.tool_api import Documents, Fetch
from services.ingest.store.connections import StoredCredentials
from services.ingest.threads import FairThreads
from services.ingest.tool_calls import ToolCalls
from services.ingest.tool_client import ToolClient
from tests.fake_tool_api import Answer, FakeToolApi, running_tool_api
from tests.unit.ingest.making import connection
from tests.unit.ingest.test_helpscout_threads import THREADS, page

TOOL = connection("helpscout", mapping=HelpScoutSettings(fetch_threads=True))
TOKEN, PATH = "/v2/oauth2/token", "/v2/conversations/1/threads?page=1"
FORM = {"grant_type": "client_credentials", "client_id": "the-app-id", "client_secret": "the-app-secret"}


@dataclass
class Tool:
    """Help Scout's API, and the calls of one process. `expires_in` is what a token's answer says."""

    api: FakeToolApi
    calls: ToolCalls
    expires_in: Any = 172_800
    tokens: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)

    def exchange(self, form: dict[str, str]) -> Any:
        self.forms.append(form)
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        return {"token_type": "bearer", "access_token": self.tokens[-1], "expires_in": self.expires_in}

    async def threads(self, secret: str = "the-app-secret") -> Documents:
        api = PROVIDERS["helpscout"].api
        assert api
        values = {"client_id": "the-app-id", "client_secret": secret}

        def missing(documents: Documents) -> list[Fetch]:
            return [] if documents else [Fetch("threads", "/v2/conversations/1/threads", {"page": "1"})]

        return await self.calls.documents(TOOL, StoredCredentials(values, secret.encode()), api, missing, 5)


@pytest.fixture
async def tool() -> AsyncIterator[Tool]:
    async with running_tool_api() as api:
        client = ToolClient(FairThreads(), lambda: datetime.now(UTC), api.url, 5.0)
        tool = Tool(api, ToolCalls(client))
        api.documents |= {TOKEN: tool.exchange, PATH: page(*THREADS)}
        yield tool
        await client.close()


async def test_calls_at_the_same_time_share_one_exchange(tool: Tool) -> None:
    results = await asyncio.gather(*(tool.threads() for _ in range(4)))
    assert [result["threads"] for result in results] == [page(*THREADS)] * 4
    assert (tool.tokens, tool.forms) == (["token-1"], [FORM])
    assert {authorization for path, authorization in tool.api.calls if path == PATH} == {"Bearer token-1"}


async def test_a_token_that_ends_is_exchanged_anew(tool: Tool) -> None:
    tool.expires_in = 0.001
    await tool.threads()
    await asyncio.sleep(0.01)
    await tool.threads()
    assert tool.tokens == ["token-1", "token-2"]


async def test_a_refused_token_is_exchanged_once_more_and_then_the_calls_stop(tool: Tool) -> None:
    tool.api.queue(PATH, Answer(401, {}))
    await tool.threads()
    assert tool.tokens == ["token-1", "token-2"]
    tool.api.queue(PATH, Answer(401, {}), Answer(401, {}))
    with pytest.raises(Failure) as refused:
        await tool.threads()
    assert (refused.value.action, tool.tokens) == ("stop", ["token-1", "token-2", "token-3"])


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        (Answer(401, {"error": "invalid_client"}), "stop"),
        (Answer(400, {"error": "invalid_request"}), "stop"),
        (Answer(429, {}, {"retry-after": "5"}), "wait"),
        (Answer(503, {}), "retry"),
        (Answer(200, {"token_type": "bearer"}), "retry"),
        (Answer(200, b'{"access_to', missing_bytes=5), "retry"),
    ],
)
async def test_every_answer_of_the_token_endpoint_has_one_outcome(tool: Tool, answer: Answer, action: str) -> None:
    tool.api.queue(TOKEN, answer)
    with pytest.raises(Failure) as failure:
        await tool.threads()
    assert failure.value.action == action
    assert "the-app-secret" not in f"{failure.value!r} {failure.value}"


async def test_other_credentials_of_the_connection_are_exchanged_by_themselves(tool: Tool) -> None:
    await tool.threads()
    await tool.threads("another-secret")
    assert [form["client_secret"] for form in tool.forms] == ["the-app-secret", "another-secret"]

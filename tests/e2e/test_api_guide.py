"""The examples of docs/api.md run against the stack and return what the page shows."""

import asyncio
import json

from tests.e2e.guide import blocks_of, differences, request_of
from tests.e2e.stack import Stack, until

PAGE = "docs/api.md"


async def test_the_examples_of_the_guide_return_what_the_page_shows(stack: Stack) -> None:
    _, key = await stack.new_tenant("guide")
    variables = {"BASE": stack.gateway_url, "KEY": key}
    called = 0
    content: object = None
    for block in blocks_of(PAGE):
        for call in block.calls:
            response = await stack.http.send(request_of(call, variables))
            assert response.status_code < 500, f"{PAGE}:{block.line}: {response.text}"
            content = response.json() if "json" in response.headers["content-type"] else response.text
            called += 1
            if "r-1042" in call:
                await until_counted(stack, key)
        match block.language:
            case "json":
                assert differences(json.loads(block.text), content) == [], f"{PAGE}:{block.line}"
            case "python":
                await asyncio.to_thread(exec, compile(block.text, f"{PAGE}:{block.line}", "exec"), dict(variables))
    assert called > 8


async def until_counted(stack: Stack, key: str) -> None:
    async def counted() -> bool:
        page = await stack.get("/v1/kpis/nps", key=key, window="90d")
        return bool(page.json()["rows"][0]["n"] == 1)

    await until(counted, description="the record counted")

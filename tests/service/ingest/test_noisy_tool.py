"""One connection with many webhooks in progress: it gets 503, and others are served."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.bodies import MIB
from tests.conftest import NewDatabase
from tests.service.ingest.client import IngestClient, running_ingest
from tests.signing import standard
from tests.unit.ingest.making import nps, response

REQUESTS = 10
"""Requests in progress of the process."""
OF_ONE_TOOL = 6
"""Of a connection alone."""


@pytest.fixture
async def small(database: NewDatabase) -> AsyncIterator[IngestClient]:
    """An ingest with room for REQUESTS requests."""
    async with running_ingest(await database("ingest"), request_limit=REQUESTS) as client:
        await client.call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "UTC"})
        yield client


def slow_post(client: IngestClient, connection: dict[str, str], number: int, size: int, release: asyncio.Event) -> asyncio.Task[
    httpx.Response
]:  # fmt: skip
    """A delivery of `size` bytes whose last byte is sent after `release`."""
    record = response(nps(9), id=f"slow-{number}")
    body = json.dumps({"data": record}).encode().ljust(size)
    headers = standard(connection["secret"], body, delivery=f"slow-{number}") | {"content-length": str(len(body))}

    async def parts() -> AsyncIterator[bytes]:
        yield body[:-1]
        await release.wait()
        yield body[-1:]

    return asyncio.create_task(client.http.post(f"/v1/hooks/{connection['id']}", content=parts(), headers=headers))


async def first_refused(posts: list[asyncio.Task[httpx.Response]]) -> httpx.Response:
    done, _ = await asyncio.wait(posts, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    [post] = done
    return post.result()


async def test_a_tool_with_many_requests_in_progress_is_503_and_another_tool_is_served(small: IngestClient) -> None:
    noisy, quiet, release = await small.connect(), await small.connect(), asyncio.Event()
    posts = [slow_post(small, noisy, number, 400, release) for number in range(OF_ONE_TOOL + 1)]
    refused = await first_refused(posts)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert "this connection has too many requests" in refused.json()["detail"]
    assert await small.deliver_record(quiet, response(nps(9))) == "accepted"
    release.set()
    assert sorted(answer.status_code for answer in await asyncio.gather(*posts)) == [202] * (len(posts) - 1) + [503]
    assert await small.deliver_record(noisy, response(nps(9))) == "accepted"


async def test_a_tool_with_large_bodies_in_progress_is_503_and_another_tool_of_its_tenant_is_served(ingest: IngestClient) -> None:
    noisy, quiet, release = await ingest.connect(), await ingest.connect(), asyncio.Event()
    posts = [slow_post(ingest, noisy, number, MIB, release) for number in range(9)]
    refused = await first_refused(posts)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert "large bodies of this connection" in refused.json()["detail"]
    large = slow_post(ingest, quiet, 100, MIB, release)
    release.set()
    assert (await large).status_code == 202
    assert sorted(answer.status_code for answer in await asyncio.gather(*posts)) == [202] * 8 + [503]

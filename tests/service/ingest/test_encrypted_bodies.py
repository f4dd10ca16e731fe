"""Ingest with encrypted bodies: every route and worker that reads a stored body reads it as before."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import NewDatabase
from tests.contract.inbox import until
from tests.service.ingest.client import TENANTS, IngestClient, running_ingest
from tests.service.ingest.test_health import RATING, change, submission
from tests.service.ingest.test_idempotency import is_refused, post
from tests.service.ingest.test_pausing import has_events, pause
from tests.service.ingest.test_quarantine import items
from tests.service.ingest.test_reread import reread
from tests.unit.ingest.making import nps, response

BODIES = "SELECT raw, body_key FROM inbox WHERE tenant = $1 ORDER BY seq"


@pytest.fixture(scope="module")
async def plain_and_encrypting(database: NewDatabase) -> AsyncIterator[tuple[IngestClient, IngestClient]]:
    """Two applications over one database: before and after bodies are encrypted."""
    url = await database("ingest")
    async with (
        running_ingest(url, connection_cache_seconds=0) as plain,
        running_ingest(url, connection_cache_seconds=0, encrypt_bodies=True) as encrypting,
    ):
        yield plain, encrypting


@pytest.fixture
async def replicas(plain_and_encrypting: tuple[IngestClient, IngestClient]) -> tuple[IngestClient, IngestClient]:
    """Both, with a tenant of their own."""
    tenant = f"tenant-e{next(TENANTS)}"
    plain, encrypting = [replace(one, tenant=tenant) for one in plain_and_encrypting]
    encrypting.broker.sent.clear()
    await plain.call("PUT", f"/internal/tenants/{tenant}", json={"name": "Acme", "zone": "Europe/Berlin"})
    return plain, encrypting


async def stored_bodies(ingest: IngestClient) -> list[tuple[bytes | None, int | None]]:
    return [(row[0], row[1]) for row in await ingest.app.state.reads.fetch(BODIES, ingest.tenant)]


async def test_plain_and_encrypted_bodies_are_returned_and_retried(replicas: tuple[IngestClient, IngestClient]) -> None:
    plain, ingest = replicas
    connection = await ingest.connect()
    for replica, words in ((plain, b"{first"), (ingest, b"{second")):
        assert (await replica.deliver(connection, words)).json() == {"status": "quarantined"}
    (first, no_key), (second, key) = await stored_bodies(ingest)
    assert (first, no_key) == (b"{first", None)
    assert second
    assert key
    assert b"second" not in second
    returned = [(await ingest.call("GET", f"/v1/quarantine/{item['id']}")).json()["body"] for item in await items(ingest)]
    assert returned == ["{second", "{first"]
    for item in await items(ingest):
        answer = await ingest.call("POST", f"/v1/quarantine/{item['id']}:retry")
        assert answer.json()["status"] == "quarantined"
    assert await stored_bodies(ingest) == [(first, None), (second, key)], "a retry in vain leaves the bodies"


async def test_held_deliveries_are_released_and_read_again(replicas: tuple[IngestClient, IngestClient]) -> None:
    plain, ingest = replicas
    connection = await ingest.connect("typeform")
    await pause(ingest, connection, True)
    for number, replica in enumerate((plain, ingest)):
        assert (await replica.deliver(connection, submission(f"t-{number}"))).json() == {"status": "held"}
    await pause(ingest, connection, False)
    await until(lambda: has_events(ingest, 2))
    events = [event for replica in replicas for event in replica.broker.events if event.tenant == ingest.tenant]
    await until(lambda: is_unqueued(ingest))
    assert len(events) <= 2
    await change(ingest, connection, mapping=RATING)
    assert await reread(ingest, connection=connection["id"]) == 2
    values = [[answer.value for answer in event.body.answers] for event in await ingest.events()]  # type: ignore[union-attr]
    assert values == [[4], [4]]


async def is_unqueued(ingest: IngestClient) -> bool:
    """Whether all events of the tenant are published."""
    return bool(
        await ingest.app.state.reads.fetchval("SELECT NOT EXISTS (SELECT FROM unpublished WHERE tenant = $1)", ingest.tenant)
    )


async def test_a_used_key_is_compared_with_the_content_of_its_encrypted_body(
    replicas: tuple[IngestClient, IngestClient],
) -> None:
    _, ingest = replicas
    assert (await post(ingest, response(nps(9)))).json()["status"] == "accepted"
    assert (await post(ingest, response(nps(9)))).json()["status"] == "duplicate"
    assert (await post(ingest, dict(reversed(response(nps(9)).items())))).json()["status"] == "duplicate"
    for other in (response(nps(3)), response(nps(10))):
        assert is_refused(await post(ingest, other))


async def test_an_erasure_searches_encrypted_bodies_and_deletes_their_keys(
    replicas: tuple[IngestClient, IngestClient],
) -> None:
    _, ingest = replicas
    connection = await ingest.connect()
    await ingest.deliver_record(connection, response(nps(9), customer={"id": "anna"}))
    await ingest.deliver_record(connection, response(nps(9), id="r-2", customer={"id": "ben"}))
    broken = json.dumps({"data": response(nps(11), id="r-3", customer={"id": "anna"})}).encode()
    assert (await ingest.deliver(connection, broken)).json() == {"status": "quarantined"}
    keys = [key for _, key in await stored_bodies(ingest)]
    assert None not in keys
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "anna"}}
    assert await ingest.deliver_record(connection, erasure) == "accepted"

    async def left() -> list[int]:
        rows = await ingest.app.state.reads.fetch("SELECT id FROM body_keys WHERE id = ANY($1::bigint[])", keys)
        return [row[0] for row in rows]

    async def only_bens_is_left() -> bool:
        return await left() == [keys[1]]

    await until(only_bens_is_left)
    assert [raw is not None for raw, _ in await stored_bodies(ingest)][:3] == [False, True, False]


async def test_a_reread_counts_a_body_without_its_key_as_deleted(replicas: tuple[IngestClient, IngestClient]) -> None:
    _, ingest = replicas
    connection = await ingest.connect("typeform")
    for number in range(2):
        await ingest.deliver(connection, submission(f"t-{number}"))
    await until(lambda: is_unqueued(ingest))
    [(_, key), _] = await stored_bodies(ingest)
    await ingest.app.state.reads.execute("DELETE FROM body_keys WHERE id = $1", key)
    await change(ingest, connection, mapping=RATING)
    await reread(ingest, connection=connection["id"])
    [job] = (await ingest.call("GET", "/v1/jobs")).json()["items"]
    assert job["results"] == {"changed": 1, "deleted": 1}
    answers: list[Any] = [event.body.answers for event in await ingest.events()]  # type: ignore[union-attr]
    assert [len(of_one) for of_one in answers] == [0, 1]

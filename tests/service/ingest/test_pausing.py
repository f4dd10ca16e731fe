"""A paused connection holds its deliveries unread. Once it is active they count, each once, also with two replicas."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conftest import NewDatabase
from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient, running_ingest
from tests.unit.ingest.making import nps, response


async def held(ingest: IngestClient, connection: dict[str, Any]) -> int:
    count: int = (await ingest.call("GET", f"/v1/connections/{connection['id']}")).json()["held"]
    return count


async def pause(ingest: IngestClient, connection: dict[str, Any], paused: bool, **changes: Any) -> None:
    answer = await ingest.call("PATCH", f"/v1/connections/{connection['id']}", json={"paused": paused, **changes})
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def two_replicas(database: NewDatabase) -> AsyncIterator[tuple[IngestClient, IngestClient]]:
    """Two applications over one database; the second caches connections for a second."""
    url = await database("ingest")
    async with (
        running_ingest(url, connection_cache_seconds=0) as first,
        running_ingest(url, connection_cache_seconds=1) as second,
    ):
        await first.call("PUT", "/internal/tenants/acme", json={"name": "Acme", "zone": "Europe/Berlin"})
        yield first, second


async def test_deliveries_are_held_while_paused_and_released_in_their_order(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await pause(ingest, connection, True)
    for number in range(3):
        assert await ingest.deliver_record(connection, response(nps(number)), delivery=f"msg_{number}") == "held"
    assert await ingest.deliver_record(connection, response(nps(0)), delivery="msg_0") == "duplicate"
    assert await held(ingest, connection) == 3
    listed = (await ingest.call("GET", "/v1/connections")).json()["connections"]
    assert [one["held"] for one in listed] == [0, 3]
    assert (await ingest.call("GET", "/v1/quarantine")).json()["items"] == []
    assert await ingest.events() == []
    await pause(ingest, connection, False)
    await until(lambda: has_events(ingest, 3))
    assert [event.statement for event in await ingest.events()] == ["msg_0#0", "msg_1#0", "msg_2#0"]
    assert await held(ingest, connection) == 0
    assert {event.statement for event in ingest.broker.events} <= {"msg_0#0", "msg_1#0", "msg_2#0"}
    await until(lambda: is_sent(ingest, 3))


async def has_events(ingest: IngestClient, count: int) -> bool:
    return len(await ingest.events()) >= count


async def is_sent(ingest: IngestClient, count: int) -> bool:
    return len({event.statement for event in ingest.broker.events}) >= count


async def test_held_deliveries_are_read_under_the_current_mapping_or_quarantined(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await pause(ingest, connection, True)
    await ingest.deliver_record(connection, response(nps(9)), delivery="msg_1")
    await ingest.deliver_record(connection, response(nps(11)), delivery="msg_2")
    await pause(ingest, connection, False, dimensions={"region": "AT"})
    await until(lambda: has_events(ingest, 1))
    [event] = await ingest.events()
    assert (event.dimensions, event.revision) == ({"region": "AT"}, 2)
    [item] = (await ingest.call("GET", "/v1/quarantine")).json()["items"]
    assert (item["delivery"], item["reason"]) == ("msg_2", "answers.0.value: outside its scale 0..10")


async def test_a_held_erasure_is_carried_out_in_order(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await pause(ingest, connection, True)
    anna = {"id": "anna"}
    await ingest.deliver_record(connection, response(nps(9), customer=anna))
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": anna}
    assert await ingest.deliver_record(connection, erasure) == "held"
    await ingest.deliver_record(connection, response(nps(9), id="r-2", customer={"id": "ben"}))
    await pause(ingest, connection, False)
    await until(lambda: has_events(ingest, 2))
    await until(lambda: is_empty(ingest, connection))
    kinds = {event.subject.rpartition("/")[2]: type(event.body).__name__ for event in await ingest.events()}
    assert kinds == {"r-1": "Tombstone", "r-2": "Response"}


async def is_empty(ingest: IngestClient, connection: dict[str, Any]) -> bool:
    return await held(ingest, connection) == 0


async def test_a_deleted_connection_drops_its_held_deliveries_and_their_bodies(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await pause(ingest, connection, True)
    await ingest.deliver_record(connection, response(nps(9)))
    await ingest.call("DELETE", f"/v1/connections/{connection['id']}")
    read = "SELECT verdict, raw, headers FROM inbox WHERE connection = $1"

    async def dropped() -> bool:
        row = await ingest.app.state.reads.fetchrow(read, connection["id"])
        return tuple(row) == ("ignored", None, "{}")

    await until(dropped)
    assert await ingest.events() == []


async def test_trying_a_delivery_of_a_paused_connection_returns_its_later_result(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await pause(ingest, connection, True)
    body = json.dumps({"data": response(nps(9))})
    tried = (await ingest.call("POST", f"/v1/connections/{connection['id']}:test", json={"body": body})).json()
    assert (tried["status"], tried["records"]) == ("accepted", [response(nps(9))])


async def test_unpausing_while_two_replicas_receive_releases_each_delivery_once(
    two_replicas: tuple[IngestClient, IngestClient],
) -> None:
    first, _ = two_replicas
    connection = await first.connect()
    await pause(first, connection, True)
    total = 120
    statuses: list[str] = []

    async def post(number: int) -> None:
        replica = two_replicas[number % 2]
        statuses.append(await replica.deliver_record(connection, response(nps(9), id=f"r-{number}"), delivery=f"msg_{number}"))

    for number in range(total // 2):
        await post(number)
    assert set(statuses) == {"held"}
    unpausing = asyncio.create_task(pause(first, connection, False))
    for number in range(total // 2, total):
        await post(number)
    await unpausing
    assert statuses[total // 2 :].count("held") > 0, "the second replica goes on holding while its cache says paused"
    await until(lambda: has_events(first, total))
    await until(lambda: is_empty(first, connection))
    events = await first.events()
    assert sorted(event.subject for event in events) == sorted(f"{connection['id']}/response/r-{n}" for n in range(total))


async def test_a_change_takes_effect_as_a_whole_or_not_at_all(ingest: IngestClient) -> None:
    """The database refuses the new secret: name, mapping and state stay as they were, and nothing is released."""
    connection = await ingest.connect()
    await pause(ingest, connection, True)
    assert await ingest.deliver_record(connection, response(nps(9))) == "held"
    before = (await ingest.call("GET", f"/v1/connections/{connection['id']}")).json()
    await ingest.app.state.reads.execute(f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON connections FOR EACH ROW
        WHEN (NEW.id = '{connection["id"]}' AND NEW.sealed_secrets <> OLD.sealed_secrets) EXECUTE FUNCTION refuse()""")
    try:
        change = {"name": "new", "secret": None, "paused": False, "dimensions": {"region": "AT"}}
        answer = await ingest.call("PATCH", f"/v1/connections/{connection['id']}", json=change)
        assert answer.status_code == 503
    finally:
        await ingest.app.state.reads.execute("DROP FUNCTION refuse CASCADE")
    assert (await ingest.call("GET", f"/v1/connections/{connection['id']}")).json() == before
    assert before["held"] == 1
    assert await ingest.events() == []

"""What Earshot's own services ask of ingest: tenants, events, how far it has come, and again."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from shared.events import decode_event
from tests.service.ingest.door import TOKEN, Door, opened
from tests.unit.ingest.making import nps, response

INSIDE = {"authorization": f"Bearer {TOKEN}"}


async def published(door: Door, count: int) -> None:
    async with asyncio.timeout(10):
        while len([e for e in door.broker.events if e.tenant == door.tenant]) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_tenant_is_made_once_and_keeps_its_built_in_connection_and_its_pseudonyms(door: Door) -> None:
    await door.call("POST", "/v1/feedback", json=response(nps(9), customer={"id": "c"}))
    before = (await door.call("GET", "/v1/connections")).json()["connections"]
    answer = await door.call("PUT", f"/internal/tenants/{door.tenant}", json={"name": "Renamed", "zone": "Europe/Paris"})
    assert answer.status_code == 204
    assert (await door.call("GET", "/v1/connections")).json()["connections"] == before
    await door.call("POST", "/v1/feedback", json=response(nps(8), customer={"id": "c"}))
    assert len({event.customer for event in await door.events()}) == 1


async def test_a_customer_of_two_tenants_goes_by_two_names(door: Door) -> None:
    other = replace(door, tenant=f"{door.tenant}-b")
    await other.call("PUT", f"/internal/tenants/{other.tenant}", json={"name": "Other", "zone": "UTC"})
    for one in (door, other):
        await one.call("POST", "/v1/feedback", json=response(nps(9), customer={"id": "c"}))
    names = {event.customer for one in (door, other) for event in await one.events()}
    assert len(names) == 2
    assert None not in names


@pytest.mark.parametrize("tenant", ["UPPER", "a" * 41, "a_b", "ä"])
async def test_a_tenants_id_is_a_slug(door: Door, tenant: str) -> None:
    assert (await door.call("PUT", f"/internal/tenants/{tenant}", json={"name": "x", "zone": "UTC"})).status_code == 422
    assert (await door.call("PUT", f"/internal/tenants/{door.tenant}", json={"name": "x"})).status_code == 422


async def test_internal_routes_are_shut_to_others(door: Door) -> None:
    for method, path in (
        ("GET", "/internal/events"),
        ("GET", "/internal/head"),
        ("POST", "/internal/replay"),
        ("PUT", "/internal/tenants/x"),
    ):
        assert (await door.http.request(method, path, json={})).status_code == 401


async def test_events_stream_in_order_and_head_says_how_far(door: Door) -> None:
    for number in range(5):
        await door.call("POST", "/v1/feedback", json=response(nps(number), id=f"r-{number}"))
    head = (await door.http.get("/internal/head", headers=INSIDE)).json()
    events = await door.events()
    assert [event.body.answers[0].value for event in events] == [0, 1, 2, 3, 4]  # type: ignore[union-attr]
    assert head["seq"] == events[-1].seq
    assert await door.events(after=events[1].seq, upto=events[3].seq) == events[2:4]
    assert await door.events(limit=2) == events[:2]
    for query in ({"after": "x"}, {"limit": "-1"}, {"colour": "1"}):
        assert (await door.call("GET", "/internal/events", params=query)).status_code == 400


async def test_what_is_taken_is_published_and_a_replay_publishes_it_again(door: Door) -> None:
    await door.call("POST", "/v1/feedback", json=response(nps(9)))
    await published(door, 1)
    assert (
        await door.http.post("/internal/replay", json={"since": None, "tenant": door.tenant}, headers=INSIDE)
    ).status_code == 200
    await published(door, 2)
    answer = await door.call("POST", "/v1/replay", json={"since": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()) == (202, {"deliveries": 1})
    await published(door, 3)
    mine = {message.value for message in door.broker.sent if decode_event(message.value).tenant == door.tenant}
    assert len(mine) == 1
    none = await door.call("POST", "/v1/replay", json={"until": "2020-01-01T00:00:00Z"})
    assert none.json() == {"deliveries": 0}


async def test_a_replay_can_be_narrowed_to_a_connection_or_a_subject(door: Door) -> None:
    connection = await door.connect()
    await door.say(connection, response(nps(9)))
    await door.call("POST", "/v1/feedback", json=response(nps(9)))
    await published(door, 2)
    await asyncio.sleep(0.1)
    for narrowed in ({"connection": connection["id"]}, {"subject": f"{connection['id']}/response/r-1"}):
        assert (await door.call("POST", "/v1/replay", json=narrowed)).json() == {"deliveries": 1}
        await published(door, len(door.broker.events) + 1)
        await asyncio.sleep(0.1)


async def test_with_the_broker_away_all_is_taken_and_arrives_later(door: Door) -> None:
    door.broker.unavailable = True
    try:
        for number in range(3):
            answer = await door.call("POST", "/v1/feedback", json=response(nps(number), id=f"r-{number}"))
            assert answer.status_code == 202
        assert (await door.http.get("/readyz")).status_code == 200
        assert (await door.http.get("/internal/head", headers=INSIDE)).json()["unpublished"] >= 3
    finally:
        door.broker.unavailable = False
    await published(door, 3)


async def test_without_a_database_it_lives_says_so_and_answers_503_with_retry_after() -> None:
    async with opened("postgresql+asyncpg://nobody@127.0.0.1:1/nothing") as door:
        assert (await door.http.get("/livez")).status_code == 200
        ready = await door.http.get("/readyz")
        assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])
        answers: list[httpx.Response] = [
            await door.http.post(f"/v1/hooks/con_{0:032x}", content=b"{}"),
            await door.call("POST", "/v1/feedback", json=response(nps(9))),
            await door.call("POST", "/v1/feedback:batch", json=[response(nps(9))]),
            await door.call("GET", "/v1/connections"),
            await door.call("GET", "/v1/quarantine"),
            await door.call("GET", "/internal/events"),
            await door.call("GET", "/internal/head"),
            await door.call("PUT", "/internal/tenants/acme", json={"name": "x", "zone": "UTC"}),
        ]
        assert {(answer.status_code, answer.headers.get("retry-after")) for answer in answers} == {(503, "5")}
        assert (await door.http.get("/livez")).status_code == 200


async def test_what_became_of_deliveries_is_counted(door: Door) -> None:
    async def counted() -> float:
        lines = (await door.http.get("/metrics")).text.splitlines()
        name = 'earshot_ingest_deliveries_total{outcome="duplicate"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    before = await counted()
    for _ in range(3):
        await door.call("POST", "/v1/feedback", json=response(nps(9)))
    assert await counted() == before + 2

"""The routes for Earshot's own services: tenants, events, the head of the inbox, replays."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from shared.events import decode_event
from tests.contract.inbox import until
from tests.service.ingest.client import TOKEN, IngestClient, running_ingest
from tests.unit.ingest.making import nps, response

INTERNAL = {"authorization": f"Bearer {TOKEN}"}


async def wait_for_published(ingest: IngestClient, count: int) -> None:
    """Wait until so many events of the tenant are published, at most for 10 seconds."""
    async with asyncio.timeout(10):
        while len([e for e in ingest.broker.events if e.tenant == ingest.tenant]) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def wait_for_empty_outbox(ingest: IngestClient) -> None:
    """Wait until ingest has stored that all events are published. A replay leaves out those that still wait."""

    async def is_empty() -> bool:
        head = await ingest.http.get("/internal/head", headers=INTERNAL)
        return bool(head.json()["unpublished"] == 0)

    await until(is_empty)


async def test_a_tenant_is_created_once_and_keeps_its_built_in_connection_and_its_pseudonyms(ingest: IngestClient) -> None:
    await ingest.call("POST", "/v1/feedback", json=response(nps(9), customer={"id": "c"}))
    before = (await ingest.call("GET", "/v1/connections")).json()["connections"]
    answer = await ingest.call("PUT", f"/internal/tenants/{ingest.tenant}", json={"name": "Renamed", "zone": "Europe/Paris"})
    assert answer.status_code == 204
    assert (await ingest.call("GET", "/v1/connections")).json()["connections"] == before
    await ingest.call("POST", "/v1/feedback", json=response(nps(8), customer={"id": "c"}))
    assert len({event.customer for event in await ingest.events()}) == 1


async def test_a_customer_of_two_tenants_has_two_pseudonyms(ingest: IngestClient) -> None:
    other = replace(ingest, tenant=f"{ingest.tenant}-b")
    await other.call("PUT", f"/internal/tenants/{other.tenant}", json={"name": "Other", "zone": "UTC"})
    for one in (ingest, other):
        await one.call("POST", "/v1/feedback", json=response(nps(9), customer={"id": "c"}))
    names = {event.customer for one in (ingest, other) for event in await one.events()}
    assert len(names) == 2
    assert None not in names


@pytest.mark.parametrize("tenant", ["UPPER", "a" * 41, "a_b", "ä"])
async def test_a_tenants_id_is_a_slug(ingest: IngestClient, tenant: str) -> None:
    assert (await ingest.call("PUT", f"/internal/tenants/{tenant}", json={"name": "x", "zone": "UTC"})).status_code == 422
    assert (await ingest.call("PUT", f"/internal/tenants/{ingest.tenant}", json={"name": "x"})).status_code == 422


async def test_internal_routes_need_the_internal_token(ingest: IngestClient) -> None:
    for method, path in (
        ("GET", "/internal/events"),
        ("GET", "/internal/head"),
        ("GET", "/internal/latest"),
        ("POST", "/internal/replay"),
        ("PUT", "/internal/tenants/x"),
    ):
        assert (await ingest.http.request(method, path, json={})).status_code == 401


async def test_events_are_streamed_in_order_up_to_the_head(ingest: IngestClient) -> None:
    for number in range(5):
        await ingest.call("POST", "/v1/feedback", json=response(nps(number), id=f"r-{number}"))
    head = (await ingest.http.get("/internal/head", headers=INTERNAL)).json()
    events = await ingest.events()
    assert [event.body.answers[0].value for event in events] == [0, 1, 2, 3, 4]  # type: ignore[union-attr]
    assert head["seq"] == events[-1].seq
    assert (await ingest.http.get("/internal/latest", headers=INTERNAL)).json() == {"seq": head["seq"]}
    assert await ingest.events(after=events[1].seq, upto=events[3].seq) == events[2:4]
    assert await ingest.events(limit=2) == events[:2]
    for query in ({"after": "x"}, {"limit": "-1"}, {"colour": "1"}):
        assert (await ingest.call("GET", "/internal/events", params=query)).status_code == 400


async def test_stored_events_are_published_and_a_replay_publishes_them_again(ingest: IngestClient) -> None:
    await ingest.call("POST", "/v1/feedback", json=response(nps(9)))
    await wait_for_published(ingest, 1)
    await wait_for_empty_outbox(ingest)
    assert (
        await ingest.http.post("/internal/replay", json={"since": None, "tenant": ingest.tenant}, headers=INTERNAL)
    ).status_code == 202
    await wait_for_published(ingest, 2)
    await wait_for_empty_outbox(ingest)
    answer = await ingest.call("POST", "/v1/replay", json={"since": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["deliveries"]) == (202, 1)
    await wait_for_published(ingest, 3)
    mine = {message.value for message in ingest.broker.sent if decode_event(message.value).tenant == ingest.tenant}
    assert len(mine) == 1
    none = await ingest.call("POST", "/v1/replay", json={"until": "2020-01-01T00:00:00Z"})
    assert none.json()["deliveries"] == 0


async def test_the_progress_of_a_replay_can_be_read_and_a_repeated_request_adds_none(ingest: IngestClient) -> None:
    await ingest.call("POST", "/v1/feedback", json=response(nps(9)))
    await wait_for_published(ingest, 1)
    await wait_for_empty_outbox(ingest)
    body = {"id": "after-the-outage", "since": "2020-01-01T00:00:00Z"}
    answers = [await ingest.call("POST", "/v1/replay", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json() == {
        "id": "after-the-outage", "state": "done", "deliveries": 1, "job": None, "deleted_before": None
    }  # fmt: skip
    await wait_for_published(ingest, 2)
    assert answers[0].headers["location"] == "/v1/replay/after-the-outage"
    replay = (await ingest.call("GET", "/v1/replay/after-the-outage")).json()
    assert (replay["state"], replay["deliveries"], replay["progress"]) == ("done", 1, 1.0)
    assert (replay["since"], replay["until"]) == ("2020-01-01T00:00:00Z", None)
    assert replay["finished_at"] >= replay["created_at"]
    other = replace(ingest, tenant=f"{ingest.tenant}-b")
    assert (await other.call("GET", "/v1/replay/after-the-outage")).status_code == 404
    assert (await ingest.call("GET", "/v1/replay/%20")).status_code == 422
    assert (await ingest.call("POST", "/v1/replay", json={"id": "after-the-outage"})).status_code == 409
    assert (await ingest.call("POST", "/v1/replay", json={"id": "a/b"})).status_code == 422


async def test_a_replay_by_the_key_of_a_service_is_added_again_once_it_has_begun(ingest: IngestClient) -> None:
    headers = {**INTERNAL, "Idempotency-Key": f"metrics:{ingest.tenant}"}

    async def request() -> str:
        answer = await ingest.http.post("/internal/replay", json={"since": "2100-01-01T00:00:00Z"}, headers=headers)
        assert answer.status_code == 202
        return str(answer.json()["id"])

    assert await request() == f"metrics:{ingest.tenant}"

    async def is_done() -> bool:
        answer = await ingest.http.get(f"/internal/replay/metrics:{ingest.tenant}", headers=INTERNAL)
        return bool(answer.json()["state"] == "done")

    await until(is_done)
    assert await request() != f"metrics:{ingest.tenant}"
    assert (await ingest.http.get("/internal/replay/unknown", headers=INTERNAL)).status_code == 404
    bad = {**INTERNAL, "Idempotency-Key": "a b"}
    assert (await ingest.http.post("/internal/replay", json={"since": None}, headers=bad)).status_code == 422


async def test_a_replay_can_be_narrowed_to_a_connection_or_a_subject(ingest: IngestClient) -> None:
    connection = await ingest.connect()
    await ingest.deliver_record(connection, response(nps(9)))
    await ingest.call("POST", "/v1/feedback", json=response(nps(9)))
    await wait_for_published(ingest, 2)
    await wait_for_empty_outbox(ingest)
    for count, narrowed in ((3, {"connection": connection["id"]}), (4, {"subject": f"{connection['id']}/response/r-1"})):
        assert (await ingest.call("POST", "/v1/replay", json=narrowed)).json()["deliveries"] == 1
        await wait_for_published(ingest, count)
        await wait_for_empty_outbox(ingest)


async def test_without_kafka_deliveries_are_accepted_and_published_later(ingest: IngestClient) -> None:
    ingest.broker.unavailable = True
    try:
        for number in range(3):
            answer = await ingest.call("POST", "/v1/feedback", json=response(nps(number), id=f"r-{number}"))
            assert answer.status_code == 202
        assert (await ingest.http.get("/readyz")).status_code == 200
        assert (await ingest.http.get("/internal/head", headers=INTERNAL)).json()["unpublished"] >= 3
    finally:
        ingest.broker.unavailable = False
    await wait_for_published(ingest, 3)


async def test_without_a_database_it_is_live_and_not_ready_and_answers_503_with_retry_after() -> None:
    async with running_ingest("postgresql+asyncpg://nobody@127.0.0.1:1/nothing") as ingest:
        assert (await ingest.http.get("/livez")).status_code == 200
        ready = await ingest.http.get("/readyz")
        assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])
        answers: list[httpx.Response] = [
            await ingest.http.post(f"/v1/hooks/con_{0:032x}", content=b"{}"),
            await ingest.call("POST", "/v1/feedback", json=response(nps(9))),
            await ingest.call("POST", "/v1/feedback:batch", json=[response(nps(9))]),
            await ingest.call("GET", "/v1/connections"),
            await ingest.call("GET", "/v1/quarantine"),
            await ingest.call("GET", "/internal/events"),
            await ingest.call("GET", "/internal/head"),
            await ingest.call("GET", "/internal/latest"),
            await ingest.call("PUT", "/internal/tenants/acme", json={"name": "x", "zone": "UTC"}),
        ]
        assert {(answer.status_code, answer.headers.get("retry-after")) for answer in answers} == {(503, "5")}
        assert (await ingest.http.get("/livez")).status_code == 200


async def test_outcomes_of_deliveries_are_counted_by_provider(ingest: IngestClient) -> None:
    async def counted(provider: str, outcome: str) -> float:
        lines = (await ingest.http.get("/metrics")).text.splitlines()
        name = f'earshot_ingest_deliveries_total{{outcome="{outcome}",provider="{provider}"}} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    connection = await ingest.connect()
    kinds = [
        ("api", "duplicate"),
        ("api", "refused"),
        ("standard", "refused"),
        ("standard", "quarantined"),
        ("unknown", "refused"),
    ]
    before = [await counted(*kind) for kind in kinds]
    for _ in range(3):
        await ingest.call("POST", "/v1/feedback", json=response(nps(9)))
    await ingest.call("POST", "/v1/feedback", json=response(nps(11)))
    await ingest.call("POST", "/v1/feedback:batch", json=[response(nps(11)), 5, response(nps(9))])
    await ingest.http.post(f"/v1/hooks/{connection['id']}", content=b"{}")
    await ingest.deliver(connection, b"{}")
    await ingest.http.post("/v1/hooks/con_never", content=b"{}")
    assert [await counted(*kind) - number for kind, number in zip(kinds, before, strict=True)] == [3, 3, 1, 1, 1]

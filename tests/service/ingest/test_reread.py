"""`POST /v1/replay` with `reread`: stored bodies are read again under the current settings of their connection."""

from collections.abc import Mapping, Sequence
from typing import Any

from structlog.testing import capture_logs

from shared.events import decode_event
from shared.request_context import add_to_log, parse_record_headers
from tests.contract.inbox import until
from tests.service.ingest.client import IngestClient
from tests.service.ingest.test_health import RATING, change, health, submission
from tests.unit.ingest.making import nps, response


async def reread(ingest: IngestClient, **selection: Any) -> int:
    """Ask for a replay and wait until it is done. Returns the number of deliveries that it read."""
    answer = await ingest.call("POST", "/v1/replay", json={"reread": True, **selection})
    assert answer.status_code == 202, answer.text

    async def is_done() -> bool:
        job = (await ingest.call("GET", f"/v1/jobs/{answer.json()['job']}")).json()
        return bool(job["state"] == "done")

    await until(is_done)
    return int(answer.json()["deliveries"])


async def published(ingest: IngestClient, count: int) -> None:
    """Wait until so many events of the tenant are published."""

    async def is_published() -> bool:
        return len([event for event in ingest.broker.events if event.tenant == ingest.tenant]) >= count

    await until(is_published)


async def test_a_question_that_is_mapped_later_comes_in(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    for number in range(3):
        await ingest.deliver(connection, submission(f"t-{number}"))
    before = await ingest.events()
    assert [event.body.answers for event in before] == [()] * 3  # type: ignore[union-attr]
    await published(ingest, 3)
    await change(ingest, connection, mapping=RATING)
    assert await reread(ingest, connection=connection["id"]) == 3
    events = await ingest.events()
    assert [event.body.answers[0].value for event in events] == [4, 4, 4]  # type: ignore[union-attr]
    assert [(e.seq, e.statement, e.received_at) for e in events] == [(e.seq, e.statement, e.received_at) for e in before]
    assert {event.revision for event in events} == {2}
    await published(ingest, 6)
    assert [event for event in ingest.broker.events if event.tenant == ingest.tenant][3:] == events
    assert (await health(ingest, connection))["unused_mapping"] == {"questions": [], "dimensions": []}
    assert await reread(ingest, connection=connection["id"]) == 0


async def test_only_selected_deliveries_are_read_and_unchanged_ones_are_not_published(ingest: IngestClient) -> None:
    connection, other = await ingest.connect("typeform"), await ingest.connect("typeform")
    for number in range(3):
        await ingest.deliver(connection, submission(f"t-{number}"))
    await ingest.deliver(other, submission("t-0"))
    await ingest.deliver(connection, submission("t-9", answers=[]))
    await published(ingest, 5)
    for one in (connection, other):
        await change(ingest, one, mapping=RATING)
    assert await reread(ingest, connection=connection["id"], subject=f"{connection['id']}/response/t-1") == 1
    assert await reread(ingest, until="2020-01-01T00:00:00Z") == 0
    assert await reread(ingest, connection=connection["id"]) == 3
    await published(ingest, 8)
    values = {e.subject: [a.value for a in e.body.answers] for e in await ingest.events()}  # type: ignore[union-attr]
    assert values[f"{other['id']}/response/t-0"] == []
    assert values[f"{connection['id']}/response/t-9"] == []
    assert len([event for event in ingest.broker.events if event.tenant == ingest.tenant]) == 8


async def test_a_delivery_that_can_not_be_read_any_more_keeps_its_events(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform", mapping={"questions": {"f-sat": {"kind": "nps"}}})
    for token, value in (("t-1", 9), ("t-2", 4)):
        await ingest.deliver(connection, submission(token, value))
    await published(ingest, 2)
    await change(ingest, connection, mapping=RATING)
    assert await reread(ingest) == 2
    answers = [event.body.answers[0] for event in await ingest.events()]  # type: ignore[union-attr]
    assert [(answer.kind, answer.value) for answer in answers] == [("nps", 9), ("csat", 4)]
    assert (await ingest.call("GET", "/v1/quarantine")).json()["items"] == []


async def test_a_record_that_was_posted_under_a_tools_connection_gets_new_dimensions(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    await ingest.call("POST", "/v1/feedback", params={"connection": connection["id"]}, json=response(nps(9)))
    await published(ingest, 1)
    await change(ingest, connection, dimensions={"region": "DE", "plan": "pro"})
    assert await reread(ingest) == 1
    [event] = await ingest.events()
    assert event.dimensions == {"region": "DE", "plan": "pro"}


async def test_an_erased_customer_stays_erased(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    await ingest.deliver(connection, submission("t-1", hidden={"user_id": "anna"}))
    await ingest.deliver(connection, submission("t-2"))
    await published(ingest, 2)
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "anna"}}
    await ingest.call("POST", "/v1/feedback", json=erasure)
    await change(ingest, connection, mapping=RATING)
    assert await reread(ingest) == 1
    kinds = {event.subject.rpartition("/")[2]: type(event.body).__name__ for event in await ingest.events()}
    assert kinds == {"t-1": "Tombstone", "t-2": "Response"}


async def test_a_delivery_that_waits_to_be_published_is_read_after_that(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    ingest.broker.unavailable = True
    try:
        await ingest.deliver(connection, submission("t-1"))
        await change(ingest, connection, mapping=RATING)
        await ingest.call("POST", "/v1/replay", json={"reread": True})
        assert (await health(ingest, connection))["rereading"]
        [event] = await ingest.events()
        assert event.revision == 1
    finally:
        ingest.broker.unavailable = False

    async def is_read() -> bool:
        return [event.revision for event in await ingest.events()] == [2]

    await until(is_read, 30)
    await published(ingest, 2)
    assert [event.revision for event in ingest.broker.events if event.tenant == ingest.tenant][-1] == 2


async def test_replays_in_progress_are_limited(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    await ingest.deliver(connection, submission("t-1"))
    await change(ingest, connection, mapping=RATING)
    reads = ingest.app.state.reads
    later = (
        "INSERT INTO delivery_jobs (tenant, kind, due) SELECT $1, 'reread', now() + interval '1 hour' FROM generate_series(1, 10)"
    )
    await reads.execute(later, ingest.tenant)
    refused = await ingest.call("POST", "/v1/replay", json={"reread": True})
    assert refused.status_code == 409
    assert "10 jobs" in refused.json()["detail"]
    await reads.execute("DELETE FROM delivery_jobs WHERE tenant = $1", ingest.tenant)
    assert await reread(ingest) == 1


async def test_another_tenants_deliveries_are_not_read(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    await ingest.deliver(connection, submission("t-1"))
    await change(ingest, connection, mapping=RATING)
    stranger = {"x-earshot-tenant": "somebody-else"}
    answer = await ingest.call("POST", "/v1/replay", json={"reread": True, "connection": connection["id"]}, headers=stranger)
    assert answer.json()["deliveries"] == 0


async def has_logged(logs: Sequence[Mapping[str, Any]], event: str) -> bool:
    return any(line["event"] == event for line in logs)


async def test_the_events_of_a_reread_have_the_ids_of_its_request(ingest: IngestClient) -> None:
    connection = await ingest.connect("typeform")
    await ingest.deliver(connection, submission("t-1"))
    await published(ingest, 1)
    await change(ingest, connection, mapping=RATING)
    headers = {"x-request-id": "order-4711", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    with capture_logs([add_to_log]) as logs:
        answer = await ingest.call("POST", "/v1/replay", json={"reread": True}, headers=headers)
        assert answer.json()["deliveries"] == 1
        await published(ingest, 2)
        await until(lambda: has_logged(logs, "rereader.read"))
    own = [m for m in ingest.broker.sent if decode_event(m.value).tenant == ingest.tenant]
    context = parse_record_headers(own[-1].headers)
    assert context
    assert context.request_id == "order-4711"
    [line] = [one for one in logs if one["event"] == "rereader.read"]
    assert line["request_id"] == "order-4711"
